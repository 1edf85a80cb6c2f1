"""A figure beside the period before: what changed, whether that is more than chance, and whether it is good."""

from __future__ import annotations

from decimal import Decimal
from math import sqrt
from typing import Any

import pytest

from reports.frames.comparisons import FEWEST, compare_periods
from tests.reports.salon_frames import limit_share, make_figure, make_rate, make_rows

# Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine 17 (1998),
# table II, method 10: so many of so many, the same of the other group, limits of the difference.
NEWCOMBE = [
    ((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((6, 7), (2, 7), 0.0582, 0.8062),
    ((5, 56), (0, 29), -0.0381, 0.1926), ((0, 10), (0, 20), -0.1611, 0.2775), ((0, 10), (0, 10), -0.2775, 0.2775),
    ((10, 10), (0, 20), 0.6791, 1.0000), ((10, 10), (0, 10), 0.6075, 1.0000),
]  # fmt: skip


def compare(row: tuple[Any, ...]) -> dict[str, Any]:
    """What is said of one row of `kpis`."""
    found: dict[str, Any] = compare_periods(make_rows("kpis", [row])).to_dict("records")[0]
    return found


def find_limits(now: tuple[int, int], before: tuple[int, int]) -> tuple[float, float]:
    """Newcombe's method 10 as the paper writes it."""
    first, low, high = map(float, limit_share(*now))  # type: ignore[arg-type]
    second, other_low, other_high = map(float, limit_share(*before))  # type: ignore[arg-type]
    return (
        first - second - sqrt((first - low) ** 2 + (other_high - second) ** 2),
        first - second + sqrt((high - first) ** 2 + (second - other_low) ** 2),
    )


@pytest.mark.parametrize(("now", "before", "low", "high"), NEWCOMBE)
def test_the_limits_of_the_tests_are_the_published_ones(
    now: tuple[int, int], before: tuple[int, int], low: float, high: float
) -> None:
    assert find_limits(now, before) == pytest.approx((low, high), abs=1.5e-4)


@pytest.mark.parametrize(
    ("now", "before", "low", "high"), [row for row in NEWCOMBE if row[1][1] >= FEWEST <= row[0][1]]
)
def test_a_change_of_a_rate_is_certain_where_the_published_interval_leaves_out_zero(
    now: tuple[int, int], before: tuple[int, int], low: float, high: float
) -> None:
    assert compare(make_rate("conversion", now, before))["is_certain"] is (low > 0 or high < 0)


def test_a_change_of_a_rate_is_certain_exactly_where_newcombes_interval_leaves_out_zero() -> None:
    kinds = set()
    for part in range(0, 61, 6):
        for other in range(0, 41, 4):
            low, high = find_limits((part, 60), (other, 40))
            found = compare(make_rate("conversion", (part, 60), (other, 40)))
            assert found["is_certain"] is (low > 0 or high < 0), (part, other)
            assert found["tone"] == ("good" if low > 0 else "bad" if high < 0 else "even")
            kinds.add(found["tone"])
    assert kinds == {"good", "bad", "even"}


def test_a_certain_rate_is_told_by_its_change_in_shares() -> None:
    found = compare(make_rate("arrival_rate", (56, 70), (48, 80)))
    assert (found["change"], found["change_share"], found["tone"]) == (Decimal("0.2000"), None, "good")


@pytest.mark.parametrize(("whole", "is_enough"), [(0, False), (19, False), (20, True), (21, True)])
def test_a_rate_of_fewer_than_twenty_is_too_few_to_say(whole: int, is_enough: bool) -> None:
    found = compare(make_rate("conversion", (whole, whole), (1, 100)))
    assert found["is_enough"] is is_enough
    assert (found["change"] is not None, found["tone"] == "good") == (is_enough, is_enough)


def test_a_rate_is_not_held_against_one_of_fewer_than_twenty() -> None:
    found = compare(make_rate("conversion", (90, 100), (0, 19)))
    assert (found["is_enough"], found["change"], found["is_certain"], found["tone"]) == (True, None, False, "even")


def test_counts_are_never_too_few() -> None:
    assert compare(make_figure("dialogs", 1, 0))["is_enough"] is True


def test_what_was_zero_has_a_change_and_no_share_of_it() -> None:
    found = compare(make_figure("bookings", 10, 0))
    assert (found["change"], found["change_share"], found["tone"]) == (Decimal(10), None, "good")


def test_a_change_is_told_as_a_share_of_the_value_before() -> None:
    found = compare(make_figure("kept_amount", Decimal("120.00"), Decimal("160.00"), currency="EUR"))
    assert (found["change"], found["change_share"], found["tone"]) == (Decimal("-40.00"), Decimal("-0.25"), "bad")


@pytest.mark.parametrize("measure", ["dialogs", "conversion"])
def test_a_window_that_the_calendar_does_not_reach_back_to_is_not_compared(measure: str) -> None:
    row = (
        make_rate("conversion", (90, 100), (10, 100), is_comparable=False)
        if measure == "conversion"
        else make_figure("dialogs", 900, 100, is_comparable=False)
    )
    found = compare(row)
    assert (found["is_enough"], found["change"], found["change_share"], found["tone"]) == (True, None, None, "even")


@pytest.mark.parametrize(("value", "before"), [(None, 5), (5, None), (None, None)])
def test_nothing_is_compared_with_nothing(value: int | None, before: int | None) -> None:
    found = compare(make_figure("avg_response_ms", value, before))
    assert (found["change"], found["tone"]) == (None, "even")


def test_more_is_worse_where_less_is_better() -> None:
    assert compare(make_figure("avg_response_ms", 2000, 1000))["tone"] == "bad"
    assert compare(make_figure("avg_response_ms", 1000, 2000))["tone"] == "good"
    assert compare(make_figure("cancelled_bookings", 200, 100))["tone"] == "bad"
    assert compare(make_rate("no_show_rate", (50, 100), (10, 100)))["tone"] == "bad"
    assert compare(make_rate("cancellation_rate", (10, 100), (50, 100)))["tone"] == "good"
    assert compare(make_rate("arrival_rate", (10, 100), (50, 100)))["tone"] == "bad"


def test_more_messages_are_neither_good_nor_bad() -> None:
    found = compare(make_figure("messages", 900, 100))
    assert (found["change_share"], found["tone"]) == (Decimal(8), "even")


@pytest.mark.parametrize(
    # 1.96² · (100 + 128) = 875.9, more than 28²; 1.96² · (100 + 130) = 883.6, less than 30²; of 74 it is 668, 26² 676.
    ("value", "before", "tone"),
    [(128, 100, "even"), (130, 100, "good"), (75, 100, "even"), (74, 100, "bad"), (3, 0, "even"),
     (4, 0, "good"), (100, 100, "even")],
)  # fmt: skip
def test_a_count_changed_only_by_more_than_such_counts_change_by_themselves(value: int, before: int, tone: str) -> None:
    assert compare(make_figure("dialogs", value, before))["tone"] == tone


def test_money_is_no_count_and_has_no_such_noise() -> None:
    assert compare(make_figure("kept_amount", Decimal(101), Decimal(100), currency="RUB"))["tone"] == "good"


def test_comparing_adds_columns_and_leaves_the_rows_as_they_are() -> None:
    kpis = make_rows("kpis", [make_figure("dialogs", 1, 2), make_rate("conversion", (0, 0), (0, 0))])
    compared = compare_periods(kpis)
    assert compared[list(kpis.columns)].equals(kpis)
    assert list(compare_periods(kpis.iloc[0:0]).columns) == list(compared.columns)
