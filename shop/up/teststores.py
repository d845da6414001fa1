"""Stores of the test suite's own: free ports, a temporary folder, nothing left afterwards."""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

from .stores import Stores

NAMES = ("DATABASE_URL", "REDIS_URL", "CACHE_URL")


class TestStores:
    """Starts the stores the environment does not name and points the environment to them."""

    __test__ = False  # pytest: this is no test class

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._stores: Stores | None = None

    def start(self) -> None:
        """Start what is missing and set the environment that `shop.settings` reads."""
        os.environ["DJANGO_TESTING"] = "1"
        os.environ.setdefault("DJANGO_DEBUG", "1")
        os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
        self.folder = Path(tempfile.mkdtemp(prefix="flashsale-test-"))
        self.folder.chmod(0o755)  # ours, so that PostgreSQL may live in it when root runs the suite
        os.environ["DATA_DIR"] = str(self.folder)  # mail and pictures of tests stay out of the shop's own
        self._stores = Stores(self.folder)
        self._stores.start(dict(os.environ), durable=False)
        os.environ.update(self._stores.urls)

    def stop(self) -> None:
        """Stop what was started and remove its folder."""
        if self._stores is not None:
            self._stores.stop()
            self._stores = None
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None
