"""What a line costs the store: a thousand, a hundred thousand and a million people who wait."""

import json
import time
from http.client import HTTPConnection

from django_redis import get_redis_connection

from bench import load
from bench.stage import Stage, per_minute
from flashsale import stock
from flashsale.models import SaleItem

CALL = 512
REST = 0.5
ONCE = 1_000_000


def measure(stage: Stage) -> None:
    """`tickets_<n>_rps`, `_bytes`, `_line_bytes` and `_ops` for each size, and what the largest tells of all.

    `bytes_per_ticket` is the line alone; `_bytes` counts what else the store keeps of who has just pressed.
    """
    gate = stage.role("gate")
    for number in stage.sizes.tickets:
        if number >= ONCE and stage.figures.median(f"tickets_{number}_bytes") is not None:
            continue  # ten seconds, and bytes do not change from round to round
        item = stage.new_sale(units=ONCE, rate=1)
        before, started = _used(), time.perf_counter()
        _line_up(stage, item, number)
        stage.figures.add(f"tickets_{number}_rps", number / (time.perf_counter() - started))
        stage.figures.add(f"tickets_{number}_bytes", (_used() - before) / number)
        line_bytes = _bytes_of_line(item) / number
        stage.figures.add(f"tickets_{number}_line_bytes", line_bytes)
        operations = _operations_while_all_wait(stage, gate, item, number)
        stage.figures.add(f"tickets_{number}_ops", operations)
        if number == stage.sizes.tickets[-1]:
            stage.figures.add("bytes_per_ticket", line_bytes)
            stage.figures.add("waiting_ops", operations)
            _read_documents(stage, gate, item)


def _line_up(stage: Stage, item: SaleItem, number: int) -> None:
    """Let so many shoppers press at a sale that serves one a second."""
    queued = 0
    for first in range(1, number + 1, CALL):
        pairs = [(item.pk, user) for user in range(first, min(first + CALL, number + 1))]
        decided = stock.run(stock.attempt(item.sale_id, pairs, per_minute=per_minute()))
        queued += sum(answer.outcome == "queued" for answer in decided.answers)
    stage.expect(queued == number - 1, f"{queued} of {number} shoppers wait; all but the first should")


def _operations_while_all_wait(stage: Stage, gate: str, item: SaleItem, number: int) -> float:
    """Return the store's operations a second while nobody asks; the gate has just looked at the line."""
    connection = HTTPConnection(gate, timeout=5)
    connection.request("GET", _document(item))
    answer = connection.getresponse()
    told, caching = json.loads(answer.read()), answer.headers["Cache-Control"]
    connection.close()
    stage.expect(told["queue"]["tickets"] == number, f"the status document tells another line: {told}")
    stage.expect(
        caching.startswith("public, max-age=1,"), f"the status document may be cached for: {caching}"
    )
    before = _operations()
    time.sleep(REST)
    return (_operations() - before - 1) / REST  # one is the first look itself


def _read_documents(stage: Stage, gate: str, item: SaleItem) -> None:
    """`document_rps`, and `document_ops` a second at the store, while pages read the status document."""
    before, sizes = _operations(), stage.sizes
    told = load.constant(
        gate, _document(item), seconds=1, connections=sizes.connections, threads=sizes.threads
    )
    stage.expect(told.errors == 0, f"{told.errors} status documents were none")
    stage.figures.add("document_rps", told.rps)
    stage.figures.add("document_ops", (_operations() - before - 1) / told.seconds)


def _document(item: SaleItem) -> str:
    return f"/gate/sales/{item.sale_id}"


def _bytes_of_line(item: SaleItem) -> int:
    line = stock.sale_keys(item.sale_id)[2]
    return int(get_redis_connection("sale").memory_usage(line, samples=0) or 0)


def _used() -> int:
    return int(get_redis_connection("sale").info("memory")["used_memory"])


def _operations() -> int:
    return int(get_redis_connection("sale").info("stats")["total_commands_processed"])
