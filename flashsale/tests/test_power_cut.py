"""What a power cut leaves of the store's file: a disk that shows only what was really written to it.

The file system is an image. Its copy, taken without a word to the kernel, is what the disk would hold had the
power gone in that moment; `kill -9` proves nothing of this, for what a dead process has written the kernel
still writes.
"""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from flashsale import scheduling, stock
from flashsale.tests.conftest import MakeSale
from shop import store as memory
from shop.up import valkey

T = TypeVar("T")
CUTS = 8
MIB = 64
MKFS, MOUNT, UMOUNT = (
    shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin") or ""
    for name in ("mkfs.ext4", "mount", "umount")
)
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.geteuid() != 0 or not MKFS, reason="Only root mounts, and with mkfs.ext4"),
]


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    """A file system in a file."""
    at.mkdir()
    done = subprocess.run([MOUNT, "-o", "loop", str(image), str(at)], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"Nothing is mounted here: {done.stderr.decode()}")
    try:
        yield at
    finally:
        subprocess.run([UMOUNT, str(at)], check=True)


@contextmanager
def serving(folder: Path, logs: Path, *, fsync: str) -> Iterator[str]:
    """A store with its file in that folder; yields its address."""
    logs.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(valkey, "SALE", [*valkey.SALE, f"appendfsync {fsync}"])  # the last one counts
        process, url = valkey.start_sale(folder, logs)
    try:
        yield url
    finally:
        process.stop(2)


def run(url: str, call: stock.Call[T]) -> T:
    async def go() -> T:
        client = memory.connect_async(url)
        try:
            return await stock.run_async(client, call)
        finally:
            await client.aclose()

    return asyncio.run(go())


def reserved(url: str, sale: int, item: int, user: int) -> bool:
    found = run(url, stock.place(sale, item, user=user))
    return found is not None and found.outcome == "reserved"


def lost_by_power_cuts(make_sale: MakeSale, folder: Path, *, fsync: str, until_lost: bool) -> int:
    """Acknowledge units, cut the power, and look for them in what is left; return how many are gone."""
    item, image, lost = make_sale(quantity=2 * CUTS), folder / "disk", 0
    with image.open("wb") as file:
        file.truncate(MIB * 2**20)
    subprocess.run([MKFS, "-q", str(image)], check=True)
    sale, users = item.sale_id, range(1, 2 * CUTS + 1)
    with ExitStack() as stack:
        disk = stack.enter_context(mounted(image, folder / "alive"))
        url = stack.enter_context(serving(disk, folder / "logs", fsync=fsync))
        run(url, stock.load(sale, scheduling.document(item.sale)))
        for cut, user in enumerate(users[::2]):
            time.sleep(1.2)  # everysec: the first write after a second is written at once, the next is not
            for one in (user, user + 1):
                decided = run(url, stock.attempt(sale, [(item.pk, one)], per_minute=100))
                assert decided.answers[0].outcome == "reserved"
            left = folder / f"left-{cut}"
            shutil.copy(image, left)
            lost += sum(
                not found for found in left_of(left, folder / f"cut-{cut}", sale, item.pk, range(1, user + 2))
            )
            if lost and until_lost:
                break
    return lost


def left_of(image: Path, folder: Path, sale: int, item: int, users: range) -> list[bool]:
    """Start a store on what is left; tell of each user whether his unit is there."""
    folder.mkdir()
    with mounted(image, folder / "disk") as disk, serving(disk, folder / "logs", fsync="always") as url:
        return [reserved(url, sale, item, user) for user in users]


def test_a_power_cut_takes_nothing_that_was_acknowledged(make_sale: MakeSale, tmp_path: Path) -> None:
    assert lost_by_power_cuts(make_sale, tmp_path, fsync="always", until_lost=False) == 0


def test_control_a_store_that_writes_every_second_loses_what_was_acknowledged(
    make_sale: MakeSale, tmp_path: Path
) -> None:
    assert lost_by_power_cuts(make_sale, tmp_path, fsync="everysec", until_lost=True) > 0
