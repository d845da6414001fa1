"""Who may do what: one row for every address of the shop, and the objects that the rows speak of.

A row has seven letters, one for each of `ROLES`, for reading (GET) and for writing (POST):

`y`  let in (what he asks for may still be refused on its merits)
`n`  not found: the object is not his, and whether it exists is not told
`l`  led to a login
`f`  refused by name, 401 or 403
`m`  the address does not take this method
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import uuid4

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.contrib.sites.models import Site
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone
from rest_framework.authtoken.models import Token

from accounts import addresses
from accounts.groups import GROUPS, ensure_groups
from accounts.models import User
from accounts.tests.conftest import HOME, PASSWORD
from flashsale.models import ParkedEntry, Reservation, SaleItem, StandbyEntry, Transfer
from flashsale.tests.conftest import MakeSale, win
from shop.catalogue.models import Category
from shop.orders import payment
from shop.orders.models import Order, OutboxMail

BUYER, RIVAL, SUPPORT, MERCHANDISER, ADMIN = "buyer", "rival", "support", "merchandiser", "admin"
AUDITOR = "auditor"
ROLES = ("anonymous", BUYER, RIVAL, SUPPORT, MERCHANDISER, AUDITOR, ADMIN)
EVERYBODY, NOBODY, NO_METHOD = "yyyyyyy", "nnnnnnn", "mmmmmmm"
MEMBERS, OWNER, STAFF = "lyyyyyy", "nynnnnn", "lllyyyy"


class Row(NamedTuple):
    """What each role gets by GET and by POST; every other method gives no more than POST does."""

    get: str
    post: str = NO_METHOD


READ_ONLY = Row(EVERYBODY)
PUBLIC_DATA = Row(EVERYBODY, "fmmmmmm")
OWN_PAGE = Row("lynnnnn", "lynnnnn")

SHOP = {
    "home": READ_ONLY,
    "catalogue": READ_ONLY,
    "product": READ_ONLY,
    "search": READ_ONLY,
    "cart": READ_ONLY,
    "cart-add": Row(NO_METHOD, NOBODY),  # no variant is named
    "cart-update": Row(NO_METHOD, EVERYBODY),
    "cart-remove": Row(NO_METHOD, EVERYBODY),
    "checkout": Row(EVERYBODY, EVERYBODY),
    "orders": READ_ONLY,
    "order": Row(OWNER),
    "order-cancel": Row(NO_METHOD, OWNER),
    "order-pay": Row(OWNER, OWNER),
    "order-address": Row(NO_METHOD, OWNER),
    "order-again": Row(NO_METHOD, OWNER),
    "stock-notice": Row(EVERYBODY, EVERYBODY),
    "no-mail": Row(NOBODY, NOBODY),  # a link that was never sent
    "robots": READ_ONLY,
    "sitemap": Row(EVERYBODY, EVERYBODY),
    "payment": Row(OWNER, OWNER),
    "payment-return": Row(OWNER),
    "stripe-webhook": Row(NO_METHOD, NOBODY),  # there is no such provider in the tests
    "dev-mail": Row(NOBODY),
    "dev-mail-one": Row(NOBODY),
    "help": READ_ONLY,
    "language": Row(NO_METHOD, EVERYBODY),
    "scheme": Row(NO_METHOD, EVERYBODY),
    "healthz": READ_ONLY,
    "readyz": READ_ONLY,
    "edge-report": Row(NO_METHOD, NOBODY),  # by key, not by person: test_shedding.py
    "metrics": READ_ONLY,  # by address, not by person: test_health.py
}
SALES = {
    "sales": READ_ONLY,
    "sale": READ_ONLY,
    "sale-remind": Row(EVERYBODY, EVERYBODY),
    "sale-calendar": READ_ONLY,
    "sales-sitemap": Row(EVERYBODY, EVERYBODY),
    "reservations": Row(MEMBERS),
    "reservation": Row("lynnnnn"),
    "give-back": Row("mmmmmmm", "lynnnnn"),
    "sale-enter": Row(MEMBERS, MEMBERS),
    "sale-ready": READ_ONLY,
    "sale-result": Row(MEMBERS),
    "sale-attempt": Row(MEMBERS, MEMBERS),
    "sale-leave": Row(NO_METHOD, MEMBERS),
}
ACCOUNTS = {
    "account": Row(MEMBERS, MEMBERS),
    "addresses": Row(MEMBERS, MEMBERS),
    "address-add": Row(MEMBERS, MEMBERS),
    "address-edit": OWN_PAGE,
    "address-delete": OWN_PAGE,
    "captcha-image": Row(NOBODY),  # a challenge of another session
    "captcha-audio": Row(NOBODY),
    "account_login": Row(EVERYBODY, EVERYBODY),
    "account_logout": Row(EVERYBODY, EVERYBODY),
    "account_signup": Row(EVERYBODY, EVERYBODY),
    "account_inactive": READ_ONLY,
    "account_email": Row(MEMBERS, MEMBERS),
    "account_email_verification_sent": READ_ONLY,
    "account_confirm_email": Row(EVERYBODY, NOBODY),  # a key that was never sent
    "account_confirm_login_code": Row("lyyyyyy", "lyyyyyy"),
    "account_reauthenticate": Row(MEMBERS, MEMBERS),
    "mfa_index": Row(MEMBERS, "lmmmmmm"),
    "mfa_authenticate": Row("lyyyyyy", "lyyyyyy"),  # only between the password and the code
    "mfa_reauthenticate": Row(MEMBERS, MEMBERS),
    "mfa_activate_totp": Row(MEMBERS, MEMBERS),
    "mfa_deactivate_totp": Row("lnnnnnn", "lnnnnnn"),  # nobody here has set it up: test_second_step.py
    "mfa_view_recovery_codes": Row("lnnnnnn", "lmmmmmm"),
    "mfa_generate_recovery_codes": Row(MEMBERS, MEMBERS),
    "mfa_download_recovery_codes": Row("lnnnnnn", "lnnnnnn"),
    "account_change_password": Row(MEMBERS, MEMBERS),
    "account_set_password": Row(MEMBERS, MEMBERS),
    "account_reset_password": Row(EVERYBODY, EVERYBODY),
    "account_reset_password_done": READ_ONLY,
    "account_reset_password_from_key": Row(EVERYBODY, EVERYBODY),
    "account_reset_password_from_key_done": READ_ONLY,
}
NOT_A_UNIT = "fffffff"  # other regions come with a token of their own: test_transfers.py
API = {
    "api-catalogue": PUBLIC_DATA,
    "api-product": PUBLIC_DATA,
    "api-sales": PUBLIC_DATA,
    "api-sale": PUBLIC_DATA,
    "api-cart": Row("fyyyyyy", "fyyyyyy"),
    "api-checkout": Row("fmmmmmm", "fyyyyyy"),
    "api-orders": Row("fyyyyyy", "fmmmmmm"),
    "api-order": Row("fynnnnn", "fmmmmmm"),
    "api-order-cancel": Row("fmmmmmm", "fynnnnn"),
    "api-order-pay": Row("fmmmmmm", "fynnnnn"),
    "api-whole-sale": Row(NOT_A_UNIT, NOT_A_UNIT),
    "api-transfers": Row(NOT_A_UNIT, NOT_A_UNIT),
    "api-transfer": Row(NOT_A_UNIT, NOT_A_UNIT),
    "api-schema": READ_ONLY,
    "api-docs": READ_ONLY,
}
OPERATING = Row("lllfyfy", "lllfyfy")
ONLY_OPERATING = Row("lllmmmm", "lllfyfy")
ADMIN_PAGES = {
    "admin:index": Row(STAFF, STAFF),
    "admin:search": Row(STAFF, STAFF),
    "admin:login": Row(EVERYBODY, EVERYBODY),
    "admin:logout": Row("yyymmmm", EVERYBODY),
    "admin:password_change": Row(STAFF, STAFF),
    "admin:password_change_done": Row(STAFF, "lllmmmm"),
    "admin:auth_user_password_change": Row("lllfffy", "lllfffy"),
    "admin:sale-schedule": OPERATING,
    "admin:sale-close": OPERATING,
    "admin:sale-whitelist": OPERATING,
    "admin:sale-rate": OPERATING,
    "admin:sale-live": Row("lllyyyy", "lllmmmm"),
    "admin:sale-frame": Row("lllyyyy", "lllmmmm"),
    "admin:sale-chart": Row("lllnnnn", "lllmmmm"),  # nothing is measured yet
    "admin:sale-report": Row("lllyyyy", "lllmmmm"),
    "admin:sale-report-csv": Row("lllyyyy", "lllmmmm"),
    "admin:sale-shopper": Row("lllyyyy", "lllmmmm"),
    "admin:sale-resend": Row("lllmmmm", "lllnnfn"),  # a mail that there is not
    "admin:sale-deleted": Row("lllfyfy", "lllmmmm"),
    "admin:sale-delete": ONLY_OPERATING,
    "admin:sale-undelete": Row("lllmmmm", "lllfnfn"),  # it was not deleted
    "admin:sale-calendar": Row("lllyyyy", "lllmmmm"),
    "admin:sale-said": ONLY_OPERATING,
    "admin:sale-duplicate": ONLY_OPERATING,
    "admin:sale-preview": Row("lllyyyy", "lllmmmm"),
    "admin:sale-rehearse": OPERATING,
    "admin:sale-list": Row("lllfyfy", "lllmmmm"),
    "admin:sale-progress": Row("lllfyfy", "lllmmmm"),
    "admin:sale-log": Row("lllyyyy", "lllmmmm"),
    "admin:sale-log-csv": Row("lllyyyy", "lllmmmm"),
    "admin:sale-open": OPERATING,
    "admin:sale-end": OPERATING,
    "admin:sale-add": OPERATING,
    "admin:sale-release": Row("lllyyfy", "lllyyfy"),
    "admin:sale-pause": ONLY_OPERATING,
    "admin:sale-resume": OPERATING,
    "admin:sale-why": OPERATING,
    "admin:sale-take": OPERATING,
}
ROWS = SHOP | SALES | ACCOUNTS | API | ADMIN_PAGES

# What each role may do with the rows of a model in the admin: view, add, change, delete.
BY_MODEL = {
    "sites_site": ("", "", "", "vacd"),
    "account_emailaddress": ("", "", "", "vacd"),
    "authtoken_tokenproxy": ("", "", "", "vacd"),
    "auth_group": ("", "", "", "vacd"),
    "accounts_user": ("v", "", "v", "vacd"),
    "catalogue_product": ("v", "vacd", "v", "vacd"),
    "catalogue_category": ("v", "vacd", "v", "vacd"),
    "catalogue_variant": (
        "v",
        "v",
        "v",
        "v",
    ),  # looked up by the form of a sale; changed on its product's page
    "orders_order": ("vc", "v", "v", "vc"),
    "orders_outboxmail": ("v", "", "v", "vc"),
    "flashsale_sale": ("v", "vac", "v", "vac"),  # scheduled: a draft can be deleted too
    "flashsale_reservation": ("v", "v", "v", "v"),
    "flashsale_standbyentry": ("v", "v", "v", "v"),
    "flashsale_parkedentry": ("", "v", "v", "v"),
    "flashsale_transfer": ("", "va", "v", "va"),
}


def _admin_rows() -> dict[str, Row]:
    rows = {}
    for model, rights in BY_MODEL.items():
        for page, read, write in (
            ("changelist", "v", "v"),
            ("add", "a", "a"),
            ("history", "v", "v"),
            ("change", "v", "c"),
            ("delete", "d", "d"),
        ):
            letters = ["".join("y" if right in own else "f" for own in rights) for right in (read, write)]
            rows[f"admin:{model}_{page}"] = Row(*(f"lll{three}" for three in letters))
    return rows


TABLE = ROWS | _admin_rows()


@dataclass(frozen=True, slots=True)
class Stage:
    """A reservation of the buyer with its order, payment and address, and a browser of each role."""

    parts: dict[str, dict[str, Any]]
    rows: dict[str, Any]

    def address(self, name: str) -> str:
        """Return the address of a view, about the buyer's own object where it is about one."""
        model, _, page = name.removeprefix("admin:").rpartition("_")
        if model in self.rows and page in ("history", "change", "delete"):
            return reverse(name, args=[self.rows[model].pk])
        return reverse(name, kwargs=self.parts.get(name))


