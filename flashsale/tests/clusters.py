"""Real stores past one server: a cluster of six, and a pair that Sentinel looks after."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import RedisError

from shop.up import places
from shop.up.ports import LOOPBACK, free_port
from shop.up.processes import Process
from shop.up.valkey import SALE

PATIENCE = 30.0
SLOTS = 16384
NODE = ["cluster-enabled yes", "cluster-node-timeout 1500", "cluster-require-full-coverage no"]


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; a store that does not answer yet holds nothing."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(RedisError):
            if holds():
                return
        time.sleep(0.05)
    raise TimeoutError(f"Not within {PATIENCE:.0f} s: {what}.")


class Server:
    """One Valkey in a folder of its own, without a password; a Sentinel if `sentinel`."""

    def __init__(self, folder: Path, *lines: str, sentinel: bool = False, program: str = "") -> None:
        self.port, self.home = free_port(), folder
        folder.mkdir()
        conf = folder / "valkey.conf"
        conf.write_text("\n".join((f"port {self.port}", f"bind {LOOPBACK}", f"dir {folder}", *lines)) + "\n")
        command = [program or str(places.valkey()), str(conf), *(["--sentinel"] if sentinel else [])]
        env = {"PATH": os.environ.get("PATH", os.defpath)}
        self.process = Process(folder.name, command, folder / "log", env, folder, stop_seconds=2.0)
        self.process.start()
        self.client: Any = redis.Redis(port=self.port, socket_timeout=5)
        until(lambda: bool(self.client.ping()), f"{folder.name} answers")

    def stop(self) -> None:
        """Stop it and forget what it wrote."""
        self.client.close()
        self.process.stop(2.0)
        shutil.rmtree(self.home)

    def runs(self) -> bool:
        """Whether it lives."""
        return self.process.alive()

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self.process.popen is not None
        self.process.popen.kill()
        self.process.popen.wait()


@contextmanager
def stopping(servers: Sequence[Server]) -> Iterator[None]:
    """Stop them in the end, whatever happened."""
    try:
        yield
    finally:
        for server in servers:
            server.stop()


class Cluster:
    """Three primaries with a replica each."""

    def __init__(self, folder: Path) -> None:
        lines = [*SALE, *NODE]
        self.servers = [
            Server(folder / f"node-{number}", *lines, f"cluster-port {free_port()}") for number in range(6)
        ]
        self.hosts = ",".join(f"{LOOPBACK}:{server.port}" for server in self.servers[:3])
        self.url = f"redis+cluster://{self.hosts}"

    def form(self) -> None:
        """Let them meet, share the slots and follow each other."""
        first, *others = self.servers
        for server in others:
            port = server.client.config_get("cluster-port")["cluster-port"]
            first.client.execute_command("CLUSTER MEET", LOOPBACK, server.port, port)
        share = SLOTS // 3 + 1
        for number, server in enumerate(self.servers[:3]):
            last = min(SLOTS, (number + 1) * share) - 1
            server.client.execute_command("CLUSTER ADDSLOTSRANGE", number * share, last)
        until(lambda: all(self._knows_all(server) for server in self.servers), "the servers know each other")
        for primary, replica in zip(self.servers[:3], self.servers[3:], strict=True):
            replica.client.execute_command("CLUSTER REPLICATE", self.id_of(primary))
        until(self._is_ready, "each primary has its replica")

    def _knows_all(self, server: Server) -> bool:
        info = server.client.execute_command("CLUSTER INFO")
        return bool(info["cluster_known_nodes"] == "6" and info["cluster_state"] == "ok")

    def _is_ready(self) -> bool:
        links = [server.client.info("replication").get("master_link_status") for server in self.servers[3:]]
        told = [server.client.execute_command("CLUSTER SLOTS") for server in self.servers]
        return set(links) == {"up"} and all(len(row) == 4 for rows in told for row in rows)

    def id_of(self, server: Server) -> str:
        """Return the name that the cluster gave a server."""
        return str(server.client.execute_command("CLUSTER MYID").decode())

    def primaries(self) -> list[Server]:
        """Return the servers that answer now."""
        return [server for server in self.servers if server.runs() and server.client.role()[0] == b"master"]

    def primary_of(self, key: str) -> Server:
        """Return the server that answers for a key now."""
        asked = self.primaries()[0].client
        slot = asked.execute_command("CLUSTER KEYSLOT", key)
        for low, high, (_, port, *_), *_ in asked.execute_command("CLUSTER SLOTS"):
            if low <= slot <= high:
                return next(one for one in self.servers if one.port == port)
        raise LookupError(key)

    def move(self, key: str, source: Server, target: Server) -> None:
        """Move a key's slot and everything in it to another primary, as an operator's tool does."""
        slot = source.client.execute_command("CLUSTER KEYSLOT", key)
        target.client.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", self.id_of(source))
        source.client.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", self.id_of(target))
        while keys := source.client.execute_command("CLUSTER GETKEYSINSLOT", slot, 100):
            source.client.execute_command("MIGRATE", LOOPBACK, target.port, "", 0, 5000, "KEYS", *keys)
        for server in (target, source, *self.primaries()):
            server.client.execute_command("CLUSTER SETSLOT", slot, "NODE", self.id_of(target))


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Run a cluster in a folder."""
    cluster = Cluster(folder)
    with stopping(cluster.servers):
        cluster.form()
        yield cluster


