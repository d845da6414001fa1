"""The gate as its callers see it: a real process, real HTTP, the real store."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from django_redis import get_redis_connection

from flashsale import scheduling, stock
from flashsale.passes import Signer
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt
from flashsale.tests.gates import a_pass, ask, attempt_at, bearer, running_gate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def gate() -> Iterator[str]:
    with running_gate() as address:
        yield address


def test_the_first_answer_is_created_and_every_later_one_the_same(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    headers = bearer(a_pass(item, ann))
    (first, told, _), (again, told_again, _) = (
        attempt_at(gate, item, headers),
        attempt_at(gate, item, headers),
    )
    assert (first, again) == (201, 200)
    assert told["outcome"] == told_again["outcome"] == "reserved"
    assert (told["reservation"], told["pay_by"]) == (told_again["reservation"], told_again["pay_by"])


def test_each_outcome_has_its_status(gate: str, make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, crowd = make_sale(quantity=1, standby_size=1), shoppers(3)
    answers = [attempt_at(gate, item, bearer(a_pass(item, user))) for user in crowd]
    assert [(status, told["outcome"]) for status, told, _ in answers] == [
        (201, "reserved"),
        (202, "standby"),
        (409, "sold_out"),
    ]
    assert answers[1][1]["position"] == 1


@pytest.mark.parametrize(
    ("fields", "status", "outcome"),
    [
        ({"opens_at": timedelta(minutes=5)}, 425, "not_open"),
        ({"opens_at": timedelta(minutes=-9), "closes_at": timedelta(minutes=-5)}, 410, "ended"),
    ],
)
def test_outside_its_hours_a_sale_says_so(
    gate: str,
    make_sale: MakeSale,
    shoppers: MakeShoppers,
    fields: dict[str, timedelta],
    status: int,
    outcome: str,
) -> None:
    item = make_sale(**{name: timezone.now() + delta for name, delta in fields.items()})
    headers = bearer(a_pass(item, *shoppers(1)))
    for _ in range(3):  # first from the store, then from the gate's memory
        found, told, _ = attempt_at(gate, item, headers)
        assert (found, told["outcome"]) == (status, outcome)


def test_paused_tells_when_to_come_back_and_resumes_at_once(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    headers = bearer(a_pass(item, ann))
    scheduling.pause(sale_id=item.sale_id)
    status, told, answer_headers = attempt_at(gate, item, headers)
    assert (status, told["outcome"], answer_headers["retry-after"]) == (503, "paused", "2")
    scheduling.resume(sale_id=item.sale_id)
    time.sleep(0.1)
    assert attempt_at(gate, item, headers)[0] == 201


@pytest.mark.parametrize(
    "what", ["none", "forged", "expired", "other sale", "other key", "receipt", "truncated"]
)
def test_without_a_good_pass_nobody_attempts(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers, what: str
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    good, signer = a_pass(item, ann), Signer(settings.PASS_KEYS)
    tokens = {
        "none": "",
        "forged": good.replace(f".{ann.pk}.", f".{ann.pk + 1}."),
        "expired": a_pass(item, ann, expires_in=-1),
        "other sale": signer.issue(sale=item.sale_id + 1, user=ann.pk, expires_at=int(time.time()) + 60),
        "other key": a_pass(item, ann, keys=["somebody else's key"]),
        "receipt": signer.receipt(sale=item.sale_id, rid="1-1-1", user=ann.pk, pay_by=int(time.time()) + 60),
        "truncated": good[:-1],
    }
    status, told, _ = attempt_at(gate, item, bearer(tokens[what]))
    assert (status, told["outcome"]) == (403, "refused")
    assert stock.run(stock.members(item.sale_id, item.pk)).holders == {}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Origin": "http://{host}"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({}, 403),
    ],
)
def test_a_pass_in_a_cookie_counts_only_from_our_own_pages(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers, headers: dict[str, str], status: int
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    sent = {name: value.format(host=gate.removeprefix("http://")) for name, value in headers.items()}
    cookie = {"Cookie": f"theme=dark; {settings.PASS_COOKIE}={a_pass(item, ann)}"}
    assert attempt_at(gate, item, cookie | sent)[0] == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/gate/clock", 200),
        ("HEAD", "/gate/clock", 200),
        ("POST", "/gate/clock", 405),
        ("GET", "/gate/sales/1/items/1/attempt", 405),
        ("GET", "/gate/sales/999999", 404),
        ("GET", "/gate/sales/%2e%2e", 404),
        ("POST", "/gate/sales/99999999999999999999/items/1/attempt", 404),
        ("POST", "/gate/sales/one/items/two/attempt", 404),
        ("GET", "/gate/", 404),
        ("GET", "/gate/metrics", 200),
    ],
)
def test_odd_requests_get_a_plain_answer(gate: str, method: str, path: str, status: int) -> None:
    assert ask(gate, method, path)[0] == status


def test_a_foreign_host_is_not_served() -> None:
    with running_gate(ALLOWED_HOSTS="shop.example") as strict:
        assert ask(strict, "GET", "/gate/clock", {"Host": "evil.example"})[0] == 400
        assert ask(strict, "GET", "/gate/clock", {"Host": "shop.example"})[0] == 200


def test_the_status_document_is_public_and_cacheable_for_a_second(gate: str, make_sale: MakeSale) -> None:
    item = make_sale(quantity=7)
    status, headers, body = ask(gate, "GET", f"/gate/sales/{item.sale_id}")
    told = json.loads(body)
    assert (status, headers["cache-control"]) == (200, "public, max-age=1, stale-while-revalidate=1")
    assert (told["state"], told["items"][0]["free"], told["items"][0]["sold_out"]) == ("running", 7, False)


def test_the_clock_is_the_stores(gate: str) -> None:
    told = json.loads(ask(gate, "GET", "/gate/clock")[2])["now"]
    seconds, micro = get_redis_connection("sale").time()
    assert abs(seconds * 1000 + micro // 1000 - told) < 1000


def calls_of(function: str) -> int:
    return sum(
        row["calls"]
        for name, row in get_redis_connection("sale").info("commandstats").items()
        if name == function
    )


def test_refusals_after_the_sell_out_cost_the_store_nothing(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben, *crowd) = make_sale(quantity=1), shoppers(42)
    attempt_at(gate, item, bearer(a_pass(item, ann)))
    attempt_at(gate, item, bearer(a_pass(item, ben)))
    time.sleep(0.2)
    before = calls_of("cmdstat_fcall")
    for user in crowd:
        assert attempt_at(gate, item, bearer(a_pass(item, user)))[1]["outcome"] == "sold_out"
    assert calls_of("cmdstat_fcall") == before
    assert attempt_at(gate, item, bearer(a_pass(item, ann)))[1]["outcome"] == "reserved"


def test_a_unit_that_comes_back_is_known_within_a_tenth_of_a_second(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1), shoppers(2)
    rid = attempt_at(gate, item, bearer(a_pass(item, ann)))[1]["reservation"]
    assert attempt_at(gate, item, bearer(a_pass(item, ben)))[0] == 409
    time.sleep(0.2)
    assert attempt_at(gate, item, bearer(a_pass(item, ben)))[0] == 409
    stock.run(stock.release(item.sale_id, item.pk, user=ann.pk, rid=rid))
    time.sleep(0.1)
    assert attempt_at(gate, item, bearer(a_pass(item, ben)))[0] == 201


def test_store_that_forgets_is_paused(gate: str, make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, crowd = make_sale(quantity=9), shoppers(4)
    before = scheduling.document(item.sale)
    for user in crowd[:3]:
        attempt_at(gate, item, bearer(a_pass(item, user)))
    get_redis_connection("sale").flushdb()
    stock.run(stock.load(item.sale_id, before))  # an old backup: the same epoch, a lower sequence
    assert attempt(item, crowd[0])[0].first
    attempt_at(gate, item, bearer(a_pass(item, crowd[3])))
    assert attempt_at(gate, item, bearer(a_pass(item, crowd[3])))[1]["outcome"] == "paused"


def test_more_attempts_than_a_minute_allows_are_told_when_to_return(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    with running_gate(ATTEMPTS_PER_MINUTE="2") as strict:
        answers = [attempt_at(strict, item, bearer(a_pass(item, ann))) for _ in range(3)]
    assert [status for status, _, _ in answers] == [201, 200, 429]
    assert 1 <= int(answers[2][2]["retry-after"]) <= 60


def test_every_attempt_is_counted_under_one_outcome(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, crowd = make_sale(quantity=1, standby_size=1), shoppers(3)
    with running_gate() as fresh:
        for user in crowd:
            attempt_at(fresh, item, bearer(a_pass(item, user)))
        attempt_at(fresh, item, {})
        text = ask(fresh, "GET", "/gate/metrics")[2].decode()
    counts = [line for line in text.splitlines() if line.startswith("flashsale_attempts_total")]
    assert counts == [
        f'flashsale_attempts_total{{outcome="{name}"}} 1'
        for name in ("refused", "reserved", "sold_out", "standby")
    ]


def test_a_store_that_may_forget_sells_nothing(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    with running_gate(REDIS_URL=settings.CACHE_URL) as careless:
        status, told, _ = attempt_at(careless, item, bearer(a_pass(item, ann)))
    assert (status, told["outcome"]) == (503, "paused")


def test_beyond_its_bound_the_gate_answers_full(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    with running_gate(GATE_MAX_IN_FLIGHT="0") as small:
        status, told, headers = attempt_at(small, item, bearer(a_pass(item, ann)))
    assert (status, told["outcome"]) == (503, "full")
    assert headers["retry-after"] in ("1", "2")


def test_a_page_full_of_pollers_asks_the_store_once_a_second(gate: str, make_sale: MakeSale) -> None:
    item = make_sale()
    before, started = calls_of("cmdstat_fcall_ro"), time.monotonic()
    for _ in range(60):
        assert ask(gate, "GET", f"/gate/sales/{item.sale_id}")[0] == 200
    assert calls_of("cmdstat_fcall_ro") - before <= 2 * (time.monotonic() - started) + 4
