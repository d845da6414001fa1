"""Every fault, really injected. Each function begins it, waits, ends it, and returns when all work again."""

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import psycopg2
import redis
from django.db import Error, connection
from django_redis import get_redis_connection

from bench.chaos.plan import Fault
from bench.chaos.world import GATES, MOVED, ROLES, STORES, WEB, WORKERS, World
from bench.check.events import Writer
from flashsale import reconcile, scheduling, stock
from flashsale.models import Sale, SaleItem

REBUILD_TRIES = 40
FULL_AT_MOST = 6.0


Turns = Mapping[str, asyncio.Lock]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault happens; `turns` are taken by whoever takes a process down, by its name."""

    world: World
    history: Writer
    item: SaleItem
    chance: Random
    fault: Fault
    turns: Turns


Act = Callable[[Scene], Awaitable[None]]


async def inject(scene: Scene, number: int) -> None:
    """Wait for the fault's time, do it, and write when it began and when it was over."""
    await asyncio.sleep(scene.fault.at)
    component, destroys, act = ACTS[scene.fault.name]
    v = {"component": component, "destroys": destroys}
    fields: dict[str, Any] = {"id": f"f{number}", "outcome": scene.fault.name, "v": v}
    scene.history.write("invoke", "fault", **fields)
    await act(scene)
    scene.history.write("ok", "fault", **fields)


async def _type(work: Callable[[], Any]) -> Any:
    """Do in a thread what the operator types. Its connection may have been cut: it is given up afterwards."""

    def once() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(once)


async def _wait(scene: Scene, name: str) -> None:
    await asyncio.to_thread(scene.world.wait_for, name)


@asynccontextmanager
async def down(scene: Scene, name: str, *, kindly: bool = False) -> AsyncIterator[None]:
    """End a process and keep it down while the body runs; then it is started and waited for.

    Another fault of the same process waits: it would start it while this one changes its files.
    """
    world = scene.world
    async with scene.turns[name]:
        world.held.add(name)
        if kindly:
            await asyncio.to_thread(world.processes[name].stop, 3)
        else:
            world.kill(name)
        try:
            yield
        finally:
            world.held.discard(name)
        await asyncio.sleep(0.25)
        await _wait(scene, name)


async def kill_everything(scene: Scene) -> None:
    """A power cut, but for the disk: stores and roles die in any order and are started again together."""
    world, names = scene.world, [*STORES, *ROLES]
    scene.chance.shuffle(names)
    world.held.update(names)
    for name in names:
        world.kill(name)
    await asyncio.sleep(scene.fault.seconds)
    world.held.clear()
    await asyncio.sleep(0.25)
    for name in names:
        await _wait(scene, name)


def _kill(*names: str) -> Act:
    async def kill(scene: Scene) -> None:
        async with down(scene, scene.chance.choice(names)):
            await asyncio.sleep(scene.fault.seconds)

    return kill


def _restart(name: str) -> Act:
    async def restart(scene: Scene) -> None:
        async with down(scene, name, kindly=True):
            pass

    return restart


async def kill_backends(scene: Scene) -> None:
    """End every other connection in the middle of what it does, a few times."""
    for _ in range(3):
        with suppress(psycopg2.Error):
            await asyncio.to_thread(_terminate, scene.world.stores.urls["DATABASE_URL"])
        await asyncio.sleep(scene.fault.seconds / 3)


def _terminate(url: str) -> None:
    connection = psycopg2.connect(url, connect_timeout=2)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    connection.close()


def _freeze(*names: str) -> Act:
    async def freeze(scene: Scene) -> None:
        name = scene.chance.choice(names)
        scene.world.signal(name, signal.SIGSTOP)
        await asyncio.sleep(2 * scene.fault.seconds)
        scene.world.signal(name, signal.SIGCONT)

    return freeze


def _cut(store: str) -> Act:
    async def cut(scene: Scene) -> None:
        for _ in range(4):
            scene.world.proxies[store].cut()
            await asyncio.sleep(scene.fault.seconds / 4)

    return cut


