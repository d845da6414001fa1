"""The limiter under recorded traffic: replayed at a limited route, its curve becomes flat.

Both curves are drawn beside the test's other files (`limiter.svg`); docs/limits.md shows one of them.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from bench.charts import Panel, Points, draw, seconds_ticks
from flashsale.tests.edges import needs_nginx, running_edge, server
from flashsale.tests.gates import running_gate

QUIET, STORM, LASTS = 20, 160, 9.0  # requests a second, and seconds in all; the storm is the middle third
RATE, BURST = 40, 40
PATH = "/gate/clock"
Arrival = tuple[float, int]


@pytest.fixture(scope="module")
def gate() -> Iterator[str]:
    with running_gate() as address:
        yield address


def storm() -> list[float]:
    """Moments of arrival (s), at random with a rate that leaps in the middle third."""
    moments, now, lots = [], 0.0, random.Random(3)
    while now < LASTS:
        now += lots.expovariate(STORM if LASTS / 3 <= now < 2 * LASTS / 3 else QUIET)
        moments.append(now)
    return moments


def send(edge: str, moments: Sequence[float], *, threads: int = 8) -> None:
    """Ask at these moments, each thread on a connection of its own."""
    started = time.monotonic() + 0.2

    def ask(share: Sequence[float]) -> None:
        line = HTTPConnection(server(edge), timeout=10)
        for moment in share:
            time.sleep(max(0.0, started + moment - time.monotonic()))
            line.request("GET", PATH)
            line.getresponse().read()
        line.close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(ask, [moments[at::threads] for at in range(threads)]))


def recorded(log: Path) -> list[Arrival]:
    """When each request came (s since the first) and its status, as the edge has written it down."""
    lines = [line.split() for line in log.read_text().splitlines() if f" {PATH} " in line]
    first = min(float(line[0]) for line in lines)
    return sorted((float(line[0]) - first, int(line[3])) for line in lines)


def curve(moments: Sequence[float]) -> list[int]:
    """Requests in each second."""
    counts = Counter(int(moment) for moment in moments)
    return [counts[second] for second in range(int(LASTS) + 1)]


def picture(path: Path, came: Sequence[float], answered: Sequence[float]) -> None:
    lines: dict[str, Points] = {
        "came": [(second, count) for second, count in enumerate(curve(came))],
        "were answered": [(second, count) for second, count in enumerate(curve(answered))],
        "rate": [(0, RATE), (LASTS, RATE)],
    }
    panel = Panel("requests a second", lines)
    draw(
        path,
        title="Recorded traffic at a limited route",
        x_label="seconds",
        panels=[panel],
        ticks=seconds_ticks(LASTS),
    )


@pytest.mark.slow
@needs_nginx
def test_recorded_traffic_at_a_limited_route_has_a_flat_top_and_untouched_slopes(
    gate: str, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    log, replayed = tmp_path / "recorded.log", tmp_path / "replayed.log"
    with running_edge(gate=gate, EDGE_ACCESS_LOG=str(log)) as edge:
        send(edge, storm())
    came = [moment for moment, _ in recorded(log)]
    assert {status for _, status in recorded(log)} == {200}
    limits = {"EDGE_NETWORK_RATE": str(RATE), "EDGE_NETWORK_BURST": str(BURST)}
    with running_edge(gate=gate, EDGE_ACCESS_LOG=str(replayed), **limits) as edge:
        send(edge, came)
    told = recorded(replayed)
    answered = [moment for moment, status in told if status == 200]
    picture(tmp_path / "limiter.svg", came, answered)
    assert Counter(status for _, status in told).keys() == {200, 429}
    assert len(told) == len(came)
    assert max(curve(came)) > 3 * RATE
    # The law of the bucket: in no span of whatever length more than the burst and the rate times its length.
    for first in range(0, len(answered), 5):
        for last in range(first, len(answered), 5):
            assert last - first + 1 <= BURST + RATE * (answered[last] - answered[first]) + 2
    # The quiet beginning loses nobody, and at the end of the storm the top is the rate.
    assert all(status == 200 for moment, status in told if moment < LASTS / 3 - 0.2)
    top = [moment for moment in answered if 2 * LASTS / 3 - 1.5 <= moment < 2 * LASTS / 3 - 0.5]
    assert 0.5 * RATE <= len(top) <= 1.5 * RATE
    assert (tmp_path / "limiter.svg").read_text().startswith("<svg")
