"""The page on which newcomers wait at the edge while the gate is full, in a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.edges import eventually, needs_nginx, running_edge
from flashsale.tests.gates import a_pass, ask, attempt_at, bearer, running_gate

pytestmark = [needs_nginx, pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def full_edge(site: str) -> Iterator[str]:
    """An edge whose gate holds nobody: it is full as soon as somebody presses."""
    with running_gate(GATE_MAX_IN_FLIGHT="0") as gate, running_edge(gate=gate, web=site) as edge:
        yield edge


def test_the_page_says_why_one_waits_and_goes_on_by_itself(
    full_edge: str, page: Page, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    address = item.sale.get_absolute_url()
    assert attempt_at(full_edge, item, bearer(a_pass(item, ann)))[1]["outcome"] == "full"
    eventually(lambda: ask(full_edge, "GET", address)[0] == 503)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{full_edge}{address}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Many people are coming in")
    # Nobody touches the page: it asks whether there is room, and is the sale's page as soon as there is.
    expect(page.get_by_role("heading", name=item.sale.title)).to_be_visible(timeout=30_000)
    assert f"{full_edge}/edge/room" in asked
