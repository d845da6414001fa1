"""A backup of both stores that fits together, and the way back; all acknowledged before is in it.

The sale's memory is copied first, then the rows. So the rows are never the older part: what the memory's
streams still held is in the rows already, or is recorded from the copy when it is put back. Then each sale is
built anew from the rows under an epoch that nobody has seen.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest

from flashsale import reconcile, stock
from flashsale.models import Sale
from flashsale.reconcile import Report
from shop.up import places
from shop.up.messages import Trouble, last_line

ROWS, MEMORY, LOG = "rows.dump", "memory.jsonl", "backup.log"
Say = Callable[[str], object]


def save(folder: Path, *, say: Say) -> None:
    """Write both stores into an empty folder. Raises Trouble, and RedisError without the sale's memory."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Trouble(f"{folder} is not empty: name a new folder, so that no older backup is mixed in.")
    sales = list(Sale.objects.filter(state=Sale.State.SCHEDULED).order_by("pk"))
    with (folder / MEMORY).open("w") as file:
        for sale in sales:
            keys = stock.save_keys(sale.pk, list(sale.items.values_list("pk", flat=True)))
            file.write(json.dumps({"sale": sale.pk, "epoch": sale.epoch, "keys": keys}) + "\n")
    say(f"memory: {len(sales)} sales")
    _run("pg_dump", ["--format=custom", "--no-owner", f"--file={folder / ROWS}"], folder)
    say(f"rows: {(folder / ROWS).stat().st_size:,} bytes")


def put_back(folder: Path, *, say: Say) -> list[Report]:
    """Replace both stores by a backup; web, gates and workers must not run. Raises Trouble, RedisError."""
    missing = [name for name in (ROWS, MEMORY) if not (folder / name).is_file()]
    if missing:
        raise Trouble(f"{folder} is no backup: {' and '.join(missing)} is not there.")
    saved = [json.loads(line) for line in (folder / MEMORY).read_text().splitlines()]
    epochs = {one["sale"]: _epoch_in_store(one["sale"]) for one in saved}
    connection.close()
    _run(
        "pg_restore",
        ["--clean", "--if-exists", "--no-owner", "--single-transaction", str(folder / ROWS)],
        folder,
    )
    say("rows: put back")
    for one in saved:
        stock.put_back_keys(one["sale"], one["keys"])
        # Names of reservations that were given away after the backup must never be given again.
        newest = max(one["epoch"], epochs[one["sale"]])
        Sale.objects.filter(pk=one["sale"]).update(epoch=Greatest(F("epoch"), newest))
    say(f"memory: {len(saved)} sales put back")
    return [reconcile.rebuild(sale_id=one["sale"]) for one in saved]


def _epoch_in_store(sale: int) -> int:
    status = stock.run(stock.status(sale, []))
    return status.epoch if status else 0


def _run(name: str, arguments: list[str], folder: Path) -> None:
    """Run a program of PostgreSQL on our database; the password is not on its command line."""
    database = settings.DATABASES["default"]
    wheel = places.postgres_wheel()
    program = (places.programs_of(wheel) if wheel else places.system_postgres()) / name
    if not program.exists():
        raise Trouble(f"There is no {name} here: install PostgreSQL's client programs.")
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    env = {variable: str(database[key]) for variable, key in names.items() if database[key]}
    target = ["--dbname", database["NAME"]]
    with (folder / LOG).open("ab") as log:
        done = subprocess.run(
            [str(program), *target, *arguments],
            env={"PATH": os.defpath, **env},
            stdout=log,
            stderr=log,
            check=False,
        )
    if done.returncode:
        raise Trouble(f"{name} failed: {last_line(folder / LOG)} (all of it is in {folder / LOG}).")
