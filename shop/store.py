"""Opens the sale's memory by its address: one server, a pair that fails over, or a cluster.

    redis://user:password@host:6379/0                          one server (unix:// for a socket)
    redis+sentinel://user:password@host:26379,host:26379/NAME/0   the master NAME, as the Sentinels tell
    redis+cluster://user:password@host:6379,host:6379          a cluster; a few of its servers will do

`rediss` in front asks for TLS. What stands after `?` are redis-py's own options (`ssl_ca_certs=/etc/ca.pem`),
and `sentinel_username` and `sentinel_password` where the Sentinels have others. Waits are bounded and nothing
is sent again in silence: a batch sent twice must be our decision.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import redis.asyncio
import redis.asyncio.cluster
import redis.asyncio.sentinel
import redis.sentinel
from django_redis.client import DefaultClient
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import SSLConnection, parse_url
from redis.exceptions import AskError, RedisClusterException, TryAgainError
from redis.exceptions import ConnectionError as StoreAway
from redis.retry import Retry

TIMEOUTS = {"socket_connect_timeout": 0.25, "socket_timeout": 1.0}
FIRST_KEY = {"FCALL": 3, "FCALL_RO": 3}
COPIED_WITHIN_MS = 500
REDIRECTED = (AskError, TryAgainError)  # MovedError is an AskError
Command = Sequence[str | int]


@dataclass(frozen=True)
class Address:
    """A URL, read: `kind` is empty, `sentinel` or `cluster`; `options` are redis-py's."""

    kind: str
    hosts: Sequence[tuple[str, int]]
    service: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def read(url: str) -> Address:
    """Read a URL of one of the forms above; ValueError with a sentence for any other."""
    scheme, _, rest = url.partition("://")
    plain, _, kind = scheme.partition("+")
    if plain not in ("redis", "rediss", "unix") or kind not in ("", "sentinel", "cluster"):
        raise ValueError(f"“{scheme}” is not a kind of store: redis, redis+sentinel or redis+cluster is")
    parts = urlsplit(f"{plain}://{rest}")
    who, _, where = parts.netloc.rpartition("@")
    path = parts.path.strip("/").split("/")
    first, *_more = where.split(",")
    service, database = (path[0], path[1] if len(path) > 1 else "0") if kind == "sentinel" else ("", path[-1])
    if kind == "sentinel" and not service:
        raise ValueError(
            "the name of the master is missing behind the Sentinels: redis+sentinel://HOSTS/NAME"
        )
    login = f"{who}@" if who else ""
    address = parts.path if plain == "unix" else f"/{'' if kind == 'cluster' else database}"
    one = f"{plain}://{login}{first}{address}?{parts.query}"
    options = dict(parse_url(one))  # type: ignore[no-untyped-call]
    if options.pop("connection_class", None) is SSLConnection:
        options["ssl"] = True
    return Address(kind, [_host(one, kind) for one in where.split(",")] if where else [], service, options)


def _host(text: str, kind: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError("a host is missing between two commas")
    return parts.hostname, parts.port or (26379 if kind == "sentinel" else 6379)


def _never_again() -> Retry:
    return Retry(NoBackoff(), 0)


class Cluster(RedisCluster):
    """redis-py's client, which here knows a function's keys by itself instead of asking a server each time.

    Its own exceptions are no RedisError; to everybody else they are what they mean: the store is away.
    """

    def determine_slot(self, *args: Any) -> int | None:
        """Return the slot of a command."""
        if args[0] in FIRST_KEY:
            return int(self.keyslot(args[FIRST_KEY[args[0]]]))  # type: ignore[no-untyped-call]
        return super().determine_slot(*args)

    def pipeline(self, transaction: bool | None = None, shard_hint: None = None) -> Any:
        """Return a pipeline, which asks us for the slots."""
        pipeline = super().pipeline(transaction, shard_hint)  # type: ignore[no-untyped-call]
        pipeline.determine_slot = self.determine_slot
        return pipeline

    def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """Send a command to where its key is, or to `target_nodes`; raises RedisError."""
        try:
            return super().execute_command(*args, **kwargs)  # type: ignore[no-untyped-call]
        except RedisClusterException as error:
            raise StoreAway(str(error)) from error


class AsyncCluster(redis.asyncio.cluster.RedisCluster):
    """The same for the gate."""

    async def _determine_slot(self, command: str, *args: Any) -> int:
        if command in FIRST_KEY:
            return int(self.keyslot(args[FIRST_KEY[command] - 1]))
        return await super()._determine_slot(command, *args)

    async def initialize(self, *args: Any, **kwargs: Any) -> "AsyncCluster":
        """Learn which servers there are, unless that is known; raises RedisError."""
        try:
            await super().initialize(*args, **kwargs)
        except RedisClusterException as error:
            raise StoreAway(str(error)) from error
        return self

    def pubsub(self, *_args: Any, **kwargs: Any) -> Any:
        """Subscribe at any server: news reach all of them. Raises RedisError where none is known."""
        nodes = self.get_primaries()
        if not nodes:
            raise StoreAway("no server of the cluster is known")
        return super().pubsub(node=random.choice(nodes), **kwargs)  # noqa: S311 - no secret

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """Send a command to where its key is, or to `target_nodes`; raises RedisError."""
        try:
            return await super().execute_command(*args, **kwargs)
        except RedisClusterException as error:
            raise StoreAway(str(error)) from error


@cache
def connect(url: str) -> Any:
    """Return this process's client for web and worker; threads share it. Raises RedisError, ValueError."""
    address = read(url)
    options = {"retry": _never_again(), **TIMEOUTS, **address.options}
    if address.kind == "sentinel":
        return _sentinels(redis.sentinel.Sentinel, address, options)
    if address.kind == "cluster":
        nodes = [ClusterNode(*host) for host in address.hosts]  # type: ignore[no-untyped-call]
        try:
            return Cluster(startup_nodes=nodes, require_full_coverage=False, **_of_a_node(options))
        except RedisClusterException as error:
            raise StoreAway(str(error)) from error
    return redis.Redis(connection_pool=redis.ConnectionPool.from_url(url, retry=_never_again(), **TIMEOUTS))


def connect_async(url: str) -> "redis.asyncio.Redis":
    """Open a client of the gate's; with all connections in use a call waits for one, it is not refused.

    A cluster's client is no `redis.asyncio.Redis`, but answers to the commands that the sale needs.
    """
    address = read(url)
    options = {"retry": _never_again(), **TIMEOUTS, **address.options}
    client: Any
    if address.kind == "sentinel":
        client = _sentinels(redis.asyncio.sentinel.Sentinel, address, options)
    elif address.kind == "cluster":
        nodes = [redis.asyncio.cluster.ClusterNode(host, port) for host, port in address.hosts]
        client = AsyncCluster(
            startup_nodes=nodes, require_full_coverage=False, max_connections=512, **_of_a_node(options)
        )
    else:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url, retry=_never_again(), max_connections=64, timeout=1.0, **TIMEOUTS
        )
        client = redis.asyncio.Redis.from_pool(pool)
    return client  # type: ignore[no-any-return]


