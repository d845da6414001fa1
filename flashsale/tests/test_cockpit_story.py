"""The whole story of a sale in the cockpit, in a browser: plan, list, rehearse, run, report; all clean."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.groups import ensure_groups
from accounts.models import User
from flashsale import sampling, stock
from flashsale.models import Rehearsal, Sale, SaleItem
from flashsale.rehearsal import kept, playing
from flashsale.tests.browsing import findings
from flashsale.tests.conftest import Visit, pay, win

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mei(transactional_db: None) -> User:
    ensure_groups()
    user = User.objects.create_user("mei@example.com", is_staff=True)
    user.groups.set(user.groups.model.objects.filter(name="merchandiser"))
    return user


def looked_at(page: Page) -> list[str]:
    """Return what axe finds in the part that is ours; pictures of it are made by `make screenshots`."""
    return findings(page, within=".cockpit")


def plan(page: Page, sales: str, item: SaleItem, tmp_path: Path) -> None:
    page.goto(f"{sales}{item.sale_id}/change/")
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    page.locator("#id_rate").fill("200")
    expect(page.get_by_text("At 200 a second the last of 5,000 waiting")).to_be_visible()
    assert looked_at(page) == []
    page.get_by_role("button", name="Save", exact=True).click()
    file = tmp_path / "list.csv"
    file.write_text("email\n" + "\n".join(f"shopper{n}@example.com" for n in range(200)))
    page.goto(f"{sales}{item.sale_id}/whitelist/")
    page.locator("input[type=file]").set_input_files(file)
    assert looked_at(page) == []
    page.get_by_role("button", name="Import the file").click()
    expect(page.get_by_text("200 addresses are new on the list.").first).to_be_visible()
    page.goto(f"{sales}calendar/")
    expect(page.get_by_role("link", name=item.sale.title).first).to_be_visible()
    assert looked_at(page) == []


def played(rehearsal: int) -> None:
    """Do what the worker does."""
    with closing(connection):
        kept.play(rehearsal)


def rehearse(page: Page, sales: str, item: SaleItem, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page.goto(f"{sales}{item.sale_id}/rehearse/")
    for name, value in {"shoppers": "60", "seconds": "6"}.items():
        page.locator(f"#id_{name}").fill(value)
    page.get_by_role("button", name="Rehearse it").click()
    expect(page.get_by_text("0 of 60 shoppers are done.")).to_be_visible()
    monkeypatch.setattr(playing, "own_gate", lambda: site)
    monkeypatch.setattr(playing, "AFTER", 3.0)
    worker = Thread(target=played, args=[Rehearsal.objects.get().pk])  # the browser's loop runs in this one
    worker.start()
    worker.join()
    page.reload()
    expect(page.get_by_text("both stores agree and nothing was sold twice")).to_be_visible()
    assert looked_at(page) == []


def run(page: Page, sales: str, item: SaleItem, crowd: list[User]) -> None:
    page.goto(f"{sales}{item.sale_id}/schedule/")
    page.get_by_role("button", name="Schedule, take the units out of ordinary stock").click()
    page.goto(f"{sales}{item.sale_id}/open/")
    page.get_by_role("button", name="Open it now").click()
    expect(page.get_by_text("is open since").first).to_be_visible()
    sampling.take()
    rids = win(item, *crowd[:3])
    stock.run(stock.count(item.sale_id, {"reserved": 3}, [user.pk for user in crowd[:3]]))
    sampling.take()
    expect(page.get_by_text("= free 7 + held 3 + paid 0")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("was paused at").first).to_be_visible()
    page.get_by_role("link", name="Resume…").click()
    page.get_by_role("button", name="Resume the sale").click()
    expect(page.get_by_text("goes on.").first).to_be_visible()
    page.get_by_role("link", name="Change the rate…").click()
    page.locator("#id_rate").fill("300")
    page.get_by_role("button", name="Show what follows").click()
    page.get_by_role("button", name="Serve 300 a second, not 200 a second").click()
    page.goto(f"{sales}{item.sale_id}/end/")
    later = timezone.now() + timedelta(hours=9)
    page.locator("#id_closes_at_0").fill(f"{later:%Y-%m-%d}")
    page.locator("#id_closes_at_1").fill(f"{later:%H:%M:%S}")
    page.locator("#id_closes_at_1").press("Escape")
    page.get_by_role("button", name="Move the end").click()
    expect(page.get_by_text("ends ").first).to_be_visible()
    pay(rids[0])
    expect(page.get_by_text("+ held 2 + paid 1")).to_be_visible()
    assert looked_at(page) == []


def test_a_sale_from_plan_to_report(
    visit: Visit,
    site: str,
    mei: User,
    make_sale: Callable[..., SaleItem],
    shoppers: Callable[[int], list[User]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = timezone.now()
    cache.clear()
    item = make_sale(
        scheduled=False, quantity=10, opens_at=now + timedelta(hours=1), closes_at=now + timedelta(hours=3)
    )
    page, sales = visit(mei), f"{site}/admin/flashsale/sale/"
    page.set_viewport_size({"width": 1440, "height": 900})
    plan(page, sales, item, tmp_path)
    rehearse(page, sales, item, site, monkeypatch)
    run(page, sales, item, shoppers(3))
    page.goto(f"{sales}{item.sale_id}/report/")
    expect(page.get_by_role("rowheader", name="came in")).to_be_visible()
    assert looked_at(page) == []
    page.goto(f"{sales}log/")
    expect(page.get_by_text("200 a second").first).to_be_visible()
    assert looked_at(page) == []
    assert Sale.objects.count() == 1
