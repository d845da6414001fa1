"""Faults that only show when something is written, or read, at the right moment: each of them alone."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import pytest

from bench.chaos.disks import OwnDisk, disk_for
from bench.chaos.world import MOVED
from bench.roles import ROOT
from shop.up import postgres
from shop.up.processes import Process

AGAIN = 10.0


@pytest.mark.parametrize("ahead", [30, -30])
def test_a_clock_is_moved_from_the_start_and_durations_are_not(ahead: int) -> None:
    env = os.environ | {"PYTHONPATH": str(MOVED), "CLOCK_AHEAD": str(ahead)}
    code = "import time, datetime; print(time.time(), datetime.datetime.now().timestamp(), time.monotonic())"
    before, began = time.time(), time.monotonic()
    told = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    after, ended = time.time(), time.monotonic()
    *clocks, monotonic = map(float, told.stdout.split())
    assert all(before <= clock - ahead <= after for clock in clocks)
    assert began <= monotonic <= ended


def test_a_full_disk_refuses_what_needs_room_and_takes_it_again(tmp_path: Path) -> None:
    """In a process of its own: the mount is that process's alone."""
    tmp_path.chmod(0o755)
    command = [sys.executable, "-m", __name__, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    words = done.stdout.split()
    assert words in (["DiskFull", "1001"], ["OperationalError", "1001"]), words  # the latter by RLIMIT_FSIZE


def _write(url: str) -> int:
    """Write a row that needs pages of its own; return how many rows there are."""
    with psycopg2.connect(url, connect_timeout=2) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO big SELECT repeat(md5(random()::text), 40) FROM generate_series(1, 1000)")
        cursor.execute("SELECT count(*) FROM big")
        (found,) = cursor.fetchone() or (0,)
    connection.close()
    return int(found)


def _story(folder: Path) -> None:
    disk = disk_for(folder)
    process, url = postgres.start(folder, folder)
    try:
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE big (text text)")
            cursor.execute("INSERT INTO big VALUES ('kept')")
        connection.close()
        disk.fill(process)
        _keep(process)
        error = _refused(url)
        disk.free(process)
        _keep(process)
        print(error, _until_taken(url))
    finally:
        process.stop(5)
        postgres.forget(folder)
        disk.close()
    if isinstance(disk, OwnDisk):
        assert not disk.home.exists()


def _keep(process: Process) -> None:
    """Start it again if it has ended, as the world does."""
    if not process.alive():
        process.start()


def _refused(url: str) -> str:
    try:
        _write(url)
    except psycopg2.Error as error:
        return type(error).__name__
    return "taken"


def _until_taken(url: str) -> int:
    deadline = time.monotonic() + AGAIN
    while True:
        try:
            return _write(url)
        except psycopg2.Error:  # it may be recovering
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    _story(Path(sys.argv[1]))
