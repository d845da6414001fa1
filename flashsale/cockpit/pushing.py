"""The live pages' figures, pushed: a worker draws them once a second, the live processes pass them on.

Drawn once for each sale and language that somebody watches, however many do. The live processes know neither
PostgreSQL nor the admin: who may listen is said by a pass that the page was given (`live.py`), and what is
told is ready to be shown. Where nothing comes for some seconds the page asks for its frame itself.
"""

import json
import logging

from django.core.cache import cache
from django.template.loader import render_to_string
from django.utils import translation
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from flashsale import stock
from flashsale.cockpit import live, presence
from flashsale.models import Sale

logger = logging.getLogger(__name__)


def tell() -> int:
    """Publish the figures of every sale that somebody watches; return how many messages went out.

    A silent store is no error: the pages notice the silence.
    """
    told = 0
    for sale_id, language in presence.watched():
        sale = Sale.objects.prefetch_related("items__variant__product").filter(pk=sale_id).first()
        if sale is None or sale.state == Sale.State.DRAFT:
            continue
        # The charts are nine tenths of the page: they go out each time that they were drawn anew.
        is_due = cache.add(f"cockpit:{sale_id}:charts-told:{language}", True, live.CHARTS_SECONDS)
        with translation.override(language):
            shared = live.shared(sale, with_charts=is_due)
            drawn = render_to_string("flashsale/cockpit/frame.html", {"sale": sale, **shared})
        head = f"{sale_id} {language}\n"
        try:
            get_redis_connection("sale").publish(stock.LOOKS, head + json.dumps({"frame": drawn}))
        except (RedisError, OSError) as error:
            logger.warning("Operators were not told of sale %s: %s", sale_id, type(error).__name__)
            continue
        told += 1
    return told
