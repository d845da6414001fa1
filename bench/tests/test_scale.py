"""The cost model gives the measured points back before it says anything about what nobody has measured."""

from itertools import pairwise

import pytest

from bench import scale
from bench.report import RESULTS
from flashsale.capacity import Costs, NoFigures, read_figures

FIGURES = read_figures(RESULTS / "latest.json")


def test_the_model_gives_every_measured_point_back_within_a_fifth() -> None:
    points = scale.reproduced(FIGURES)
    assert len(points) == 5
    assert {name: pair for name, pair in points.items() if scale.off(*pair) > scale.TOLERANCE} == {}


def test_a_model_with_another_gate_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    points = scale.reproduced(FIGURES | {"refusals_gate_cpu_us": FIGURES["refusals_gate_cpu_us"] * 2})
    assert scale.off(*points["million_s"]) > scale.TOLERANCE


def test_costs_grow_with_the_crowd_and_the_head_room_is_kept() -> None:
    costs = Costs.of(FIGURES)
    rows = [scale.extrapolated(costs, crowd) for crowd in scale.CROWDS]
    for smaller, larger in pairwise(rows):
        assert all(larger[name] >= smaller[name] for name in smaller)


def test_without_a_complete_run_nothing_is_extrapolated() -> None:
    with pytest.raises(NoFigures, match="The figures lack 'wins_gate_cpu_us'"):
        Costs.of({name: value for name, value in FIGURES.items() if name != "wins_gate_cpu_us"})
