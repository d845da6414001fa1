"""Every predicate finds the history in which its promise, and only that, was broken."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.check.events import HistoryError, Writer, from_dict, read
from bench.check.tests.good import NOW, PAY_WITHIN, PRICE, Line, Story, at, good, rebuilt
from bench.check.verdict import PREDICATES, check

Doctor = Callable[[list[Line]], object]


def judge(lines: list[Line]) -> set[str]:
    return {violation.predicate for violation in check([from_dict(line) for line in lines])}


def the(lines: list[Line], op: str, nth: int = 0, **fields: Any) -> Line:
    return [line for line in lines if line["op"] == op and all(line.get(k) == v for k, v in fields.items())][
        nth
    ]


def units(lines: list[Line], nth: int, store: str = "store") -> Line:
    looks = [line["v"] for line in lines if line["op"] == "snapshot" and line["v"]["store"] == store]
    looks[nth]["items"]["7"] = dict(looks[nth]["items"]["7"])
    found: Line = looks[nth]["items"]["7"]
    return found


def told(lines: list[Line], user: int, outcome: str) -> Line:
    return the(lines, "attempt", user=user, outcome=outcome)


def extra(fill: Callable[[Story], None]) -> Doctor:
    """Add lines to a history that was finished, and count the attempts among them."""

    def doctor(lines: list[Line]) -> None:
        story = Story(3)
        fill(story)
        lines += story.lines[1:]
        lines.sort(key=lambda line: line["t"])
        the(lines, "end")["n"] = sum(line["op"] == "attempt" and line["kind"] == "invoke" for line in lines)

    return doctor


def drop(op: str, **fields: Any) -> Doctor:
    return lambda lines: lines.remove(the(lines, op, **fields))


def put(op: str, changes: Line, nth: int = 0, **fields: Any) -> Doctor:
    return lambda lines: the(lines, op, nth, **fields).update(changes)


def within(op: str, nth: int = 0, **fields: Any) -> Doctor:
    """Change what is in `v`; `user` and `rid` choose the line."""
    chosen: dict[str, Any] = {name: fields.pop(name) for name in ("user", "rid") if name in fields}
    return lambda lines: the(lines, op, nth, **chosen)["v"].update(fields)


def swap_tickets(lines: list[Line]) -> None:
    told(lines, 4, "queued")["n"], told(lines, 5, "queued")["n"] = 5, 4


def swap_standby(lines: list[Line]) -> None:
    first, second = the(lines, "record", rid="7-1-4"), the(lines, "record", rid="7-1-5")
    first["n"], second["n"] = 2, 1


def promoted_twice(lines: list[Line]) -> None:
    the(lines, "record", rid="7-1-5")["n"] = 1


def served_early(lines: list[Line]) -> None:
    extra(lambda story: story.ask(1, 20, "queued", n=1))(lines)
    the(lines, "rate")["v"] = {"schedule": [[NOW, 0, 0]]}


def one_more(story: Story) -> None:
    story.reserve(20, 600, 9)
    story.row(20, 605, 9, "held")


def refund_again(story: Story) -> None:
    story.write(11_700, "ok", "refund", rid="7-1-4", id="p3", amount=PRICE)


def pay_for_nothing(story: Story) -> None:
    story.write(9000, "ok", "webhook", rid="7-1-3", id="p9", amount=PRICE)


def sold_in_a_pause(story: Story) -> None:
    story.reserve(20, 6490, 9)
    story.reserve(21, 6500, 10)


DOCTORED: list[tuple[str, str, Doctor]] = [
    ("I1", "free off by one", lambda lines: units(lines, 0).update(free=1)),
    ("I1", "free less and held more by one", lambda lines: units(lines, 0).update(free=-1, held=3)),
    ("I2", "a reservation in one store only", lambda lines: units(lines, -1).update(live={"7-1-9": "5 1"})),
    ("I2", "a mail that was never sent", within("snapshot", -2, outbox=1)),
    ("I3", "one more was told than there are", extra(one_more)),
    ("I4", "acknowledged, no row", extra(lambda story: story.reserve(20, 600, 9))),
    ("I4", "ended untold", drop("mail", outcome="expired")),
    ("I4", "displaced without a loss", put("record", {"outcome": "displaced"}, rid="7-1-3")),
    ("I5", "a row from nowhere", extra(lambda story: story.row(30, 700, 9, "cancelled", 800))),
    ("I5", "a row before its attempt", within("record", reserved=NOW, recorded=NOW, user=2)),
    ("I6", "two names at once", put("record", {"user": 1}, rid="7-1-3")),
    ("I6", "the deadline moved by a second", put("attempt", {"pay_by": NOW + 11_035}, 1, rid="7-1-1")),
    ("I7", "a blocked shopper wins", put("attempt", {"v": {"pass": "blocked"}}, user=2, kind="invoke")),
    ("I7", "a pass of a rehearsal wins", put("attempt", {"v": {"pass": "rehearsal"}}, user=3, kind="invoke")),
    ("I8", "swapped numbers", swap_tickets),
    ("I8", "two numbers", extra(lambda story: story.ask(4, 250, "queued", n=6))),
    ("I8", "one number for two", put("attempt", {"n": 4}, user=5, outcome="queued")),
    ("I8", "served early", served_early),
    ("I9", "free while somebody stands by", lambda lines: units(lines, 0).update(free=1, paid=0)),
    ("I9", "promoted out of order", swap_standby),
    ("I9", "one place promoted twice", promoted_twice),
    ("I10", "a unit owned twice", within("record", ended=NOW + 2100, rid="7-1-2")),
    ("I10", "released twice", extra(lambda story: story.write(2100, "ok", "release", rid="7-1-2"))),
    ("I11", "paid and expired", extra(lambda story: story.write(9000, "ok", "release", rid="7-1-1"))),
    ("I11", "sent back twice", extra(refund_again)),
    ("I11", "charged, not told", drop("mail", outcome="refunded")),
    ("I11", "paid and nothing", extra(pay_for_nothing)),
    ("I12", "one attempt lost", drop("attempt", user=8)),
    ("I12", "no such outcome", put("attempt", {"outcome": "sold"}, outcome="sold_out")),
    ("I12", "the gates counted others", within("snapshot", -1, counters={"sold_out": 9})),
    ("I13", "two mails without a crash", drop("fault", kind="invoke")),
    ("I13", "two names of one mail", put("mail", {"msgid": "<other>"}, 1, outcome="reserved")),
    ("I13", "sold after expired", extra(lambda story: story.mail(11_000, "7-1-3", "paid"))),
    ("I14", "expired a second early", within("record", ended=NOW + 9500, rid="7-1-3")),
    ("I14", "expired late", within("record", ended=NOW + 23_500, rid="7-1-3")),
    ("I15", "the sequence fell by itself", put("status", {"seq": 1}, 3)),
    ("I16", "sold during a pause", extra(sold_in_a_pause)),
    ("I17", "nobody is answered after the heal", put("attempt", {"t": at(12_400)}, user=9, kind="invoke")),
    ("I17", "a reservation waits for its row", within("snapshot", -2, oldest_ms=6000)),
    ("I18", "sold out with units free", extra(lambda story: story.ask(12, 1, "sold_out"))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("predicate", "doctor"), [(p, d) for p, _, d in DOCTORED], ids=[f"{p}: {n}" for p, n, _ in DOCTORED]
)
def test_a_doctored_history_is_rejected(predicate: str, doctor: Doctor) -> None:
    lines = good()
    doctor(lines)
    assert predicate in judge(lines)


def test_every_predicate_has_a_doctored_history() -> None:
    assert {predicate for predicate, *_ in DOCTORED} == set(PREDICATES)


@pytest.mark.parametrize("make", [good, rebuilt])
def test_a_good_history_is_accepted(make: Callable[[], list[Line]]) -> None:
    assert check([from_dict(line) for line in make()]) == []


def sold_on(lines: list[Line]) -> None:
    the(lines, "status", 1).update(epoch=1, seq=3)
    lines.remove(the(lines, "rebuild"))


def swap_displaced(lines: list[Line]) -> None:
    for op in ("record", "promote"):
        first, second = the(lines, op, rid="7-1-3"), the(lines, op, rid="7-1-4")
        first["n"], second["n"] = 2, 1


REBUILT: list[tuple[str, str, Doctor]] = [
    ("I15", "sales go on though the sequence fell", sold_on),
    ("I15", "an old entry was recorded late", put("record", {"outcome": "held"}, rid="7-1-2")),
    ("I15", "the epoch did not grow", put("rebuild", {"epoch": 1})),
    ("I4", "displaced before the loss", within("record", recorded=NOW + 300, rid="7-1-2")),
    ("I9", "displaced promotions were out of order", swap_displaced),
    ("I9", "a displaced promotion was another place's", put("promote", {"n": 2}, rid="7-1-3")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("predicate", "doctor"), [(p, d) for p, _, d in REBUILT], ids=[n for _, n, _ in REBUILT]
)
def test_a_doctored_rebuild_is_rejected(predicate: str, doctor: Doctor) -> None:
    lines = rebuilt()
    doctor(lines)
    assert predicate in judge(lines)


def an_older_copy(lines: list[Line]) -> None:
    """The copy was taken before place 1 was given to 5; it is put back later, and 7 gets that place."""
    the(lines, "fault", kind="invoke")["t"] = at(200)
    extra(lambda story: story.ask(7, 3080, "standby", n=1))(lines)


def test_a_place_that_an_older_copy_gives_again_is_told_from_one_given_twice() -> None:
    lines = rebuilt()
    an_older_copy(lines)
    assert "I8" in judge(lines), "the store was never down: nothing was put back"
    extra(lambda story: story.fault(3050, 3060, "store"))(lines)
    assert "I8" not in judge(lines)


def test_an_empty_history_proves_nothing() -> None:
    with pytest.raises(HistoryError, match="empty"):
        check([])


def test_a_history_of_unknown_answers_only_proves_nothing() -> None:
    story = Story(3)
    story.ask(1, 10)
    story.ask(2, 10, "paused")
    with pytest.raises(HistoryError, match="definite"):
        judge(story.finish())


def test_a_history_that_was_cut_off_proves_nothing() -> None:
    with pytest.raises(HistoryError, match="cut off"):
        judge([line for line in good() if line["op"] != "end"])


def test_what_is_written_is_read_in_the_order_of_time_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    for name in ("a", "b"):
        writer = Writer(tmp_path / name, run="r", seed=1, proc=name)
        writer.write("invoke", "attempt", id=name, t=5 if name == "a" else 4)
        writer.close()
    with (tmp_path / "a").open("a") as file:
        file.write('{"t": 9, "ki')
    assert [event.id for event in read([tmp_path / "a", tmp_path / "b"])] == ["b", "a"]


@pytest.mark.parametrize(
    "line", [{"t": 1}, {"t": "1", "kind": "ok", "op": "pay"}, {"t": 1, "kind": "ok", "op": "eat"}]
)
def test_a_line_that_nobody_writes_is_refused(line: Line) -> None:
    with pytest.raises(HistoryError):
        from_dict(line)


def test_a_deadline_is_the_moment_plus_the_time_to_pay() -> None:
    assert the(good(), "record", rid="7-1-1")["pay_by"] == NOW + 35 + PAY_WITHIN
