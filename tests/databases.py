"""A PostgreSQL with a streaming copy, and a PgBouncer in front, of a test's own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from shop.up import postgres, processes
from shop.up.ports import LOOPBACK, free_port
from shop.up.processes import Process

BOUNCER = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")


class Databases:
    """The primary, its copy, and their URLs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        primary, replica = (self._made(name) for name in ("primary", "replica"))
        self.primary, self.url = postgres.start(primary, primary, durable=False)
        self.processes = [self.primary]
        shutil.copy(primary / "postgres-password", replica)
        self._copy_to(replica)
        self.replica, self.replica_url = postgres.start(replica, replica, durable=False)
        self.processes.append(self.replica)

    def _made(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(mode=0o755)
        return folder

    def _copy_to(self, folder: Path) -> None:
        home = postgres._home(folder)
        program = postgres._programs(home) / "pg_basebackup"
        command = [str(program), "-d", self.url, "-D", str(home / "data"), "-R", "-X", "stream"]
        command += ["-c", "fast"]
        as_nobody = os.geteuid() == 0
        env = postgres._environment(home)
        processes.run("pg_basebackup", command, log=folder / "log", env=env, cwd=home, as_nobody=as_nobody)

    def ask(self, question: str, *values: object, replica: bool = False) -> list[tuple[object, ...]]:
        """Ask one of the two."""
        with psycopg2.connect(self.replica_url if replica else self.url) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(question, values or None)
                return cursor.fetchall() if cursor.description else []

    def bounce(self) -> str:
        """Start a PgBouncer in transaction mode with four connections; return the URL through it."""
        assert BOUNCER is not None
        parts, port, folder = urlsplit(self.url), free_port(), self._made("bouncer")
        for limit in ("lock_timeout = '2s'", "statement_timeout = '10s'"):
            self.ask(f"ALTER ROLE {parts.username} SET {limit}")
        (folder / "users.txt").write_text(f'"{parts.username}" "{parts.password}"\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\nshop = host={LOOPBACK} port={parts.port} dbname=shop\n"
            f"[pgbouncer]\nlisten_addr = {LOOPBACK}\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {folder}/users.txt\n"
            "pool_mode = transaction\ndefault_pool_size = 4\n"
        )
        process = Process(
            "pgbouncer",
            [BOUNCER, str(folder / "pgbouncer.ini")],
            folder / "log",
            {"PATH": os.environ["PATH"]},
            folder,
            as_nobody=os.geteuid() == 0,
        )
        process.start()
        self.processes.append(process)
        return f"postgres://{parts.username}:{parts.password}@{LOOPBACK}:{port}/shop"

    def stop(self) -> None:
        """Stop all of it."""
        for process in reversed(self.processes):
            process.stop(3.0)
        for name in ("primary", "replica"):
            postgres.forget(self.folder / name)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def running_databases() -> Iterator[Databases]:
    """Run a primary and its copy."""
    if BOUNCER is None:
        pytest.skip("No PgBouncer here: apt-get install pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="flashsale-databases-"))
    folder.chmod(0o755)  # ours, so that PostgreSQL may live in it when root runs the suite
    databases = Databases(folder)
    try:
        yield databases
    finally:
        databases.stop()
