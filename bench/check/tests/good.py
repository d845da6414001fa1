"""Histories in which every promise is kept, to be doctored by the tests."""

from typing import Any

from bench.check.events import MS

NOW = 1_700_000_000_000
"""The servers' clock (ms) when the history begins, and its own (ns)."""
T0 = 1000 * 10**9
ITEM, PRICE, PAY_WITHIN = 7, 4900, 10_000
Line = dict[str, Any]


def at(ms: int) -> int:
    """The history's clock (ns), so many ms after its beginning."""
    return T0 + ms * MS


class Story:
    """Collects lines; all times are ms after the beginning."""

    def __init__(self, quantity: int) -> None:
        self.lines: list[Line] = []
        items = {str(ITEM): {"quantity": quantity, "price": PRICE, "limit": 1}}
        v = {"items": items, "now": NOW, "opens_at": NOW, "closes_at": NOW + 60_000, "pay_within": PAY_WITHIN}
        self.write(0, "ok", "sale", epoch=1, v=v)

    def write(self, ms: int, kind: str, op: str, **fields: Any) -> None:
        """Add one line."""
        item = {"item": ITEM} if op in ("attempt", "record") else {}
        self.lines.append({"t": at(ms), "kind": kind, "op": op, **item, **fields})

    def ask(self, user: int, ms: int, outcome: str = "", *, probe: bool = False, **told: Any) -> None:
        """One attempt, answered 10 ms later; without an outcome it is never answered."""
        name = f"a{user}-{ms}"
        kind = "info" if outcome in ("paused", "lost") else "ok"
        v = {"pass": "forged" if outcome == "refused" else "good", "probe": probe}
        self.write(ms, "invoke", "attempt", id=name, user=user, proc=f"client-{user}", v=v)
        if outcome:
            self.write(
                ms + 10, kind, "attempt", id=name, user=user, proc=f"client-{user}", outcome=outcome, **told
            )

    def reserve(self, user: int, ms: int, number: int, *, epoch: int = 1) -> None:
        """One attempt that wins a unit 5 ms after it was sent."""
        pay_by = NOW + ms + 5 + PAY_WITHIN
        rid = f"{ITEM}-{epoch}-{number}"
        self.ask(user, ms, "reserved", rid=rid, pay_by=pay_by, v={"first": True})

    def row(
        self,
        user: int,
        ms: int,
        number: int,
        status: str,
        ended: int = 0,
        *,
        recorded: int = 200,
        standby: int = 0,
        epoch: int = 1,
    ) -> None:
        """A reservation made at `ms`, recorded so many ms later, and what became of it."""
        rid = f"{ITEM}-{epoch}-{number}"
        v: dict[str, int] = {"reserved": NOW + ms, "recorded": NOW + ms + recorded}
        v |= {"ended": NOW + ended, "told": NOW + ended + 1} if ended else {}
        pay_by = NOW + ms + PAY_WITHIN
        fields = {"rid": rid, "user": user, "epoch": epoch, "pay_by": pay_by, "outcome": status, "n": standby}
        self.write(13_500, "ok", "record", v=v, **fields)
        if status in ("expired", "cancelled", "refused"):
            self.write(ended + 1, "ok", "release", rid=rid)
        if status != "held":
            self.mail(ended + 300, rid, status)

    def mail(self, ms: int, rid: str, kind: str, payment: str = "") -> None:
        """A mail that was sent."""
        name = f"<{payment or rid}.{kind}@shop>"
        self.write(ms, "ok", "mail", rid=rid, outcome=kind, msgid=name, v={"payment": payment})

    def look(self, ms: int, live: dict[str, str], standby: dict[str, int], paid: int, quantity: int) -> None:
        """Both stores at one time, telling the same."""
        units = {"free": quantity - len(live) - paid, "held": len(live), "paid": paid, "returned": 0}
        items = {str(ITEM): {**units, "live": live, "standby": standby}}
        final = ms > 12_000
        self.write(ms, "ok", "snapshot", v={"store": "store", "final": final, "items": items})
        rest = {"backlog": 0, "outbox": 0, "untold": 0, "oldest_ms": 0}
        self.write(ms, "ok", "snapshot", v={"store": "rows", "final": final, "items": items, **rest})

    def fault(self, ms: int, until: int, component: str, *, destroys: bool = False) -> None:
        """A fault and its end."""
        v = {"component": component, "destroys": destroys}
        self.write(ms, "invoke", "fault", id=f"f{ms}", outcome=f"kill {component}", v=v)
        self.write(until, "ok", "fault", id=f"f{ms}", outcome=f"kill {component}", v=v)

    def finish(self) -> list[Line]:
        """Heal, count and return the lines in the order of their times."""
        self.write(12_500, "ok", "heal")
        sent = sum(line["op"] == "attempt" and line["kind"] == "invoke" for line in self.lines)
        self.write(14_000, "ok", "end", n=sent)
        return sorted(self.lines, key=lambda line: line["t"])


