"""What is the same in every region, pulled from another one: products, and the definition of sales.

Stock, quantities and everything that happens stay where they are. Only what has changed is sent (ETag), and
each product and each sale is written by itself and remembered, so a pull that was cut goes on where it was.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from flashsale.models import Sale, SaleItem
from flashsale.sync_source import Source
from shop.catalogue import importing, prose
from shop.catalogue.errors import BadRows
from shop.catalogue.models import Product, Variant
from shop.catalogue.shopify import ImageRow, ProductRow, VariantRow

SHOWN = ("title", "description", "opens_at", "closes_at", "pay_within", "standby_size")
RULES = ("min_account_days", "min_level", "list_excuses", "whitelist_only")
CHECKS = ("captcha", "question", "answers", "proof_of_work")
"""Told to regions only (`UNITS`): whoever else could read the answers would be let in by them."""
PRODUCTS, SALES, UNIT_SALES = "/api/catalogue/", "/api/sales/", "/api/units/sales/"
Told = Callable[[str], None]


@dataclass
class Pulled:
    """How many things were looked at, how many had changed, and what could not be taken."""

    seen: int = 0
    changed: int = 0
    left_out: list[str] = field(default_factory=list)


def products(source: Source, told: Told) -> Pulled:
    """Pull products that have changed. Raises SyncError; what was written by then is kept."""
    pulled, listed = Pulled(), set[str]()
    for row in source.pages(PRODUCTS):
        pulled.seen += 1
        address = source.address(f"{PRODUCTS}{int(row['id'])}/")
        listed.add(address)
        found, tag = source.get(address, known=True)
        if found is not None:
            _write_product(found, pulled)
            source.keep(address, tag, found["handle"])
        if pulled.seen % 24 == 0:
            told(f"{pulled.seen} products, {pulled.changed} changed")
    for address, handle in source.kept(PRODUCTS):
        # A list that changes while it is read may skip one: only what has no page any more is gone.
        if address not in listed and source.is_gone(address):
            _withdraw(handle, pulled)
            source.forget(address)
    return pulled


def _withdraw(handle: str, pulled: Pulled) -> None:
    """Hide a product that is not shown over there any more; orders and sales here still know it."""
    pulled.changed += Product.objects.filter(handle=handle, published=True).update(published=False)
    pulled.left_out.append(f"{handle}: it is not shown there any more, and so no longer here")


def _write_product(found: dict[str, Any], pulled: Pulled) -> None:
    try:
        importing.write([_row(found)], keep_stock=True)
    except BadRows as error:
        pulled.left_out.append(f"{found['handle']}: {error.problems[0].text}")
    else:
        pulled.changed += 1


def _row(found: dict[str, Any]) -> ProductRow:
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
        kind=Product.Kind(found["kind"]),
        option_names=found["option_names"],
        variants=[_variant(one) for one in found["variants"]],
        images=images,
    )


def _variant(one: dict[str, Any]) -> VariantRow:
    at = one["slot_starts_at"]
    slot = (one["slot_place"], datetime.fromisoformat(at)) if at else None
    return VariantRow(0, one["sku"], one["options"], one["price"], one["compare_at"], None, slot)


def sales(source: Source) -> Pulled:
    """Pull the definition of sales that are not over, as drafts; what is no draft here is left alone.

    A new item has a quantity of 1: the share of this region is set in the admin. Raises SyncError.
    """
    pulled, listed = Pulled(), set[str]()
    details = UNIT_SALES if source.is_unit else SALES
    if not source.is_unit:
        pulled.left_out.append("captcha, question and proof of work are told to the regions in UNITS only")
    for row in source.pages(SALES):
        address = source.address(f"{details}{int(row['id'])}/")
        if row["state"] == "ended":
            continue
        listed.add(address)
        pulled.seen += 1
        _pull_sale(source, address, row["slug"], pulled)
    for address, slug in source.kept(details):
        if address not in listed:
            pulled.left_out.append(f"{slug}: it is over or gone there; what is here stays")
            source.forget(address)
    return pulled


def _pull_sale(source: Source, address: str, slug: str, pulled: Pulled) -> None:
    local = Sale.objects.filter(slug=slug).first()
    if local is not None and local.deleted_at is not None:
        pulled.left_out.append(f"{slug}: its draft was deleted here")
        return
    if local is not None and local.state != Sale.State.DRAFT:
        pulled.left_out.append(f"{slug}: it is {local.get_state_display().lower()} here")
        return
    # What is not here is fetched though it has not changed there.
    found, tag = source.get(address, known=local is not None)
    if found is None:
        return
    missing = _write_sale(found)
    pulled.changed += 1
    pulled.left_out += [f"{slug}: there is no {sku} here" for sku in missing]
    if not missing:  # else it is fetched again, for the product may come
        source.keep(address, tag, slug)


def _write_sale(found: dict[str, Any]) -> list[str]:
    """Write a draft and its items in one transaction; return the SKUs that are not known here."""
    queue = found["queue"] or {"rate": None, "limit": None, "tie_band": 0, "lots_at_open": False}
    told = [name for name in (*SHOWN, *RULES, *CHECKS) if name in found]
    fields = {name: found[name] for name in told} | {
        "rate": queue["rate"],
        "queue_limit": queue["limit"],
        "tie_band": queue["tie_band"],
        "shuffle_at_open": queue["lots_at_open"],
    }
    skus = [one["sku"] for one in found["items"]]
    variants = {one.sku: one for one in Variant.objects.filter(sku__in=skus)}
    with transaction.atomic(durable=True):
        # Whoever schedules it locks the row as well: what was scheduled a moment ago stays as it is.
        local = Sale.objects.select_for_update(of=("self",), no_key=True).filter(slug=found["slug"]).first()
        if local is not None and local.state != Sale.State.DRAFT:
            return []
        sale, _ = Sale.objects.update_or_create(slug=found["slug"], defaults=fields)
        sale.items.exclude(variant__sku__in=skus).delete()
        for one in found["items"]:
            if one["sku"] in variants:
                values = {"price": one["price"], "limit": one["limit"]}
                new = values | {"quantity": 1}
                SaleItem.objects.update_or_create(
                    sale=sale, variant=variants[one["sku"]], defaults=values, create_defaults=new
                )
    return [sku for sku in skus if sku not in variants]