def set_stage(make_sale: MakeSale) -> Stage:
    """Let the buyer win, start to pay, and keep an address."""
    ensure_groups()
    users = {role: User.objects.create_user(f"{role}@example.com", PASSWORD) for role in ROLES[1:]}
    for group in GROUPS:
        users[group].groups.add(Group.objects.get(name=group))
    User.objects.filter(email__in=[f"{role}@example.com" for role in (*GROUPS, ADMIN)]).update(is_staff=True)
    User.objects.filter(email=f"{ADMIN}@example.com").update(is_superuser=True)
    item = make_sale()
    (rid,) = win(item, users[BUYER])
    return Stage(_parts(item, rid, users[BUYER]), _rows(item, users[BUYER]))


def _parts(item: SaleItem, rid: str, buyer: User) -> dict[str, dict[str, Any]]:
    home = addresses.add(user=buyer, parts=HOME)
    order = Reservation.objects.get(rid=rid).order
    assert order is not None
    product, sale = item.variant.product, {"slug": item.sale.slug}
    return {
        "product": {"pk": product.pk, "slug": product.handle},
        "dev-mail-one": {"source": "outbox", "name": "1"},
        "account_confirm_email": {"key": "never-sent"},
        "account_reset_password_from_key": {"uidb36": "1", "key": "never-sent"},
        "api-product": {"pk": product.pk},
        "api-sale": {"pk": item.sale_id},
        "api-whole-sale": {"pk": item.sale_id},
        "admin:auth_user_password_change": {"id": buyer.pk},
        **_each("captcha-image captcha-audio", key="0" * 40),
        **_each("order order-cancel order-pay order-address", public_id=order.public_id),
        **_each("order-again", public_id=order.public_id),
        **_each("api-order api-order-cancel api-order-pay", public_id=order.public_id),
        **_each("payment payment-return", token=payment.start(order=order, variant="dummy").token),
        **_each("reservation give-back", rid=rid),
        **_each("address-edit address-delete", pk=home.pk),
        "stock-notice": {"pk": product.pk},
        "no-mail": {"signed": "never-sent"},
        **_each("sale sale-enter sale-ready sale-remind sale-calendar", **sale),
        **_each("sale-result sale-attempt sale-leave", **sale, item=item.pk),
        **_each("admin:sale-schedule admin:sale-close admin:sale-whitelist", pk=item.sale_id),
        **_each("admin:sale-pause admin:sale-resume admin:sale-why admin:sale-rate", pk=item.sale_id),
        **_each("admin:sale-live admin:sale-frame admin:sale-open admin:sale-end", pk=item.sale_id),
        **_each("admin:sale-delete admin:sale-undelete", pk=item.sale_id),
        **_each("admin:sale-add admin:sale-take admin:sale-release admin:sale-progress", pk=item.sale_id),
        **_each("admin:sale-report admin:sale-report-csv admin:sale-duplicate", pk=item.sale_id),
        "admin:sale-rehearse": {"pk": item.sale_id},
        "admin:sale-preview": {"pk": item.sale_id, "state": "before"},
        "admin:sale-list": {"pk": item.sale_id, "kind": "csv"},
        "api-transfer": {"number": uuid4()},
        "admin:sale-resend": {"pk": 1},
        "admin:sale-chart": {"pk": item.sale_id, "name": "flow"},
    }