class Pair:
    """A primary, a replica and a Sentinel; clients are `shop`, who may use the sale's keys and news only."""

    USER = "user shop on >secret ~fs:* &fs:* +@all -@dangerous +config|get"
    LINK = ("user link on >linked allkeys allchannels +@all", "masteruser link", "masterauth linked")

    def __init__(self, folder: Path) -> None:
        lines = [*SALE, self.USER, *self.LINK]
        self.primary = Server(folder / "primary", *lines)
        self.replica = Server(folder / "replica", *lines, f"replicaof {LOOPBACK} {self.primary.port}")
        self.sentinel = Server(
            folder / "sentinel",
            f"sentinel monitor sale {LOOPBACK} {self.primary.port} 1",
            "sentinel auth-user sale link",
            "sentinel auth-pass sale linked",
            "sentinel down-after-milliseconds sale 1000",
            "sentinel failover-timeout sale 3000",
            sentinel=True,
        )
        self.url = f"redis+sentinel://shop:secret@{LOOPBACK}:{self.sentinel.port}/sale/0"
        self.servers = [self.primary, self.replica, self.sentinel]

    def wait(self) -> None:
        """Wait until the replica follows and the Sentinel knows of it."""
        until(self.is_whole, "the replica follows and the Sentinel knows it")

    def is_whole(self) -> bool:
        """Whether the replica follows and the Sentinel knows of it."""
        follows = self.replica.client.info("replication").get("master_link_status") == "up"
        return follows and bool(self.sentinel.client.execute_command("SENTINEL REPLICAS", "sale"))

    def cut(self) -> None:
        """Let the replica hear nothing any more of what the primary does."""
        self.replica.client.config_set("masterauth", "wrong")
        self.primary.client.execute_command("CLIENT KILL TYPE replica")

    def fail_over(self) -> None:
        """Kill the primary and wait until the replica has its place and the Sentinel names it."""
        self.primary.kill()
        until(lambda: self.replica.client.role()[0] == b"master", "the replica has taken over")
        until(lambda: self._named() == self.replica.port, "the Sentinel names the new one")

    def _named(self) -> int:
        """Return the port that clients are told; while the fail-over lasts it is that of the one who died."""
        _, port = self.sentinel.client.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", "sale")
        return int(port)


@contextmanager
def running_pair(folder: Path) -> Iterator[Pair]:
    """Run a pair in a folder."""
    pair = Pair(folder)
    with stopping(pair.servers):
        pair.wait()
        yield pair
