"""The live channel as a page meets it: a real process, real HTTP, the real stores."""

from collections.abc import Iterator

import pytest

from flashsale import scheduling
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt
from flashsale.tests.gates import running_live
from flashsale.tests.streams import listening

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def live() -> Iterator[str]:
    with running_live() as address:
        yield address


def test_a_stream_begins_with_the_clock_the_state_and_what_is_ones_own(
    live: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(quantity=3), shoppers(1)
    with listening(live, item, ann) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"] == "text/event-stream"
        assert stream.headers["cache-control"] == "no-store"
        events = stream.events()
        hello, state, own = next(events), next(events), next(events)
    assert [hello.name, state.name, own.name] == ["hello", "state", "own"]
    assert 1_000 <= stream.retry <= 5_000
    assert abs(hello.data["now"] - state.data["now"]) < 1_000
    assert (state.data["state"], state.data["items"][0]["free"]) == ("running", 3)
    assert own.data["items"][0]["outcome"] == "none"


def test_state_changes_are_told_to_everybody(live: str, make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, bob) = make_sale(quantity=1), shoppers(2)
    with listening(live, item, ann) as first, listening(live, item, bob) as second:
        for stream in (first, second):
            stream.wait("own")
        scheduling.pause(sale_id=item.sale_id)
        for stream in (first, second):
            assert stream.wait("state").data["state"] == "paused"
        scheduling.resume(sale_id=item.sale_id)
        for stream in (first, second):
            assert stream.wait("state").data["state"] == "running"
        attempt(item, ann)
        assert second.wait("state").data["items"][0]["free"] == 0
        scheduling.close_now(sale_id=item.sale_id)
        assert second.wait("state", state="ended").data["items"][0]["sold_out"]