def good() -> list[Line]:
    """Three units: one paid, one given back and paid by standby, one expired and held by standby."""
    story = Story(3)
    story.write(1, "ok", "rate", v={"schedule": [[NOW, 3, 2]]})
    for user in (1, 2, 3):
        story.reserve(user, 10 + 20 * user, user)
    story.ask(1, 150, "reserved", rid="7-1-1", pay_by=NOW + 35 + PAY_WITHIN, v={"first": False})
    story.ask(4, 180, "queued", n=4)
    story.ask(5, 200, "queued", n=5)
    story.ask(8, 300)
    story.ask(11, 400, "refused")
    story.ask(4, 510, "standby", n=1)
    story.ask(5, 1000, "standby", n=2)
    story.ask(6, 1500, "sold_out")
    story.ask(10, 6500, "paused")
    story.ask(9, 12_600, "sold_out", probe=True)
    _ends(story)
    story.write(6000, "ok", "pause")
    story.write(7000, "invoke", "resume")
    story.fault(4000, 5000, "worker")
    for seq in range(1, 8):
        story.write(1000 * seq, "ok", "status", proc="observer", epoch=1, seq=seq)
    early = {rid: f"{user} {NOW + ms + PAY_WITHIN}" for rid, user, ms in (("7-1-2", 2, 55), ("7-1-3", 3, 75))}
    story.look(1200, early, {"4": 1, "5": 2}, 1, 3)
    story.look(13_000, {"7-1-5": f"5 {NOW + 10_502 + PAY_WITHIN}"}, {}, 2, 3)
    counters = {"reserved": 4, "queued": 2, "standby": 2, "sold_out": 2, "refused": 1, "paused": 1}
    story.write(13_000, "ok", "snapshot", v={"store": "gates", "complete": True, "counters": counters})
    return story.finish()


def _ends(story: Story) -> None:
    story.row(1, 35, 1, "paid", 500)
    story.write(500, "ok", "webhook", rid="7-1-1", id="p1", amount=PRICE)
    story.row(2, 55, 2, "cancelled", 2000)
    story.write(2010, "ok", "promote", rid="7-1-4", user=4, n=1, v={"from": "7-1-2"})
    story.row(4, 2010, 4, "paid", 11_000, standby=1)
    for payment in ("p2", "p3"):
        story.write(11_000, "ok", "webhook", rid="7-1-4", id=payment, amount=PRICE)
    story.write(11_500, "ok", "refund", rid="7-1-4", id="p3", amount=PRICE)
    story.mail(11_600, "7-1-4", "refunded", "p3")
    story.row(3, 75, 3, "expired", 10_500)
    story.write(10_502, "ok", "promote", rid="7-1-5", user=5, n=2, v={"from": "7-1-3"})
    story.row(5, 10_502, 5, "held", standby=2)
    story.mail(3900, "7-1-3", "reserved")
    story.mail(5200, "7-1-3", "reserved")


def rebuilt() -> list[Line]:
    """The store is emptied in mid-sale and built anew; entries of the old world come late, promotions too."""
    story = Story(2)
    story.reserve(1, 10, 1)
    story.reserve(2, 100, 2)
    story.fault(3000, 3100, "store", destroys=True)
    story.ask(3, 3500, "paused")
    for ms, epoch, seq in ((1000, 1, 7), (3200, 0, 0), (6000, 2, 1), (7000, 2, 2)):
        story.write(ms, "ok", "status", proc="observer", epoch=epoch, seq=seq)
    story.write(5000, "ok", "rebuild", epoch=2)
    story.reserve(3, 5500, 1, epoch=2)
    story.ask(4, 12_600, "sold_out", probe=True)
    story.row(1, 15, 1, "expired", 10_100)
    story.row(2, 105, 2, "displaced", 5200, recorded=5095)
    for user, ms, place in ((5, 2500, 1), (6, 2600, 2)):
        story.ask(user, 300 * place, "standby", n=place)
        story.row(user, ms, 2 + place, "displaced", 5300, recorded=2700, standby=place)
        story.write(ms, "ok", "promote", rid=f"7-1-{2 + place}", user=user, n=place)
    story.row(3, 5505, 1, "held", epoch=2)
    story.reserve(4, 11_000, 2, epoch=2)
    story.row(4, 11_005, 2, "held", epoch=2)
    live = {"7-2-1": f"3 {NOW + 5505 + PAY_WITHIN}", "7-2-2": f"4 {NOW + 11_005 + PAY_WITHIN}"}
    story.look(13_000, live, {}, 0, 2)
    return story.finish()