def _lose_replies(store: str) -> Act:
    async def lose(scene: Scene) -> None:
        scene.world.proxies[store].lose_replies(scene.chance.randint(1, 12))
        await asyncio.sleep(scene.fault.seconds)
        scene.world.proxies[store].heal()

    return lose


async def slow_store(scene: Scene) -> None:
    """Everything on the way to Valkey takes longer."""
    scene.world.proxies["store"].delay = scene.chance.uniform(0.02, 0.3)
    await asyncio.sleep(scene.fault.seconds)
    scene.world.proxies["store"].heal()


async def empty_store(scene: Scene) -> None:
    """Everything in Valkey is gone; the sale pauses by itself until the operator rebuilds it."""
    if scene.chance.random() < 0.5:
        await _flush(scene)
    else:
        async with down(scene, "valkey"):
            shutil.rmtree(scene.world.folder / "valkey" / "appendonlydir")
    await asyncio.sleep(scene.fault.seconds)
    await _rebuild(scene)


async def _flush(scene: Scene) -> None:
    """Empty Valkey through its own command, again until it is there: another fault may keep it down."""
    for _ in range(REBUILD_TRIES):
        with suppress(redis.RedisError, OSError):
            await asyncio.to_thread(scene.world.store().flushall)
            return
        await asyncio.sleep(0.25)


async def old_store(scene: Scene) -> None:
    """Valkey comes back with an older copy of its file, as after a fail-over to a stale replica."""
    home = scene.world.folder / "valkey"
    async with scene.turns["valkey"]:  # another fault may have taken the file away
        shutil.copytree(home / "appendonlydir", home / "old")
    await asyncio.sleep(scene.fault.seconds)
    async with down(scene, "valkey"):
        shutil.rmtree(home / "appendonlydir")
        (home / "old").rename(home / "appendonlydir")
    await asyncio.sleep(scene.fault.seconds)
    await _rebuild(scene)


async def full_disk(scene: Scene) -> None:
    """Valkey may not write its file any more and ends, rather than forget; then there is space again."""
    process = scene.world.processes["valkey"]
    usual = process.command
    async with down(scene, "valkey", kindly=True):
        folder = scene.world.folder / "valkey" / "appendonlydir"
        limit = max(path.stat().st_size for path in folder.iterdir()) + 20_000
        process.command = ["prlimit", f"--fsize={limit}", "env", "--ignore-signal=XFSZ", *usual]
    scene.world.held.add("valkey")
    for _ in range(30):
        await asyncio.sleep(0.1)
        if not process.alive():
            break
    process.command = usual
    async with down(scene, "valkey", kindly=True):
        pass


async def full_disk_of_postgres(scene: Scene) -> None:
    """Whatever PostgreSQL must make room for fails, until it has said so; then there is space again."""
    world, process = scene.world, scene.world.processes["postgres"]
    begun, said = time.monotonic(), process.log.stat().st_size
    lasts = 2 * scene.fault.seconds
    while time.monotonic() < begun + lasts or (
        time.monotonic() < begun + FULL_AT_MOST and not _is_full(process.log.read_bytes()[said:])
    ):
        await asyncio.to_thread(world.disk.fill, process)  # it may have freed some itself
        await asyncio.sleep(0.02)
    await asyncio.to_thread(world.disk.free, process)
    await asyncio.sleep(0.25)
    await _wait(scene, "postgres")


def _is_full(log: bytes) -> bool:
    return any(text in log for text in (b"No space left on device", b"File too large"))


async def move_clock(scene: Scene) -> None:
    """The clock of one role is wrong from its start, until it is started with the right one again."""
    name = scene.chance.choice(ROLES)
    process, ahead = scene.world.processes[name], scene.chance.choice((-30, 30))
    usual = process.env
    async with down(scene, name, kindly=True):
        process.env = usual | {"PYTHONPATH": str(MOVED), "CLOCK_AHEAD": str(ahead)}
    await asyncio.sleep(2 * scene.fault.seconds)
    async with down(scene, name, kindly=True):
        process.env = usual


