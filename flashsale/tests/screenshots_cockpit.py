"""Pictures of the cockpit's pages and states, three widths, both schemes: part of `make screenshots`.

They are written into .data/screenshots/ as cockpit-*.png. pytest runs this file only where it is named.
"""

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Browser, Page, ViewportSize

from accounts.groups import ensure_groups
from accounts.models import User
from flashsale import drafts
from flashsale.cockpit import actions, previews
from flashsale.models import Reservation
from flashsale.tests import cockpit_stage as stage
from flashsale.tests.browsing import lend_session
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.pages import logged_in
from flashsale.tests.screenshots import FOLDER, SCHEMES, WIDTHS
from flashsale.tests.staged import Cast

SALES = "/admin/flashsale/sale/"


def _nothing(_page: Page) -> None:
    """Look at the page as it is."""


class Shot(NamedTuple):
    """A picture: its name, the page's address, who looks, and what is done on the page before."""

    name: str
    path: str
    user: User
    before: Callable[[Page], object] = _nothing


def staff(name: str, group: str) -> User:
    """Return somebody of the staff with a role."""
    ensure_groups()
    user = User.objects.create_user(f"{name}@example.com", is_staff=True)
    user.groups.set(user.groups.model.objects.filter(name=group))
    return user


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_page_of_the_cockpit_has_its_picture(
    django_db_setup: None, site: str, browser: Browser, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("cockpit-*.png"):
        old.unlink()
    cache.clear()
    mei, sam, ada = (staff(*one) for one in (("mei", "merchandiser"), ("sam", "support"), ("ada", "auditor")))
    shots = list(_shots(Cast(make_sale, shoppers), mei, sam, ada))
    for number, shot in enumerate(shots, start=1):
        sys.stderr.write(f"\r  {number} of {len(shots)}: cockpit {shot.name:<32}")
        _take(browser, site, shot)
    sys.stderr.write("\n")
    assert len(list(FOLDER.glob("cockpit-*.png"))) == len(shots) * len(WIDTHS) * len(SCHEMES)


def _shots(cast: Cast, mei: User, sam: User, ada: User) -> Iterator[Shot]:
    plan, coming, small = (act(cast, mei) for act in (stage.planned, stage.coming, stage.small))
    large, paused = stage.large(cast, mei), stage.paused(cast, mei)
    fair, unfair = (stage.ended(cast, mei, unfair=one) for one in (False, True))
    gone = cast.make_sale(scheduled=False)
    drafts.delete(sale=gone.sale, by=mei)
    yield Shot("list", SALES, mei)
    yield Shot("calendar", f"{SALES}calendar/", mei)
    yield Shot("deleted", f"{SALES}deleted/", mei)
    yield Shot("plan-new", f"{SALES}add/", mei, _type_a_plan)
    for name, item in {"draft": plan, "coming": coming, "running": large, "ended": fair}.items():
        yield Shot(f"plan-{name}", f"{SALES}{item.sale_id}/change/", mei)
    for state in previews.STATES:
        yield Shot(f"preview-{state}", f"{SALES}{plan.sale_id}/preview/{state}/", mei)
    yield from _lists(plan.sale_id, mei)
    yield Shot("rehearse", f"{SALES}{plan.sale_id}/rehearse/", mei)
    yield Shot("rehearse-running", f"{SALES}{coming.sale_id}/rehearse/", mei)
    live = {"coming": coming, "small": small, "large": large, "paused": paused, "ended": fair}
    for name, item in live.items():
        yield Shot(f"live-{name}", f"{SALES}{item.sale_id}/live/", mei, _one_look)
    yield Shot("live-auditor", f"{SALES}{small.sale_id}/live/", ada, _one_look)
    yield Shot("confirm-schedule", f"{SALES}{plan.sale_id}/schedule/", mei)
    for verb in actions.FORMS:
        item = {"open": coming, "resume": paused, "why": paused}.get(verb, large)
        yield Shot(f"confirm-{verb}", f"{SALES}{item.sale_id}/{verb}/", mei)
    yield Shot("confirm-rate", f"{SALES}{large.sale_id}/rate/?rate=400", mei)
    yield Shot("report", f"{SALES}{fair.sale_id}/report/", mei)
    yield Shot("report-unfair", f"{SALES}{unfair.sale_id}/report/", mei)
    yield Shot("report-large", f"{SALES}{large.sale_id}/report/", mei)
    held = Reservation.objects.select_related("user").filter(item=small, status="held")[0]
    for name, user in {"support": sam, "auditor": ada}.items():
        yield Shot(f"shopper-{name}", f"{SALES}shopper/?email={held.user.email}", user)
    yield Shot("shopper-nobody", f"{SALES}shopper/?email=nobody@example.com", sam)
    yield Shot("log", f"{SALES}log/", ada)


def _lists(sale: int, mei: User) -> Iterator[Shot]:
    path = f"{SALES}{sale}/whitelist/"
    yield Shot("entrants", f"{path}?email=friend-7@example.com", mei)
    yield Shot("entrants-errors", path, mei, _import_a_bad_file)
    yield Shot("entrants-progress", path, mei, _halfway)


def _type_a_plan(page: Page) -> None:
    opens = timezone.now() + timedelta(days=2)
    page.locator("#id_title").fill("Festoon lights")
    for name, hour in (("opens_at", 10), ("closes_at", 12)):
        page.locator(f"#id_{name}_0").fill(f"{opens:%Y-%m-%d}")
        page.locator(f"#id_{name}_1").fill(f"{hour}:00:00")
    page.locator("#id_min_account_days").fill("30")
    page.locator("#id_rate").fill("200")
    page.locator("#plan-said li").nth(3).wait_for()
    page.keyboard.press("Escape")


def _import_a_bad_file(page: Page) -> None:
    lines = "\n".join(f"ann-{n}@example.com" if n % 5 else f"ann {n}" for n in range(40))
    page.locator("input[type=file]").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": f"email\n{lines}".encode()}
    )
    page.get_by_role("button", name="Import the file").click()
    page.get_by_role("heading", name="Nothing was imported").wait_for()


def _halfway(page: Page) -> None:
    """Answer as an import does that has written 41,000 addresses, and let the form never arrive."""
    told = '{"done": 41000, "total": 100000, "read": 100000}'
    page.route("**/whitelist/progress/", lambda route: route.fulfill(body=told))
    page.evaluate("document.getElementById('import').addEventListener('submit', (e) => e.preventDefault())")
    page.get_by_role("button", name="Import the file").click()
    page.get_by_text("41,000 of 100,000").wait_for()


def _one_look(page: Page) -> None:
    """Stop the page, so that all pictures show the same second."""
    page.get_by_role("button", name="Freeze").click()
    page.mouse.move(0, 0)


def _take(browser: Browser, site: str, shot: Shot) -> None:
    context = browser.new_context(base_url=site, reduced_motion="reduce")
    lend_session(logged_in(shot.user), context, site)
    page = context.new_page()
    page.set_default_timeout(20_000)
    for scheme in SCHEMES:
        # The admin's theme asks for the scheme when a page is opened.
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(_size(1440))
        answer = page.goto(shot.path)
        assert answer is not None
        assert answer.ok, shot.name
        shot.before(page)
        for width in WIDTHS:
            page.set_viewport_size(_size(width))
            page.screenshot(path=FOLDER / f"cockpit-{shot.name}-{width}-{scheme}.png", full_page=True)
    context.close()


def _size(width: int) -> ViewportSize:
    return ViewportSize(width=width, height=WIDTHS[width])
