"""Where a region pulls from: another shop's API, and which version of each address is written here."""

import json
import time
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from django.conf import settings

TIMEOUT = 20.0
WAIT_AT_MOST = 90.0


class SyncError(Exception):
    """The other shop does not answer, or is none of ours; what was pulled before stays pulled."""


class Gone(SyncError):
    """There is nothing at this address any more."""


class Source:
    """Another shop, and what was written of it: tag and name by address, in a file of DATA_DIR.

    `is_unit`: it is one of our regions (`UNITS`), which tells more to whoever has the common token.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SyncError(f"“{url}” is no address of a shop: https://eu.example.com is one.")
        self._base = url.rstrip("/")
        self.is_unit = self._base in {other.rstrip("/") for other in settings.UNITS.values()}
        self._file = Path(settings.DATA_DIR) / f"sync-{parts.netloc.replace(':', '-')}.json"
        self._kept: dict[str, list[str]] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def address(self, path: str) -> str:
        """Return the address of a path."""
        return f"{self._base}{path}"

    def get(self, address: str, *, known: bool = False) -> tuple[Any, str]:
        """Fetch an address; None if it is as it was when it was kept (`known`). Raises SyncError, Gone."""
        tag = self._kept[address][0] if known and address in self._kept else ""
        until = time.monotonic() + WAIT_AT_MOST
        while True:
            try:
                with urlopen(self._request(address, tag), timeout=TIMEOUT) as response:  # noqa: S310
                    return json.load(response), response.headers.get("ETag", "")
            except HTTPError as error:
                if error.code == 304:
                    return None, tag
                if error.code == 404:
                    raise Gone(f"{address} answers 404.") from error
                wait = error.headers.get("Retry-After", "")
                if error.code != 429 or not wait.isdecimal() or time.monotonic() + int(wait) > until:
                    raise SyncError(f"{address} answers {error.code}.") from error
                time.sleep(int(wait))
            except (OSError, HTTPException, ValueError) as error:
                raise SyncError(f"{address} does not answer: {error}") from error

    def _request(self, address: str, tag: str) -> Request:
        request = Request(address, headers={"If-None-Match": tag} if tag else {})  # noqa: S310 - http(s) only
        if self.is_unit and address.startswith(self.address("/api/units/")):
            # Not sent on where the other shop sends us elsewhere: the token is for it alone.
            request.add_unredirected_header("Authorization", f"Unit {settings.UNIT_TOKEN}")
            request.add_unredirected_header("X-Region", settings.REGION)
        return request

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a list, page by page."""
        address: str | None = self.address(path)
        while address:
            page, _ = self.get(address)
            if not isinstance(page, dict) or "results" not in page:
                raise SyncError(f"{address} is no list of a shop.")
            yield from page["results"]
            address = page["next"]

    def is_gone(self, address: str) -> bool:
        """Whether there is nothing at an address any more. Raises SyncError."""
        try:
            self.get(address, known=True)
        except Gone:
            return True
        return False

    def kept(self, path: str) -> list[tuple[str, str]]:
        """Return address and name of what was kept of a list."""
        start = self.address(path)
        return [(address, name) for address, (_, name) in self._kept.items() if address.startswith(start)]

    def keep(self, address: str, tag: str, name: str) -> None:
        """Remember that this version is written."""
        self._kept[address] = [tag, name]
        self._save()

    def forget(self, address: str) -> None:
        """Forget what is not there any more."""
        self._kept.pop(address, None)
        self._save()

    def _save(self) -> None:
        draft = self._file.with_suffix(".part")
        draft.write_text(json.dumps(self._kept))
        draft.replace(self._file)
