"""Who may enter a sale: its rules counted together, one address asked about, the list taken out, progress."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.cache import cache
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe
from import_export.formats import base_formats
from import_export.results import Result

from accounts.models import User
from flashsale import audit, eligibility, whitelist
from flashsale.admin_forms import WhitelistForm
from flashsale.admin_views import back, find_sale, operator, page
from flashsale.cockpit.scales import number
from flashsale.errors import SaleError
from flashsale.models import Sale

FORMATS = {"csv": base_formats.CSV, "xlsx": base_formats.XLSX}
SHOWN = 50
PROGRESS_SECONDS = 120

# As SQL: the lists are joined, not asked for each account, so that a list that was imported a moment ago, of
# which PostgreSQL has no statistics yet, is hashed all the same.
COUNTED = """
SELECT count(*), count(*) FILTER (WHERE {refused}), {sums}
FROM (
  SELECT NOT shopper.is_active AS closed, shopper.standing = %(blocked)s AS blocked,
         shopper.date_joined > %(youngest)s AND NOT (%(excuses)s AND listed.email IS NOT NULL) AS young,
         shopper.level < %(level)s AND NOT (%(excuses)s AND listed.email IS NOT NULL) AS level,
         confirmed.user_id IS NULL AS unverified, listed.email IS NULL AS unlisted
  FROM accounts_user shopper
  LEFT JOIN (SELECT DISTINCT mail.user_id FROM account_emailaddress mail
             JOIN accounts_user owner ON owner.id = mail.user_id AND upper(owner.email) = upper(mail.email)
             WHERE mail.verified) confirmed ON confirmed.user_id = shopper.id
  LEFT JOIN flashsale_whitelistentry listed
         ON listed.sale_id = %(sale)s AND listed.email = lower(shopper.email)
) AS judged
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many accounts there are, how many each rule alone keeps out, how many may enter after all rules."""

    accounts: int
    kept_out: dict[str, int]
    let_in: int


def count(sale: Sale) -> Counted:
    """Count by one query, at the opening or now, whichever is later; staff and closed accounts included."""
    rules = ["closed", "blocked", "young", "level"]
    if settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory":
        rules.append("unverified")
    if sale.whitelist_only:
        rules.append("unlisted")
    sums = ", ".join(f"count(*) FILTER (WHERE {rule})" for rule in rules)
    at = max(sale.opens_at, timezone.now())
    values: dict[str, Any] = {
        "sale": sale.pk,
        "blocked": User.Standing.BLOCKED,
        "youngest": at - timedelta(days=sale.min_account_days),
        "level": sale.min_level,
        "excuses": sale.list_excuses,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNTED.format(sums=sums, refused=" OR ".join(rules)), values)
        accounts, refused, *each = cursor.fetchone()
    kept_out = {rule: number for rule, number in zip(rules, each, strict=True) if number}
    return Counted(accounts, kept_out, accounts - refused)


def sentences(sale: Sale) -> list[str]:
    """Say whom the rules let in, all together, and whom each alone keeps out."""
    counted = count(sale)
    said = ngettext(
        "This lets in %(count)s shopper of %(all)s.",
        "This lets in %(count)s shoppers of %(all)s.",
        counted.let_in,
    )
    words = {
        "closed": _("Closed accounts: %(count)s."),
        "blocked": _("Blocked: %(count)s."),
        "young": _("Accounts younger than %(days)d days: %(count)s."),
        "level": _("Below level %(level)d: %(count)s."),
        "unverified": _("E-mail address not confirmed: %(count)s."),
        "unlisted": _("Not on the list: %(count)s."),
    }
    facts = {"days": sale.min_account_days, "level": sale.min_level}
    found = [said % {"count": number(counted.let_in), "all": number(counted.accounts)}]
    return found + [words[name] % {"count": number(n), **facts} for name, n in counted.kept_out.items()]


def rules(sale: Sale) -> str:
    """Say who may enter by each rule, and how many all let in; also of a sale that is not saved yet."""
    found = []
    if sale.min_account_days:
        sentence = ngettext(
            "Only accounts older than %(days)d day may enter.",
            "Only accounts older than %(days)d days may enter.",
            sale.min_account_days,
        )
        found.append(sentence % {"days": sale.min_account_days})
    if sale.min_level:
        found.append(_("Only shoppers of level %(level)d or higher may enter.") % {"level": sale.min_level})
    listed = sale.whitelist.count() if sale.pk else 0
    if found and sale.list_excuses:
        sentence = ngettext(
            "The %(count)s address on its list may enter all the same.",
            "The %(count)s addresses on its list may enter all the same.",
            listed,
        )
        found.append(sentence % {"count": number(listed)})
    if sale.whitelist_only:
        sentence = ngettext(
            "Only the %(count)s address on its list may enter.",
            "Only the %(count)s addresses on its list may enter.",
            listed,
        )
        found.append(sentence % {"count": number(listed)})
    found = found or [_("Everybody with an account may enter.")]
    return " ".join([*found, sentences(sale)[0]])


def ask(sale: Sale, typed: str) -> str:
    """Answer whether this address may enter at the opening, or now if that has passed, and why not."""
    email = typed.strip().lower()
    user = User.objects.filter(email=email).first()
    is_listed = sale.whitelist.filter(email=email).exists()
    if user is None:
        listed = _("It is on the list.") if is_listed else _("It is not on the list.")
        return _("%(email)s has no account. %(listed)s") % {"email": email, "listed": listed}
    refusal = eligibility.why_not(user=user, sale=sale, now=max(sale.opens_at, timezone.now()))
    if refusal is None:
        return _("%(email)s may enter.") % {"email": email}
    values = {"email": email, "code": refusal.code, "reason": refusal.sentence}
    return _("%(email)s may not enter (%(code)s). The shopper reads: %(reason)s") % values


@require_safe
def export(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The list as CSV or XLSX; either can be imported again. No address on a list begins like a formula."""
    sale = find_sale(request, pk)
    if kind not in FORMATS:
        raise Http404
    style = FORMATS[kind]()
    headers = {"Content-Disposition": f'attachment; filename="{sale.slug}-list.{kind}"'}
    content = style.export_data(whitelist.Entries(sale).export())
    return HttpResponse(content, content_type=style.get_content_type(), headers=headers)


