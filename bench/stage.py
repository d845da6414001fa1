"""The stage of a run: its roles, shoppers, sales and passes, and what went wrong."""

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_redis import get_redis_connection

from bench import load, roles
from bench.figures import Figures
from bench.load import Told
from bench.sizes import Sizes
from flashsale import crowd, scheduling, stock
from flashsale.gate.answers import STATUS
from flashsale.models import Sale, SaleItem
from flashsale.replies import ItemStatus
from shop.catalogue.models import Product, Variant
from shop.up.messages import Trouble, say, stopped
from shop.up.ports import LOOPBACK, free_port
from shop.up.processes import Process

READY_SECONDS = 60.0
RIGHT_KINDS = {f"{status} {outcome}" for outcome, status in STATUS.items()} | {"201 reserved"}


class Stage:
    """What all sections share. Roles start when they are first asked for and run until the end."""

    def __init__(self, *, folder: Path, sizes: Sizes, store_pids: dict[str, int]) -> None:
        self.folder = folder
        self.store_pids = store_pids
        self.sizes = sizes
        self.figures = Figures()
        self.problems: list[str] = []
        self.pictures: dict[str, Any] = {}
        self._roles: dict[str, tuple[Process, int]] = {}
        self._shoppers: list[int] = []
        self._numbers = count(1)
        self._random = random.Random(20_261_122)  # noqa: S311 - the same crowd in every run

    def expect(self, holds: bool, sentence: str) -> None:
        """Note a sentence for the end of the run if something that must hold does not."""
        if not holds:
            self.problems.append(sentence)
            say(f"    WRONG: {sentence}")

    # Roles

    def role(
        self,
        name: str,
        *,
        path: str = "/gate/healthz",
        like: str = "",
        target: str = "",
        more: Sequence[str] = (),
    ) -> str:
        """Return the address of a role, started now if it is not running; it is ready when `path` answers.

        `like` names the role of the Procfile whose command it takes, with `target` as its application and
        `more` options.
        """
        if name not in self._roles:
            port = free_port()
            command = roles.command_of(like or name, port=port, folder=self.folder)
            self._start(name, [*command[:-1], *more, target or command[-1]], port)
            self._wait(name, path)
        return f"{LOOPBACK}:{self._roles[name][1]}"

    def start_worker(self, *, item: SaleItem) -> None:
        """Start worker and beat as the Procfile has them, and wait until the sale's stream is read."""
        for name in ("worker", "beat"):
            self._start(name, roles.command_of(name, port=0, folder=self.folder), 0)
        stream = stock.sale_keys(item.sale_id)[1]
        deadline = time.monotonic() + READY_SECONDS
        while not get_redis_connection("sale").xinfo_consumers(stream, stock.GROUP):
            if time.monotonic() > deadline:
                raise stopped("The worker", self._roles["worker"][0].log)
            time.sleep(0.1)

    def pid(self, name: str) -> int:
        """Return the process id of a role that runs."""
        return self._roles[name][0].pid()

    def stop(self, *names: str) -> None:
        """Stop these roles, or all that run."""
        for name in names or tuple(reversed(self._roles)):
            process, _ = self._roles.pop(name, (None, 0))
            if process is not None:
                process.stop(process.stop_seconds)

    def _start(self, name: str, command: list[str], port: int) -> None:
        process = roles.process_of(name, command, folder=self.folder)
        process.start()
        self._roles[name] = process, port

    def _wait(self, name: str, path: str) -> None:
        process, port = self._roles[name]
        deadline = time.monotonic() + READY_SECONDS
        while not roles.answers(port, path):
            if not process.alive() or time.monotonic() > deadline:
                raise stopped(f"The role {name}", process.log)
            time.sleep(0.1)

    # Shoppers, sales, passes

    def shoppers(self, number: int) -> list[int]:
        """Return so many shoppers, in the order of their making; makes those that are missing."""
        if number > len(self._shoppers):
            self._shoppers = crowd.make_shoppers(number)
            with connection.cursor() as cursor:
                # Now, and not in the middle of a measurement.
                cursor.execute("VACUUM (ANALYZE) accounts_user")
                cursor.execute("CHECKPOINT")
        return self._shoppers[:number]

    def new_sale(self, *, units: int, standby: int = 0, **fields: object) -> SaleItem:
        """Clear the sale's memory and return the one item of a new sale; it runs unless `fields` say else."""
        self.clear_store()
        number, now = next(self._numbers), timezone.now()
        usual = {"opens_at": now - timedelta(minutes=1), "closes_at": now + timedelta(hours=12)}
        product = Product.objects.create(handle=f"bench-{number}", title=f"Bench {number}")
        variant = Variant.objects.create(product=product, sku=f"BENCH-{number}", price=9000, stock=units)
        sale = Sale.objects.create(
            slug=f"bench-{number}",
            title=f"Bench {number}",
            standby_size=standby,
            **(usual | {"captcha": False, "pay_within": 3600} | fields),
        )
        item = SaleItem.objects.create(sale=sale, variant=variant, price=4900, quantity=units)
        scheduling.schedule(sale=sale)
        return item

    def clear_store(self) -> None:
        """Empty the sale's memory and its file, and put all earlier sales out of everybody's sight."""
        long_ago = timezone.now() - timedelta(days=9)
        old = Sale.objects.exclude(state=Sale.State.CLOSED)
        old.update(state=Sale.State.CLOSED, opens_at=long_ago - timedelta(hours=1), closes_at=long_ago)
        client = get_redis_connection("sale")
        client.flushdb()
        client.bgrewriteaof()
        while client.info("persistence")["aof_rewrite_in_progress"]:
            time.sleep(0.01)

    def passes(self, item: SaleItem, users: Sequence[int]) -> Path:
        """Write a pass for each shopper, in random order; return the files for `load.attempts`."""
        passes = list(crowd.issue_passes(item.sale, users))
        self._random.shuffle(passes)
        files = self.folder / f"passes-{item.sale_id}"
        load.write_passes(files, passes, threads=self.sizes.threads)
        return files

    def attempt(self, role: str, item: SaleItem, users: Sequence[int]) -> Told:
        """Let every shopper attempt once at a gate that runs; check what must hold of any such load."""
        address, files = self.role(role), self.passes(item, users)
        before = roles.cpu_seconds(self.pid(role))
        told = load.attempts(
            address,
            attempt_path(item),
            files,
            connections=self.sizes.connections,
            threads=self.sizes.threads,
        )
        told = replace(told, role_cpu=roles.cpu_seconds(self.pid(role)) - before)
        self.expect_all_answered(told, len(users))
        for number in range(self.sizes.threads):
            Path(f"{files}.{number + 1}").unlink()
        return told

    def tell_costs(self, name: str, told: Told) -> None:
        """What one answer cost the gate and the load, in microseconds of a core."""
        self.figures.add(f"{name}_gate_cpu_us", told.role_cpu * 1e6 / told.requests)
        self.figures.add(f"{name}_load_cpu_us", told.load_cpu * 1e6 / told.requests)

    def expect_all_answered(self, told: Told, number: int) -> None:
        """Expect one answer an attempt, each with a status that fits its outcome."""
        self.expect(told.requests == number, f"{number} attempts had {told.requests} answers: {told.answers}")
        self.expect(told.errors == 0, f"{told.errors} connections failed")
        odd = set(told.answers) - RIGHT_KINDS
        self.expect(not odd, f"answers that do not exist: {sorted(odd)}")


def look(gate: str, sale: int) -> None:
    """Let a gate meet a sale, as it has long before any real crowd comes."""
    connection = HTTPConnection(gate, timeout=5)
    connection.request("GET", f"/gate/sales/{sale}")
    connection.getresponse().read()
    connection.close()


def attempt_path(item: SaleItem) -> str:
    """The address of an attempt at the gate."""
    return f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt"


def settled(item: SaleItem) -> ItemStatus:
    """Return the units of an item as the store counts them; Trouble where it does not know it."""
    status = stock.run(stock.status(item.sale_id, [item.pk]))
    if status is None:
        raise Trouble("The store lost a sale of the benchmark.")
    return status.items[item.pk]


def per_minute() -> int:
    """How often a shopper may try, as the gate has it."""
    return int(settings.ATTEMPTS_PER_MINUTE)
