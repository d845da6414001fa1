"""`manage.py rehearse SALE --shoppers N`: plays a crowd against a shadow of a sale; judges its settings."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis.exceptions import RedisError

from flashsale.errors import SaleError
from flashsale.models import Sale
from flashsale.rehearsal import playing, report, verdict
from flashsale.rehearsal.playing import Cast
from flashsale.rehearsal.verdict import Outcome

BAR = 40


def _share(text: str) -> float:
    """Read `5%` or `0.05`."""
    try:
        return float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
    except ValueError as error:
        raise CommandError(f"“{text}” is not a share such as 5%.") from error


class Command(BaseCommand):
    """Exits with 1 where something has to be changed."""

    help = "Rehearse a sale with a crowd over HTTP; nothing of it stays and nobody is mailed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which sale, and who comes."""
        parser.add_argument("sale", type=int, help="number of the sale")
        parser.add_argument("--shoppers", type=int, default=2000, help="how many come (default 2000)")
        parser.add_argument("--bots", default="5%", help="share of them that hammers (default 5%%)")
        parser.add_argument("--pay", default="80%", help="share that means to pay (default 80%%)")
        parser.add_argument("--minutes", type=float, default=2.0, help="that the sale is open (default 2)")
        parser.add_argument(
            "--farm", type=int, default=0, help="accounts of one shopper in one network, beside them"
        )
        parser.add_argument("--browsers", type=int, default=1, help="in which the farm has them (default 1)")
        parser.add_argument("--seed", type=int, default=1, help="another number plays another crowd")
        parser.add_argument("--gate", default=playing.own_gate(), help="address of the shop")
        parser.add_argument("--out", type=Path, help="file for the figures, as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Play, and tell."""
        if not re.fullmatch(r"http://[^/:]+:[0-9]{1,5}", options["gate"]):
            raise CommandError("--gate is an address such as http://127.0.0.1:8000.")
        sale = Sale.objects.filter(pk=options["sale"], rehearsal_of=None).first()
        if sale is None:
            raise CommandError(f"There is no sale with the number {options['sale']}.")
        seen = self._play(sale, options)
        found = verdict.findings(sale, seen)
        for name, words in report.figures(sale, seen):
            self.stdout.write(f"{name:10} {words}")
        for one in found:
            self.stdout.write(f"[{report.mark(one)}] {one.sentence}")
        self.stdout.write(verdict.verdict(found))
        if options["out"]:
            self._keep(options["out"], seen, found)
        if not all(one.is_good for one in found):
            sys.exit(1)

    def _play(self, sale: Sale, options: dict[str, Any]) -> Outcome:
        try:
            cast = Cast(
                shoppers=options["shoppers"],
                bots=_share(options["bots"]),
                pay=_share(options["pay"]),
                seconds=options["minutes"] * 60,
                seed=options["seed"],
                farm=options["farm"],
                browsers=options["browsers"],
            )
            return playing.rehearse(sale=sale, cast=cast, gate=options["gate"], tell=self._draw)
        except SaleError as error:
            raise CommandError(str(error)) from error
        except RedisError as error:
            raise CommandError(f"The sale store does not answer ({error}). Is it running?") from error

    def _draw(self, done: int, total: int) -> None:
        if done % max(1, total // 200) and done < total:
            return
        filled = BAR * done // total
        end = "\n" if done == total else ""
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (BAR - filled)}] {done}/{total}{end}")
        sys.stderr.flush()

    def _keep(self, path: Path, seen: Outcome, found: list[verdict.Finding]) -> None:
        document = seen.document() | {"findings": {one.name: [one.is_good, one.sentence] for one in found}}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document, indent=1, ensure_ascii=False))
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