def _key(sale: Sale) -> str:
    return f"cockpit:{sale.pk}:import"


def tell_progress(sale: Sale, done: int, total: int, read: int = 0) -> None:
    """Note how far an import is; without the cache nobody sees it and the import goes on."""
    cache.set(_key(sale), [done, total, read], PROGRESS_SECONDS)


@require_safe
def progress(request: HttpRequest, pk: int) -> JsonResponse:
    """How far the import of a list is: lines read, then rows written and of how many."""
    done, total, read = cache.get(_key(find_sale(request, pk))) or (0, 0, 0)
    return JsonResponse({"done": done, "total": total, "read": read})


@require_http_methods(["GET", "POST"])
def addresses(request: HttpRequest, pk: int, site: AdminSite) -> HttpResponse:
    """Import the list of a sale from a file: all of it, or nothing and why."""
    sale = find_sale(request, pk)
    sent = request.method == "POST"
    form = WhitelistForm(request.POST, request.FILES) if sent else WhitelistForm()
    errors: list[tuple[int, str]] = []
    if sent and form.is_valid():
        try:
            content = form.cleaned_data["file"].read(whitelist.LARGEST_FILE + 1)
            rows = whitelist.read(content, tell=partial(tell_progress, sale, 0, 0))
        except SaleError as error:
            form.add_error("file", str(error))
        else:
            entries = whitelist.Entries(
                sale, replace=form.cleaned_data["replace"], tell=partial(tell_progress, sale)
            )
            result = whitelist.put(rows, entries) if rows else None
            if result and not result.invalid_rows:
                return _imported(request, entries, result)
            bad = result.invalid_rows if result else []
            errors = [(rows["line"][one.number - 1], one.error.message) for one in bad]
    context = page(
        request,
        site,
        sale,
        form=form,
        errors=errors[:SHOWN],
        error_count=len(errors),
        is_empty=sent and form.is_valid() and not errors,
        count=(listed := sale.whitelist.count()),
        listed=number(listed),
        sentences=sentences(sale),
        asked=(asked := request.GET.get("email", "")[:254]),
        answer=ask(sale, asked) if asked else "",
        title=_("Who may enter “%(sale)s”") % {"sale": sale.title},
    )
    return render(request, "flashsale/admin/whitelist.html", context)


def _imported(request: HttpRequest, entries: whitelist.Entries, result: Result) -> HttpResponse:
    audit.note(sale=entries.sale, by=operator(request), what=_("List imported."), after=len(entries.read))
    added = result.totals["new"]
    sentence = ngettext("%(n)d address is new on the list.", "%(n)d addresses are new on the list.", added)
    messages.success(request, sentence % {"n": added})
    if entries.repeated:
        lines = ", ".join(map(str, entries.repeated[:SHOWN]))
        messages.info(
            request, _("These lines repeat an address and were passed over: %(lines)s.") % {"lines": lines}
        )
    return back(entries.sale)
