"""Tells what a run has found: on the terminal, in latest.json, in docs/performance.md."""

import json
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from bench import pictures
from bench.figures import BARS, Bar, Figures, rounded
from bench.league.variants import VARIANTS
from bench.roles import ROOT
from bench.stage import Stage
from shop.up.messages import say

RESULTS = ROOT / "bench" / "results"
PARTIAL = RESULTS / "partial"
DOCUMENT = ROOT / "docs" / "performance.md"
IMAGES = ROOT / "docs" / "images"
BLOCK = re.compile(r"(<!-- bench: begin -->\n).*?(<!-- bench: end -->)", re.DOTALL)
Row = tuple[str, ...]


def tell(stage: Stage, *, seconds: float, rounds: int, judged: bool, folder: Path | None) -> None:
    """Print and write everything; without a folder the run is complete and becomes the latest result.

    What is not `judged` was too small for its rates to say anything: only exactness counts there.
    """
    bars = _bars(stage.figures, judged=judged)
    say(f"\n{_table(bars)}\n")
    for problem in stage.problems:
        say(f"WRONG: {problem}")
    say(f"{'NOT exact' if stage.problems else 'Everything exact'}; {seconds:.0f} s.")
    results = folder or RESULTS
    results.mkdir(parents=True, exist_ok=True)
    document = _facts(stage, seconds=seconds, rounds=rounds) | stage.figures.flat()
    (results / "latest.json").write_text(json.dumps(document, indent=1) + "\n")
    pictures.draw_all(stage.pictures, folder or IMAGES)
    if folder is None:
        _write_document(stage.figures, bars, document)
    say(f"Results: {results / 'latest.json'}")


def _facts(stage: Stage, *, seconds: float, rounds: int) -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "machine": f"{platform.system()}, Python {platform.python_version()}",
        "rounds": rounds,
        "seconds": round(seconds),
        "problems": len(stage.problems),
        "connections": stage.sizes.connections,
    }


def _bars(figures: Figures, *, judged: bool) -> list[Row]:
    rows: list[Row] = [("figure", "bar", "aim", "value", "")]
    for bar in BARS:
        sign, value = "<=" if bar.at_most else ">=", bar.value(figures)
        told, verdict = "-", "not measured"
        if value is not None:
            told = f"{rounded(value)}"
            verdict = _verdict(bar, value) if judged else "small: not judged"
        rows.append((bar.name, f"{sign} {bar.bar:g}", f"{bar.aim:g}", told, verdict))
    return rows


def _verdict(bar: Bar, value: float) -> str:
    if bar.reached(value, bar.aim):
        return "ok, aim reached"
    return "ok" if bar.reached(value, bar.bar) else "BELOW THE BAR"


def _table(rows: list[Row]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _markdown(rows: list[Row]) -> str:
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, f"|{' --- |' * len(rows[0])}", *body])


def _write_document(figures: Figures, bars: list[Row], facts: dict[str, object]) -> None:
    """Replace the figures in docs/performance.md by those of this run, so that it has no other ones."""
    intro = f"{facts['machine']}, {facts['cores']} cores; {facts['at']}; "
    intro += f"{facts['rounds']} rounds in {facts['seconds']} s."
    plain = [name for name in figures.names() if not name.startswith("league_")]
    rows: list[Row] = [("figure", "median", "least", "most")]
    rows += [(f"`{name}`", *_numbers(figures, name)) for name in plain]
    text = f"{intro}\n\n{_markdown(bars)}\n\n### The league\n\n{_markdown(_league(figures))}"
    text += f"\n\n### Every figure\n\n{_markdown(rows)}\n"
    DOCUMENT.write_text(BLOCK.sub(lambda found: f"{found[1]}{text}{found[2]}", DOCUMENT.read_text()))


def _numbers(figures: Figures, name: str) -> tuple[str, str, str]:
    low, high = figures.span(name)
    return f"{rounded(figures.median(name) or 0):,}", f"{rounded(low):,}", f"{rounded(high):,}"


def _league(figures: Figures) -> list[Row]:
    titles = {name: variant.title for name, variant in VARIANTS.items()} | {"ours": "**ours**"}
    rows: list[Row] = [("way", "decisions/s", "p99, ms", "durable", "oversold", "undersold")]
    for name, title in titles.items():
        if figures.median(f"league_{name}_rps") is not None:
            rps, p99 = (_numbers(figures, f"league_{name}_{kind}")[0] for kind in ("rps", "p99_ms"))
            durable = "yes" if figures.median(f"league_{name}_durable") else "no"
            over, under = (
                f"{figures.span(f'league_{name}_{kind}')[1]:g}" for kind in ("oversold", "undersold")
            )
            rows.append((title, rps, p99, durable, over, under))
    return rows
