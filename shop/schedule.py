"""What Celery's beat starts and how often, in seconds; a tick older than `expires` seconds is dropped.

Its age is told by two clocks, beat's and the worker's: orders, deadlines and mail go on while those differ by
less than `CLOCKS_DIFFER`. What piles up without a worker costs little: a tick does all that there is to do.
"""

from typing import Any

from shop.broker import NAMES

CLOCKS_DIFFER = 60
BEAT: dict[str, dict[str, Any]] = {
    f"sing in {queue}": {
        "task": "shop.tasks.sing",
        "schedule": 10.0,
        "args": (queue,),
        "options": {"queue": queue, "expires": 10},
    }
    for queue in NAMES
} | {
    "record reservations": {
        "task": "flashsale.tasks.drain_reservations",
        "schedule": 1.0,
        "options": {"expires": CLOCKS_DIFFER},
    },
    "expire reservations": {
        "task": "flashsale.tasks.expire_reservations",
        "schedule": 1.0,
        "options": {"expires": CLOCKS_DIFFER},
    },
    "work out shedding": {
        "task": "flashsale.tasks.work_out_shedding",
        "schedule": 1.0,
        "options": {"expires": 2},
    },
    "warm sales": {"task": "flashsale.tasks.warm_sales", "schedule": 5.0, "options": {"expires": 10}},
    "close sales": {"task": "flashsale.tasks.close_sales", "schedule": 5.0, "options": {"expires": 10}},
    "sample sales": {"task": "flashsale.tasks.sample_sales", "schedule": 1.0, "options": {"expires": 1}},
    "tell operators": {"task": "flashsale.tasks.tell_operators", "schedule": 1.0, "options": {"expires": 1}},
    "move units": {"task": "flashsale.tasks.move_units", "schedule": 2.0, "options": {"expires": 5}},
    "reconcile": {"task": "flashsale.tasks.reconcile_sales", "schedule": 10.0, "options": {"expires": 20}},
    "send mail": {
        "task": "shop.orders.tasks.send_mail",
        "schedule": 1.0,
        "options": {"expires": CLOCKS_DIFFER},
    },
    "remind shoppers": {
        "task": "flashsale.tasks.remind_shoppers",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "tell what is back": {
        "task": "shop.orders.tasks.tell_what_is_back",
        "schedule": 10.0,
        "options": {"expires": 20},
    },
    "expire unpaid orders": {
        "task": "shop.orders.tasks.expire_unpaid_orders",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "send refunds": {
        "task": "shop.orders.tasks.send_refunds",
        "schedule": 10.0,
        "options": {"expires": 30},
    },
    "draw captchas": {"task": "accounts.tasks.draw_captchas", "schedule": 5.0, "options": {"expires": 5}},
    "purge drafts": {
        "task": "flashsale.tasks.purge_drafts",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "forget captchas and sessions": {
        "task": "accounts.tasks.forget_the_expired",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "poll payments": {
        "task": "shop.orders.tasks.poll_payments",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "forget used answers": {
        "task": "shop.orders.tasks.forget_used_answers",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
}
