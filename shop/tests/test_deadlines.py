"""How a page says until when something is to be paid."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from shop.moments import until

START = datetime(2026, 6, 12, 10, 0, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(600, "10:10 UTC"), (120, "10:02 UTC"), (119, "10:02:06 UTC"), (25, "10:00:32 UTC")],
)
def test_a_short_time_to_pay_is_told_with_its_seconds(seconds: int, text: str) -> None:
    with time_machine.travel(START):
        assert until(START + timedelta(seconds=seconds), START) == text


def test_a_deadline_of_another_day_is_told_with_its_day() -> None:
    with time_machine.travel(START):
        assert until(START + timedelta(hours=14), START) == "13 June, 00:00 UTC"
