"""What is the same in every region, pulled from another one: products, and the definition of sales.

Stock, quantities and everything that happens stay where they are. Only what has changed is sent (ETag), and
each product is written by itself and remembered, so a pull that was cut goes on where it was.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from django.conf import settings
from django.db import transaction

from flashsale.models import Sale, SaleItem
from shop.catalogue import importing, prose
from shop.catalogue.errors import BadRows
from shop.catalogue.models import Variant
from shop.catalogue.shopify import ImageRow, ProductRow, VariantRow

TIMEOUT = 20.0
WAIT_AT_MOST = 90.0
SHOWN = ("title", "description", "opens_at", "closes_at", "pay_within", "standby_size")
RULES = ("min_account_days", "min_level", "whitelist_only")
Told = Callable[[str], None]


class SyncError(Exception):
    """The other shop does not answer, or is none of ours; what was pulled before stays pulled."""


@dataclass
class Pulled:
    """How many things were looked at, how many had changed, and what could not be taken."""

    seen: int = 0
    changed: int = 0
    left_out: list[str] = field(default_factory=list)


class Source:
    """Another shop's API, and which version of each address we have (a file in DATA_DIR)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SyncError(f"“{url}” is no address of a shop: https://eu.example.com is one.")
        self._base = url.rstrip("/")
        self._file = Path(settings.DATA_DIR) / f"sync-{parts.netloc.replace(':', '-')}.json"
        self._tags: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def get(self, address: str, *, known: bool = False) -> tuple[Any, str]:
        """Fetch an address; None if it has not changed since it was kept (`known`). Raises SyncError."""
        headers = {"If-None-Match": self._tags[address]} if known and address in self._tags else {}
        request = Request(address, headers=headers)  # noqa: S310 - http and https only, see above
        until = time.monotonic() + WAIT_AT_MOST
        while True:
            try:
                with urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
                    return json.load(response), response.headers.get("ETag", "")
            except HTTPError as error:
                if error.code == 304:
                    return None, self._tags[address]
                wait = error.headers.get("Retry-After", "")
                if error.code != 429 or not wait.isdecimal() or time.monotonic() + int(wait) > until:
                    raise SyncError(f"{address} answers {error.code}.") from error
                time.sleep(int(wait))
            except (OSError, HTTPException, ValueError) as error:
                raise SyncError(f"{address} does not answer: {error}") from error

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a list, page by page."""
        address: str | None = f"{self._base}{path}"
        while address:
            page, _ = self.get(address)
            if not isinstance(page, dict) or "results" not in page:
                raise SyncError(f"{address} is no list of a shop.")
            yield from page["results"]
            address = page["next"]

    def keep(self, address: str, tag: str) -> None:
        """Remember that this version is written."""
        self._tags[address] = tag
        draft = self._file.with_suffix(".part")
        draft.write_text(json.dumps(self._tags))
        draft.replace(self._file)

    def detail(self, path: str) -> str:
        """Return the address of a path."""
        return f"{self._base}{path}"


def products(source: Source, told: Told) -> Pulled:
    """Pull products that have changed. Raises SyncError; what was written by then is kept."""
    pulled = Pulled()
    for row in source.pages("/api/catalogue/"):
        pulled.seen += 1
        address = source.detail(f"/api/catalogue/{int(row['id'])}/")
        found, tag = source.get(address, known=True)
        if found is not None:
            _write_product(found, pulled)
            source.keep(address, tag)
        if pulled.seen % 24 == 0:
            told(f"{pulled.seen} products, {pulled.changed} changed")
    return pulled


def _write_product(found: dict[str, Any], pulled: Pulled) -> None:
    if found["kind"] == "slot":
        pulled.left_out.append(f"{found['handle']}: a slot belongs to its place")
        return
    try:
        importing.write([_row(found)], keep_stock=True)
    except BadRows as error:
        pulled.left_out.append(f"{found['handle']}: {error.problems[0].text}")
    else:
        pulled.changed += 1


def _row(found: dict[str, Any]) -> ProductRow:
    variants = [
        VariantRow(0, one["sku"], one["options"], one["price"], one["compare_at"], None)
        for one in found["variants"]
    ]
    images = [ImageRow(one["url"], one["alt"], n) for n, one in enumerate(found["pictures"], 1)]
    return ProductRow(
        line=0,
        handle=found["handle"],
        title=found["title"],
        body=prose.clean(found["body"]),
        vendor=found["vendor"],
        category=found["category"] or "",
        tags=found["tags"],
        published=True,
        shipped=found["kind"] == "shipped",
        option_names=found["option_names"],
        variants=variants,
        images=images,
    )


def sales(source: Source) -> Pulled:
    """Pull the definition of sales that are not over, as drafts; a scheduled one here is left alone.

    A new item has a quantity of 1: the share of this region is set in the admin. Raises SyncError.
    """
    pulled = Pulled()
    for found in source.pages("/api/sales/"):
        if found["state"] == "ended":
            continue
        pulled.seen += 1
        local = Sale.objects.filter(slug=found["slug"]).first()
        if local is not None and local.state != Sale.State.DRAFT:
            pulled.left_out.append(f"{found['slug']}: it is {local.get_state_display().lower()} here")
        elif _write_sale(found, pulled):
            pulled.changed += 1
    return pulled


def _write_sale(found: dict[str, Any], pulled: Pulled) -> bool:
    """Write a draft and its items; whether anything is new."""
    queue = found["queue"] or {"rate": None, "limit": None, "tie_band": 0, "lots_at_open": False}
    fields = {name: found[name] for name in (*SHOWN, *RULES)} | {
        "rate": queue["rate"],
        "queue_limit": queue["limit"],
        "tie_band": queue["tie_band"],
        "shuffle_at_open": queue["lots_at_open"],
    }
    with transaction.atomic(durable=True):
        sale, is_new = Sale.objects.update_or_create(slug=found["slug"], defaults=fields)
        for one in found["items"]:
            variant = Variant.objects.filter(sku=one["sku"]).first()
            if variant is None:
                pulled.left_out.append(f"{found['slug']}: there is no {one['sku']} here")
                continue
            values = {"price": one["price"], "limit": one["limit"]}
            _, added = SaleItem.objects.update_or_create(
                sale=sale, variant=variant, defaults=values, create_defaults=values | {"quantity": 1}
            )
            is_new = is_new or added
    return is_new
