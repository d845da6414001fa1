"""How Celery uses its broker: Redis or Valkey by default, RabbitMQ where `CELERY_BROKER_URL` says amqp.

What a queue's tasks wait for is their own worker, never a number: Redis and RabbitMQ count priorities in
opposite directions, and RabbitMQ's quorum queues had none before 4.0. Mail has a queue of its own, and of a
worker's threads at most `MAIL_SENDERS` send: a mail server that hangs keeps those busy and no order.
"""

from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from kombu import Queue
from kombu.transport import redis
from redis.exceptions import ConnectionError as Away

NAMES = ("orders", "deadlines", "celery", "mail")
"""In the order in which a worker of all of them looks where several hold something."""

ROUTES = {
    "flashsale.tasks.drain_reservations": {"queue": "orders"},
    "flashsale.tasks.expire_reservations": {"queue": "deadlines"},
    "shop.orders.tasks.send_mail": {"queue": "mail"},
}
# Deadlines live in tables, so no task has an ETA; a lost worker's task returns within a minute.
REDIS = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "queue_order_strategy": "priority",
}
# A task counts as sent when the majority of RabbitMQ's servers has it.
RABBIT = {"confirm_publish": True, "read_timeout": 10, "write_timeout": 5}

# What RabbitMQ has closed is opened again by a retry only; the pauses (s) keep beat from spinning.
RETRY = {"max_retries": 3, "interval_start": 0.2, "interval_step": 0.5, "interval_max": 1.0}


class Channel(redis.Channel):
    """A channel that says "the broker is away" when its connection was closed under it.

    kombu 5.7 asks a closed connection for its address, and Celery's worker ends at that: when it puts back
    what a lost connection had delivered, and when a task that outlived one is acknowledged. This is an error
    that both of them expect; such a task comes back after `visibility_timeout`.
    """

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if getattr(self.connection, "client", None) is None:
            raise Away("The connection to the broker was closed.")
        return dict(super()._connparams(asynchronous))  # type: ignore[misc]


def is_rabbit(url: str) -> bool:
    """Whether a URL names RabbitMQ."""
    return url.startswith(("amqp://", "amqps://", "pyamqp://"))


def beside(store: str) -> str:
    """Return the broker next to the sale's memory where that is one server: database 1 of it."""
    parts = urlsplit(store)
    if parts.scheme == "unix":
        return f"redis+socket://{parts.path}?virtual_host=1"
    return urlunsplit(parts._replace(path="/1"))


def verified(url: str) -> str:
    """Return the URL of a broker whose certificate is looked at, unless `ssl_cert_reqs` says otherwise.

    The library takes any certificate where a `rediss` URL says nothing of it.
    """
    parts = urlsplit(url)
    if parts.scheme != "rediss" or "ssl_cert_reqs" in parse_qs(parts.query):
        return url
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, "ssl_cert_reqs=required")))))


def options(url: str) -> dict[str, Any]:
    """Return what the transport of this URL is told; times in seconds."""
    return RABBIT if is_rabbit(url) else REDIS


def queues(url: str) -> list[Queue]:
    """Return the queues; on RabbitMQ each is kept by a majority of its servers."""
    arguments = {"x-queue-type": "quorum"} if is_rabbit(url) else None
    return [Queue(name, routing_key=name, queue_arguments=arguments) for name in NAMES]
