"""Figures, bars, metrics and charts: what the tables and pictures are made of."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import charts, metrics, report
from bench.figures import Bar, Figures, rounded
from bench.isolation import p95
from bench.openloop import percentile
from bench.roles import command_of


def figures(**samples: list[float]) -> Figures:
    made = Figures()
    for name, values in samples.items():
        for value in values:
            made.add(name, value)
    return made


def test_a_figure_is_the_median_of_its_rounds_with_least_and_most() -> None:
    flat = figures(wins_rps=[30_000.4, 10_000, 20_000]).flat()
    assert flat == {"wins_rps": 20_000, "wins_rps_min": 10_000, "wins_rps_max": 30_000}


def test_numbers_keep_four_digits_and_whole_numbers_all() -> None:
    assert (rounded(1_000_000), rounded(12345.6), rounded(0.12345)) == (1_000_000, 12350, 0.1235)


def test_a_bar_is_a_ratio_of_medians() -> None:
    bar = Bar("wins / limit", "wins_rps", "limit_rps", bar=0.3, aim=0.5)
    value = bar.value(figures(wins_rps=[1, 4, 9], limit_rps=[10, 10, 10]))
    assert value is not None
    assert value == 0.4
    assert bar.reached(value, bar.bar)
    assert not bar.reached(value, bar.aim)


def test_a_bar_without_its_figures_is_not_judged() -> None:
    bar = Bar("wins / limit", "wins_rps", "limit_rps", bar=0.3, aim=0.5)
    assert bar.value(figures(wins_rps=[1])) is None


def test_some_bars_are_upper_ones() -> None:
    bar = Bar("p99", "p99_ms", bar=50, aim=20, at_most=True)
    assert (bar.reached(50, bar.bar), bar.reached(51, bar.bar)) == (True, False)


def test_the_gates_counters_become_differences_and_buckets() -> None:
    text = 'a_total{outcome="reserved"} 3\nsize_bucket{le="1"} 2\n'
    text += 'size_bucket{le="2"} 7\nsize_bucket{le="+Inf"} 7\n'
    now = metrics.Counts({(name, label): float(value) for name, label, value in metrics.LINE.findall(text)})
    before = metrics.Counts({("a_total", "reserved"): 1.0, ("size_bucket", "1"): 2.0})
    assert (now - before)["a_total", "reserved"] == 2.0
    assert metrics.histogram(now, "size") == {"1": 2.0, "2": 5.0, "+Inf": 0.0}


@pytest.mark.parametrize(("value", "top"), [(0.3, 0.5), (1, 1), (7, 10), (1200, 2000), (49_999, 50_000)])
def test_an_axis_ends_at_a_round_number(value: float, top: float) -> None:
    assert charts.nice(value) == pytest.approx(top)


def test_a_chart_is_well_formed_and_says_what_it_shows(tmp_path: Path) -> None:
    panel = charts.Panel("answers & more", {"gate": [(0, 0), (1, 5)], "store": [(0, 3), (1, 4)]})
    charts.draw(tmp_path / "a.svg", title="A < B", x_label="s", panels=[panel, panel], ticks={0: "0", 1: "1"})
    drawn = ET.parse(tmp_path / "a.svg").getroot()  # noqa: S314 our own file
    space = "{http://www.w3.org/2000/svg}"
    assert drawn.findtext(f"{space}title") == "A < B"
    assert len(drawn.findall(f"{space}polyline")) == 4


def test_roles_run_by_the_commands_of_the_procfile(tmp_path: Path) -> None:
    command = command_of("gate", port=1234, folder=tmp_path)
    assert command[2] == "granian"
    assert command[-1] == "flashsale.gate.asgi:application"
    assert command[command.index("--port") + 1] == "1234"
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert str(tmp_path / "beat") in command_of("beat", port=0, folder=tmp_path)


def test_percentiles_are_taken_from_the_ordered_values() -> None:
    values = [number / 1000 for number in range(1, 101)]
    assert (percentile(values, 50), percentile(values, 99), percentile([], 99)) == (51.0, 100.0, 0.0)
    assert p95([float(number) for number in range(1, 22)]) == 20.0


def test_a_complete_run_replaces_the_figures_of_the_page_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "performance.md"
    page.write_text("before\n<!-- bench: begin -->\nold figures\n<!-- bench: end -->\nafter\n")
    monkeypatch.setattr(report, "DOCUMENT", page)
    league = {f"league_ours_{kind}": [0.0] for kind in ("p99_ms", "durable", "oversold", "undersold")}
    found = figures(wins_rps=[1.0, 2.0, 3.0], league_ours_rps=[20_000.0], **league)
    facts: dict[str, object] = {"machine": "Linux", "cores": 2, "at": "now", "rounds": 3, "seconds": 9}
    report._write_document(found, [("figure", "bar"), ("wins", ">= 0.3")], facts)
    told = page.read_text()
    assert told.startswith("before\n<!-- bench: begin -->\nLinux, 2 cores; now; 3 rounds in 9 s.\n")
    assert told.endswith("\n<!-- bench: end -->\nafter\n")
    assert "old figures" not in told
    assert "| `wins_rps` | 2 | 1 | 3 |" in told
    assert "| **ours** | 20,000 | 0 | no | 0 | 0 |" in told