def _each(names: str, **parts: Any) -> dict[str, dict[str, Any]]:
    return dict.fromkeys(names.split(), parts)


def _rows(item: SaleItem, buyer: User) -> dict[str, Any]:
    """Return the key of one row of each model."""
    now = timezone.now()
    entry = StandbyEntry.objects.create(item=item, user=buyer, epoch=1, number=1, joined_at=now)
    parked = ParkedEntry.objects.create(sale=item.sale, entry_id="1-1", fields={}, error="No such shopper")
    return {
        "sites_site": Site.objects.first(),
        "account_emailaddress": EmailAddress.objects.create(user=buyer, email=buyer.email),
        "authtoken_tokenproxy": Token.objects.create(user=buyer).user,
        "auth_group": Group.objects.first(),
        "accounts_user": buyer,
        "catalogue_product": item.variant.product,
        "catalogue_category": Category.objects.create(name="Lamps", slug="lamps"),
        "catalogue_variant": item.variant,
        "orders_order": Order.objects.first(),
        "orders_outboxmail": OutboxMail.objects.first(),
        "flashsale_sale": item.sale,
        "flashsale_reservation": Reservation.objects.first(),
        "flashsale_standbyentry": entry,
        "flashsale_parkedentry": parked,
        "flashsale_transfer": Transfer.objects.create(item=item, region="south", units=1, state="sent"),
    }


def browser_of(role: str) -> Client:
    """Return the browser of a role, logged in unless it is nobody's."""
    client = Client()
    if role != "anonymous":
        user = User.objects.get(email=f"{role}@example.com")
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def letter(answer: HttpResponse) -> str:
    """Say in one letter what an answer lets somebody do; see the head of this file."""
    said = {401: "f", 403: "f", 404: "n", 405: "m"}.get(answer.status_code)
    if said is not None:
        return said
    assert answer.status_code < 500, answer.status_code
    to_login = answer.headers.get("Location", "").startswith((reverse("account_login"), "/admin/login/"))
    return "l" if to_login else "y"


def names() -> Iterator[tuple[str, str]]:
    """Return the name and the pattern of every view of the shop, from the list of addresses itself."""

    def walk(patterns: Any, before: str, space: str) -> Iterator[tuple[str, str]]:
        for one in patterns:
            whole = before + str(one.pattern)
            if isinstance(one, URLPattern):
                yield f"{space}{one.name}", whole
            else:
                yield from walk(one.url_patterns, whole, f"{one.namespace}:" if one.namespace else space)

    yield from walk(get_resolver().url_patterns, "", "")