async def _rebuild(scene: Scene) -> None:
    """What the operator types: `manage.py reconcile SALE --rebuild`, again until it works."""
    for _ in range(REBUILD_TRIES):
        scene.history.write("invoke", "rebuild")
        with suppress(redis.RedisError, Error, OSError):
            epoch, is_last = await _type(partial(_rebuild_once, scene.item.sale_id))
            scene.history.write("ok" if is_last else "fail", "rebuild", epoch=epoch)
            return
        await _write_failed(scene)
        await asyncio.sleep(0.25)


async def _write_failed(scene: Scene) -> None:
    """A rebuild that was cut off may have begun an epoch, and some units may have been given away in it."""
    with suppress(Error):
        epoch = await _type(partial(_epoch, scene.item.sale_id))
        scene.history.write("fail", "rebuild", epoch=epoch)


def _epoch(sale_id: int) -> int:
    return Sale.objects.values_list("epoch", flat=True).get(pk=sale_id)


def _rebuild_once(sale_id: int) -> tuple[int, bool]:
    """Return the epoch that was begun, and whether no other operator has begun a later one meanwhile."""
    epoch = reconcile.rebuild(sale_id=sale_id).epoch
    return epoch, epoch == _epoch(sale_id)


async def repeat_entries(scene: Scene) -> None:
    """The last decisions come through the stream again, in any order."""
    await asyncio.to_thread(_repeat, scene)


def _repeat(scene: Scene) -> None:
    name = stock.sale_keys(scene.item.sale_id)[1]
    with suppress(redis.RedisError):
        client = get_redis_connection("sale")
        entries = client.xrevrange(name, count=20)
        scene.chance.shuffle(entries)
        for _, fields in entries:
            client.xadd(name, fields)


async def pause(scene: Scene) -> None:
    """The operator pauses the sale, and lets it go on."""
    with suppress(redis.RedisError, Error):
        await _type(partial(scheduling.pause, sale_id=scene.item.sale_id))
        scene.history.write("ok", "pause")
    await asyncio.sleep(scene.fault.seconds)
    for _ in range(REBUILD_TRIES):
        with suppress(redis.RedisError, Error):
            await _type(partial(resume, scene.history, scene.item))
            return
        await asyncio.sleep(0.25)


def resume(history: Writer, item: SaleItem) -> None:
    """What the operator does after a look: let a paused sale go on. Raises RedisError."""
    if Sale.objects.values_list("paused", flat=True).get(pk=item.sale_id):
        history.write("invoke", "resume")
        scheduling.resume(sale_id=item.sale_id)


ACTS: dict[str, tuple[str, bool, Act]] = {
    "kill gate": ("gate", False, _kill(*GATES)),
    "kill worker": ("worker", False, _kill(*WORKERS)),
    "kill beat": ("beat", False, _kill("beat")),
    "kill web": ("web", False, _kill(WEB)),
    "kill store": ("store", False, _kill("valkey")),
    "restart store": ("store", False, _restart("valkey")),
    "freeze store": ("store", False, _freeze("valkey")),
    "cut store": ("store", False, _cut("store")),
    "lose replies of store": ("store", False, _lose_replies("store")),
    "slow store": ("store", False, slow_store),
    "empty store": ("store", True, empty_store),
    "old store": ("store", True, old_store),
    "full disk": ("store", False, full_disk),
    "kill postgres": ("postgres", False, _kill("postgres")),
    "restart postgres": ("postgres", False, _restart("postgres")),
    "kill backends": ("postgres", False, kill_backends),
    "freeze postgres": ("postgres", False, _freeze("postgres")),
    "cut postgres": ("postgres", False, _cut("postgres")),
    "lose replies of postgres": ("postgres", False, _lose_replies("postgres")),
    "freeze worker": ("worker", False, _freeze(*WORKERS)),
    "repeat entries": ("worker", False, repeat_entries),
    "pause": ("operator", False, pause),
    "kill everything": ("postgres", False, kill_everything),
    "full disk of postgres": ("postgres", False, full_disk_of_postgres),
    "move clock": ("clock", False, move_clock),
}
