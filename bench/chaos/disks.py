"""A disk of PostgreSQL's own that can be full at any moment, without a word to PostgreSQL."""

import ctypes
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from shop.up.postgres import ELSEWHERE
from shop.up.processes import NOBODY, Process

SIZE = "4g"
"""More than it ever needs; memory is taken only for what is written."""
LIMIT = 1_000_000
CLONE_NEWNS, MNT_DETACH = 0x20000, 2
PROGRAM = shutil.which("mount") or ""


class OwnDisk:
    """A file system in memory, made for PostgreSQL; nothing more fits on it while it is full.

    It is mounted where only this process and its children see it, so that it ends with them. Raises OSError
    and CalledProcessError where nobody may mount.
    """

    def __init__(self, folder: Path) -> None:
        _unshare_mounts()
        self.home = Path(tempfile.mkdtemp(prefix="flashsale-chaos-", dir=ELSEWHERE))
        _mount(
            "-t", "tmpfs", "-o", f"size={SIZE},mode=700,uid={NOBODY},gid={NOBODY}", "tmpfs", str(self.home)
        )
        (folder / "postgres-home").write_text(f"{self.home}\n")  # where PostgreSQL looks for its state

    def fill(self, _postgres: Process) -> None:
        """Leave no free page: every write that needs one fails with ENOSPC."""
        there = os.statvfs(self.home)
        used = (there.f_blocks - there.f_bfree) * there.f_frsize
        with suppress(subprocess.CalledProcessError):  # it has grown since; the next call finds it so
            _mount("-o", f"remount,size={used}", str(self.home))

    def free(self, _postgres: Process) -> None:
        """There is space again."""
        _mount("-o", f"remount,size={SIZE}", str(self.home))

    def close(self) -> None:
        """Take it away, with all that is on it."""
        ctypes.CDLL(None).umount2(os.fsencode(self.home), MNT_DETACH)
        self.home.rmdir()


class ShortFiles:
    """For those who may not mount: no file grows beyond some size (EFBIG), so the log cannot be written.

    PostgreSQL dies for it, and is started with the limit, and without it, by whoever keeps it running.
    """

    def __init__(self) -> None:
        self._usual: list[str] = []

    def fill(self, postgres: Process) -> None:
        """From its next start on files are short."""
        if not self._usual:
            self._usual = postgres.command
            postgres.command = ["prlimit", f"--fsize={LIMIT}", *self._usual]
            postgres.sweep()

    def free(self, postgres: Process) -> None:
        """From its next start on files may grow again."""
        postgres.command, self._usual = self._usual, []
        postgres.sweep()

    def close(self) -> None:
        """Nothing to take away."""


Disk = OwnDisk | ShortFiles


def disk_for(folder: Path) -> Disk:
    """Make the disk of the PostgreSQL that will be started with its state in `folder`."""
    if os.geteuid() == 0:
        with suppress(OSError, subprocess.CalledProcessError):
            return OwnDisk(folder)
    return ShortFiles()


def _unshare_mounts() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "Mounts cannot be ours alone.")
    _mount("--make-rprivate", "/")


def _mount(*words: str) -> None:
    subprocess.run([PROGRAM, *words], check=True, capture_output=True)
