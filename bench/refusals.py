"""After the sell-out: everybody is refused, each by the gate's own memory."""

import time

from django.conf import settings

from bench import limits
from bench.stage import Stage, look, settled
from flashsale import stock

NOTICED = 0.5


def measure(stage: Stage) -> None:
    """`refusals_rps` and latencies: distinct shoppers at a sold-out sale; `limit_rps` beside it."""
    limits.measure_limit(stage)
    number = stage.sizes.refusals
    winner, *losers = stage.shoppers(number + 1)
    item = stage.new_sale(units=1)
    first = stock.attempt(item.sale_id, [(item.pk, winner)], per_minute=settings.ATTEMPTS_PER_MINUTE)
    stage.expect(stock.run(first).answers[0].first, "the only unit was not to be had")
    look(stage.role("gate"), item.sale_id)
    time.sleep(NOTICED)
    told = stage.attempt("gate", item, losers)
    stage.expect(told.answers == {"409 sold_out": number}, f"not all of {number} refused: {told.answers}")
    stage.expect(settled(item).held == 1, "more than one unit was given away")
    stage.figures.add("refusals_rps", told.rps)
    stage.tell_costs("refusals", told)
    for point in (50, 95, 99):
        stage.figures.add(f"refusals_p{point}_ms", told.percentiles[point])
    stage.pictures["refusals"] = told.percentiles
