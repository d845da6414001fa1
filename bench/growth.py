"""What those who only tried cost the store, from a thousand of them to a million."""

import time

from django_redis import get_redis_connection

from bench.stage import Stage, per_minute
from flashsale import stock

CALL = 512


def measure(stage: Stage) -> None:
    """`growth_<n>_rps`, `growth_<n>_bytes` for each size; `bytes_per_loser` is that of the largest."""
    for number in stage.sizes.growth:
        item = stage.new_sale(units=1)
        users = range(1, number + 2)
        stock.run(stock.attempt(item.sale_id, [(item.pk, users[-1])], per_minute=per_minute()))
        before, started, refused = _used(), time.perf_counter(), 0
        for at in range(0, number, CALL):
            pairs = [(item.pk, user) for user in users[at : min(at + CALL, number)]]
            decided = stock.run(stock.attempt(item.sale_id, pairs, per_minute=per_minute()))
            refused += sum(answer.outcome == "sold_out" for answer in decided.answers)
        seconds = time.perf_counter() - started
        stage.expect(refused == number, f"{refused} of {number} losers were refused")
        bytes_each = (_used() - before) / number
        stage.figures.add(f"growth_{number}_rps", number / seconds)
        stage.figures.add(f"growth_{number}_bytes", bytes_each)
    stage.figures.add("bytes_per_loser", bytes_each)


def _used() -> int:
    return int(get_redis_connection("sale").info("memory")["used_memory"])