def _of_a_node(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in ("host", "port", "db")}


def _sentinels(kind: Any, address: Address, options: dict[str, Any]) -> Any:
    """A client of whichever server is the master now: each new connection asks the Sentinels again."""
    login = {name: options.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    own = {name: options[name] for name in options if name.startswith("ssl")}
    asked = {**TIMEOUTS, **own, **{name: value for name, value in login.items() if value}}
    options = {name: value for name, value in options.items() if name not in ("host", "port")}
    return kind(address.hosts, sentinel_kwargs=asked).master_for(address.service, **options)


def servers(client: Any) -> list[dict[str, Any]]:
    """For each server that keeps a part of the memory: the keywords that send a command just there."""
    if isinstance(client, Cluster | AsyncCluster):
        return [{"target_nodes": node} for node in client.get_nodes()]
    return [{}]


def server_of(client: Any, key: str | int) -> dict[str, Any]:
    """Return the keywords that send a command to the server of a key."""
    if isinstance(client, Cluster | AsyncCluster):
        return {"target_nodes": client.get_node_from_key(str(key))}
    return {}


def execute(client: Any, command: Command, *, replicas: int = 0) -> Any:
    """Send a function call; return its reply once so many replicas have its writes too. Raises RedisError.

    WAIT speaks of its own connection only, so both go over one. Where a slot has just moved they may have
    gone to two servers: then the call is sent alone, which finds the new one, and both once more.
    """
    if not replicas:
        return client.execute_command(*command)
    for _ in range(2):
        pipeline = _with_wait(client, command, replicas)
        reply, copies = pipeline.execute(raise_on_error=False, **_as_it_is(client))
        if not isinstance(reply, REDIRECTED):
            break
        client.execute_command(*command)
    return _if_copied(reply, copies, replicas)


async def execute_async(client: Any, command: Command, *, replicas: int = 0) -> Any:
    """The same for the gate."""
    if not replicas:
        return await client.execute_command(*command)
    await client.initialize()
    for _ in range(2):
        pipeline = _with_wait(client, command, replicas)
        reply, copies = await pipeline.execute(raise_on_error=False, **_as_it_is(client))
        if not isinstance(reply, REDIRECTED):
            break
        await client.execute_command(*command)
    return _if_copied(reply, copies, replicas)


def _with_wait(client: Any, command: Command, replicas: int) -> Any:
    pipeline = client.pipeline(transaction=False)
    pipeline.execute_command(*command)
    server = server_of(client, command[FIRST_KEY[str(command[0])]])
    pipeline.execute_command("WAIT", replicas, COPIED_WITHIN_MS, **server)
    return pipeline


def _as_it_is(client: Any) -> Mapping[str, bool]:
    return {"allow_redirections": False} if isinstance(client, Cluster | AsyncCluster) else {}


def _if_copied(reply: Any, copies: Any, replicas: int) -> Any:
    if isinstance(reply, Exception):
        raise reply
    if not isinstance(copies, int) or copies < replicas:
        raise StoreAway(f"{copies} of {replicas} replicas have it")
    return reply


class Client(DefaultClient):
    """What django-redis calls a client: `get_redis_connection("sale")` is the memory, wherever it is."""

    def connect(self, index: int = 0) -> Any:
        """Return the process's client."""
        return connect(self._server[index])
