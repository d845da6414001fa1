"""I12, I13: every attempt has one outcome, every mail is one mail."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from bench.check.history import UNSURE, History

OUTCOMES = UNSURE | {"reserved", "queued", "standby", "sold_out", "not_open", "ended"}
OUTCOMES |= {"slow_down", "full", "refused"}
ENDINGS = frozenset({"paid", "expired", "cancelled", "displaced", "refused"})
CRASHES = ("worker", "smtp", "postgres", "network")


def one_outcome_each(history: History) -> Iterator[str]:
    """I12. Every attempt ends in one named outcome; what the gates counted is what the shoppers counted."""
    told: Counter[str] = Counter()
    for call in history.attempts:
        outcome = call.end.outcome if call.end else "unknown"
        told[outcome] += 1
        if outcome not in OUTCOMES:
            yield f"{call.invoke.user} was told {outcome!r}, which is no outcome"
        if call.end and (call.end.kind == "ok") != (outcome not in UNSURE):
            yield f"{call.invoke.user} was told {outcome} as {call.end.kind}"
        if call.end and outcome == "reserved" and not (call.end.rid and call.end.pay_by):
            yield f"{call.invoke.user} was told reserved without a name or a deadline"
    sent = sum(event.kind == "invoke" for event in history.of["attempt"])
    claimed = [event.n for event in history.of["end"]]
    if claimed != [sent]:
        yield f"the clients say that they asked {claimed} times, the history holds {sent}"
    yield from _counters(history, told)


def _counters(history: History, told: Counter[str]) -> Iterator[str]:
    unsure = sum(count for outcome, count in told.items() if outcome in UNSURE)
    counted = [event.v for event in history.of["snapshot"] if event.v["store"] == "gates"]
    for outcome, count in (pair for v in counted if v["complete"] for pair in v["counters"].items()):
        if abs(count - told[outcome]) > unsure:
            yield f"the gates counted {outcome} {count} times, the shoppers {told[outcome]} times"


def one_mail_each(history: History) -> Iterator[str]:
    """I13. One Message-ID a mail; twice only across a crash; never the opposite of what was said before."""
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    sent: dict[tuple[str, str], int] = {}
    owners: dict[str, tuple[str, str]] = {}
    for event in sorted(history.of["mail"], key=lambda event: event.t):
        key = event.v.get("payment") or event.rid, event.outcome
        names[key].add(event.msgid)
        if owners.setdefault(event.msgid, key) != key:
            yield f"{event.msgid} names two mails: {owners[event.msgid]} and {key}"
        if key in sent and not history.faults_between(sent[key], event.t, *CRASHES):
            yield f"{key} was sent twice without a crash between"
        sent[key] = event.t
    yield from (f"{key} has the names {sorted(found)}" for key, found in names.items() if len(found) > 1)
    yield from _opposites(history)


def _opposites(history: History) -> Iterator[str]:
    kinds: dict[str, set[str]] = defaultdict(set)
    for event in history.of["mail"]:
        kinds[event.rid].add(event.outcome)
    for rid, told in kinds.items():
        row = history.rows.get(rid)
        if row is None:
            yield f"a mail speaks of {rid}, which does not exist"
        elif told & ENDINGS - {row.status}:
            yield f"{rid} was told {sorted(told & ENDINGS)}, and is {row.status}"
