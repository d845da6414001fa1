"""The plan for big tables, run: mail is parted by month while the shop writes it, and nothing is lost."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from django.conf import settings
from django.db import connection, transaction

from shop.orders import outbox
from shop.orders.models import OutboxMail
from shop.orders.outbox import Letter

pytestmark = pytest.mark.django_db(transaction=True)
PLAN = (settings.BASE_DIR / "docs/partitioning/mail.sql").read_text()
STEPS = dict(re.findall(r"^-- step: (\w+)\n(.*?)(?=^-- step: |\Z)", PLAN, re.MULTILINE | re.DOTALL))
MONTHS, A_MONTH = 3, 300
PAST = f"""
INSERT INTO orders_outboxmail
    (ref, kind, "to", language, context, status, attempts, next_try_at, error, created_at)
SELECT 'past-' || n, 'paid', 'ann@example.com', 'en', '{{}}', 'sent', 1, now(), '',
    now() - interval '1 month' * (n % {MONTHS})
FROM generate_series(1, {MONTHS * A_MONTH}) AS n"""  # noqa: S608


def run(statements: str) -> list[tuple[object, ...]]:
    """Run statements in one transaction; return the rows of the last one that has some."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(statements.replace("%", "%%"), [])
        return cursor.fetchall() if cursor.description else []


def here() -> None:
    """Let this thread's connection find the scratch table instead of the shop's."""
    with connection.cursor() as cursor:
        cursor.execute("SET search_path TO scratch, public")


@pytest.fixture
def _scratch() -> Iterator[None]:
    """An outbox of three months in a schema of its own, exactly like the shop's."""
    run(
        "CREATE SCHEMA scratch; CREATE TABLE scratch.orders_outboxmail (LIKE orders_outboxmail INCLUDING ALL)"
    )
    here()
    run(PAST)
    yield
    run("DROP SCHEMA scratch CASCADE; SET search_path TO DEFAULT")


def put(ref: str) -> None:
    outbox.put_all([Letter(ref=ref, kind="paid", to="bob@example.com")])


def write(round_: int) -> None:
    """What the shop does with its mail: write, write again, send, move a day, delete."""
    put(f"new-{round_}")
    put(f"new-{round_}")
    put(f"past-{round_ % (MONTHS * A_MONTH) + 1}")
    ids = list(OutboxMail.objects.order_by("pk").values_list("pk", flat=True)[:: 97 + round_ % 7])
    outbox.send_again(ids=ids[round_ % 3 :: 5])
    OutboxMail.objects.filter(pk=ids[-1]).update(status="parked", error="mailbox full")
    OutboxMail.objects.filter(ref=f"new-{round_ - 5}").delete()


@contextmanager
def writing() -> Iterator[Callable[[], int]]:
    """Write beside the test; yields how many rounds there were."""
    is_over, rounds, faults = Event(), [0], list[Exception]()

    def go_on() -> None:
        here()
        try:
            while not is_over.is_set():
                write(rounds[0])
                rounds[0] += 1
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    thread = Thread(target=go_on)
    thread.start()
    try:
        yield lambda: rounds[0]
    finally:
        is_over.set()
        thread.join()
    assert faults == []


def copy_all() -> None:
    after: object = 0
    while after is not None:
        ((after,),) = run(STEPS["copy"].replace(":after", str(after)).replace("LIMIT 5000", "LIMIT 100"))


def count(where: str) -> int:
    ((number,),) = run(f"SELECT count(*) FROM {where}")  # noqa: S608
    assert isinstance(number, int)
    return number


@pytest.mark.usefixtures("_scratch")
def test_mail_is_parted_by_month_while_the_shop_writes_it() -> None:
    with writing() as rounds:
        run(STEPS["prepare"])
        copy_all()
        assert run(STEPS["compare"]) == []
        run(STEPS["swap"])
        seen = rounds()
        while rounds() < seen + 10:  # the same code goes on with the new table
            pass
    assert count("orders_outboxmail_rest") == 0
    assert count("(SELECT FROM orders_outboxmail GROUP BY ref, kind HAVING count(*) > 1) AS twice") == 0
    assert count("orders_outboxmail WHERE ref LIKE 'past-%'") == MONTHS * A_MONTH  # none lost, moved or not
    assert count("(SELECT FROM orders_outboxmail GROUP BY id HAVING count(*) > 1) AS twice") == 0
    assert count(f"orders_outboxmail WHERE ref = 'new-{rounds() - 1}'") == 1
    plan = run("EXPLAIN SELECT FROM orders_outboxmail WHERE created_at < now() - interval '45 days'")
    assert "orders_outboxmail_rest" not in str(plan[:1])
    oldest = run("SELECT min(tableoid::regclass::text) FROM orders_outboxmail")[0][0]
    before, in_it = count("orders_outboxmail"), count(str(oldest))
    run(f"ALTER TABLE orders_outboxmail DETACH PARTITION {oldest}")  # a month goes at once
    assert count("orders_outboxmail") == before - in_it


@pytest.mark.usefixtures("_scratch")
def test_control_without_the_trigger_a_copy_under_writes_differs() -> None:
    run(STEPS["prepare"])
    run("DROP TRIGGER mirror ON orders_outboxmail")
    copy_all()
    write(1)
    assert run(STEPS["compare"]) != []


@pytest.mark.usefixtures("_scratch")
def test_control_a_moved_mail_is_lost_where_its_number_is_not_looked_at() -> None:
    run(STEPS["prepare"])
    copy_all()
    run(re.sub(r" OR EXISTS \(.*?\n    \)", "", STEPS["swap"], flags=re.DOTALL))
    before = count("orders_outboxmail")
    old = OutboxMail.objects.order_by("created_at").values_list("pk", flat=True)[:3]
    outbox.send_again(ids=list(old))
    assert count("orders_outboxmail") < before
