"""Unusual days are noticed, and usual ones, however few the dialogs, raise no alarm."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator
from numpy.typing import NDArray

from expectations.volumes import ALPHA, WINDOW_DAYS, AskedDay, DailyCount, VolumeVerdict, judge_volumes
from tests.support.marts import make_id

MONDAY = date(2025, 1, 6)
QUIET_MONDAYS = (0.3, 1, 1, 1, 1.2, 1.6, 0.9)
CLOSED_SUNDAYS = (1, 1, 1, 1, 1.2, 1.6, 0)
STEADY = (1,) * 7
LAST = 57
"""The day, counted from the first Monday, that is judged where nothing else is said: a Tuesday after eight weeks."""

Grid = NDArray[np.int64]
Salons = dict[str, Grid]
"""Measure to counts, one row a salon and one column a day from the first Monday on."""


def name_salon(row: int) -> UUID:
    """Return the id of a simulated salon."""
    return make_id(f"salon {row}")


def simulate(
    random: Generator, levels: Iterable[float], *, days: int = LAST + 1, week: Sequence[float] = QUIET_MONDAYS,
    steadiness: float = 20, growth: float = 0.0,
) -> Salons:  # fmt: skip
    """Draw dialogs a day around each salon's level, messages of each dialog, and bookings of three in ten.

    ``steadiness`` is the size of the negative binomial that dialogs are drawn from; ``growth`` a week's.
    """
    scale = np.array(week)[np.arange(days) % 7] * (1 + growth) ** (np.arange(days) / 7)
    moods = random.gamma(steadiness, 1 / steadiness, (len(list(levels := list(levels))), days))
    sessions = random.poisson(np.array(levels)[:, None] * scale * moods)
    # Two to some sixty messages a dialog: a negative binomial of size 2 a dialog adds up to one of size 2 n.
    messages = 2 * sessions + np.where(sessions > 0, random.negative_binomial(np.maximum(2 * sessions, 1), 0.1), 0)
    return {"messages": messages, "sessions": sessions, "bookings": random.binomial(sessions, 0.3)}


def judge(
    salons: Salons, *, day: int = LAST, rows: Iterable[int] | None = None, alpha: float = ALPHA
) -> list[VolumeVerdict]:
    """Judge one day of some or all salons, as the run on the morning after does."""
    counts = [
        DailyCount(name_salon(row), MONDAY + timedelta(column), measure, int(grid[row, column]))
        for measure, grid in salons.items()
        for row in range(len(grid))
        for column in range(max(day - WINDOW_DAYS, 0), day + 1)
        if grid[row, column]
    ]
    asked = [
        AskedDay(name_salon(row), MONDAY + timedelta(day), measure)
        for measure, grid in salons.items()
        for row in (range(len(grid)) if rows is None else rows)
    ]
    return judge_volumes(counts=counts, asked=asked, alpha=alpha)


def judge_one(salons: Salons, measure: str, *, row: int = 0, day: int = LAST) -> VolumeVerdict:
    """Judge one day of all salons; return what is said of one salon and measure."""
    (verdict,) = (
        verdict
        for verdict in judge(salons, day=day)
        if verdict.tenant_id == name_salon(row) and verdict.measure == measure
    )
    return verdict


def count_alarms(salons: Salons) -> tuple[int, list[VolumeVerdict]]:
    """Return in how many daily runs anything was reported after the first eight weeks, and what."""
    runs = [
        [verdict for verdict in judge(salons, day=day) if verdict.is_unusual]
        for day in range(WINDOW_DAYS, salons["sessions"].shape[1])
    ]
    return sum(map(bool, runs)), [verdict for run in runs for verdict in run]


@pytest.mark.parametrize("salons", [1, 6])
def test_five_dialogs_a_day_and_quiet_mondays_raise_few_alarms_in_a_year(salons: int) -> None:
    days = WINDOW_DAYS + 364
    alarms, found = count_alarms(simulate(np.random.default_rng(1), [5] * salons, days=days))
    assert alarms <= ALPHA * 364
    # Fewer than the chance allows on any single weekday would be luck; as many on Mondays as on all days, a fault.
    assert sum(verdict.day.weekday() == 0 for verdict in found) <= ALPHA * 52 + 2


@pytest.mark.parametrize("level", [5, 40])
def test_salons_whose_days_scatter_widely_raise_few_alarms_in_a_year(level: float) -> None:
    salons = simulate(np.random.default_rng(2), [level] * 4, days=WINDOW_DAYS + 182, steadiness=3)
    assert count_alarms(salons)[0] <= ALPHA * 182


def test_growth_of_five_percent_a_week_raises_few_alarms() -> None:
    salons = simulate(np.random.default_rng(3), [10] * 4, days=WINDOW_DAYS + 182, growth=0.05)
    assert count_alarms(salons)[0] <= ALPHA * 182


@pytest.mark.parametrize("others", [0, 29])
def test_a_bot_that_stops_is_noticed_on_the_first_day_at_forty_a_day(others: int) -> None:
    random = np.random.default_rng(4)
    for _ in range(5):
        salons = simulate(random, [40, *random.lognormal(2.5, 1, others)])
        for grid in salons.values():
            grid[0, LAST] = 0
        assert judge_one(salons, "sessions").is_unusual


def test_a_day_without_anyone_is_no_alarm_where_chance_brings_it_every_few_months() -> None:
    salons = simulate(np.random.default_rng(5), [5] * 30)
    for grid in salons.values():
        grid[0, LAST] = 0
    assert not any(judge_one(salons, measure).is_unusual for measure in salons)


@pytest.mark.parametrize("level", [5, 40])
@pytest.mark.parametrize("others", [0, 29])
@pytest.mark.parametrize("measure", ["messages", "sessions", "bookings"])
def test_a_tenfold_burst_is_noticed(level: float, others: int, measure: str) -> None:
    random = np.random.default_rng(6)
    salons = simulate(random, [level, *random.lognormal(2.5, 1, others)])
    salons[measure][0, LAST] = 10 * max(salons[measure][0, :LAST].mean(), 1)
    assert judge_one(salons, measure).is_unusual


def test_a_burst_does_not_hide_that_the_bot_stops_a_week_later() -> None:
    salons = simulate(np.random.default_rng(7), [40], steadiness=1000)
    steady = judge_one(salons, "sessions")
    salons["sessions"][0, LAST - 7] *= 10
    salons["sessions"][0, LAST] = 0
    disturbed = judge_one(salons, "sessions")
    assert disturbed.is_unusual
    assert disturbed.upper < 2 * steady.upper


def test_a_salon_twice_as_busy_is_usual_again_after_some_weeks() -> None:
    salons = simulate(np.random.default_rng(8), [40], days=120)
    for grid in salons.values():
        grid[0, 60:] *= 2
    alarms = [any(verdict.is_unusual for verdict in judge(salons, day=day)) for day in range(60, 120)]
    assert any(alarms[:5])
    assert sum(alarms[28:]) <= 2


def test_a_salon_closed_on_sundays_is_not_reported_on_sundays_but_when_it_is_not() -> None:
    salons = simulate(np.random.default_rng(9), [40], days=100, week=CLOSED_SUNDAYS)
    sundays = range(WINDOW_DAYS + 6, 100, 7)
    assert not any(verdict.is_unusual for day in sundays for verdict in judge(salons, day=day))
    salons["sessions"][0, sundays[-1]] = 40
    assert judge_one(salons, "sessions", day=sundays[-1]).is_unusual


def test_the_only_salon_closed_on_sundays_is_not_reported_either() -> None:
    random = np.random.default_rng(10)
    salons = simulate(random, [40] * 20, days=100, week=STEADY)
    for grid in salons.values():
        grid[0, 6::7] = 0
    found = [judge_one(salons, measure, day=day) for day in range(WINDOW_DAYS + 6, 100, 7) for measure in salons]
    assert not any(verdict.is_unusual for verdict in found)
    assert judge_one(salons, "sessions", day=97).expected < 8


def test_a_day_off_for_the_whole_chain_is_reported_for_every_salon_that_can_show_it() -> None:
    salons = simulate(np.random.default_rng(11), [40] * 10 + [2] * 10, week=STEADY)
    for grid in salons.values():
        grid[:, LAST] = 0
    found = {verdict.tenant_id for verdict in judge(salons) if verdict.is_unusual}
    assert found == {name_salon(row) for row in range(10)}


def test_a_salon_with_three_days_leans_on_the_weekdays_of_its_pool() -> None:
    salons = simulate(np.random.default_rng(12), [40] * 12, days=63, week=CLOSED_SUNDAYS)
    for grid in salons.values():
        grid[0, :59] = 0  # begins on a Thursday
    first_sunday = judge_one(salons, "sessions", day=62)
    assert first_sunday.expected < 2
    assert not first_sunday.is_unusual


def test_a_salon_with_three_days_leans_on_the_scatter_of_its_pool() -> None:
    bounds = {}
    for steadiness in (2, 1000):
        salons = simulate(np.random.default_rng(13), [40] * 12, days=60, steadiness=steadiness)
        salons["sessions"][0] = [0] * (LAST - 1) + [40] * 4
        bounds[steadiness] = judge_one(salons, "sessions", day=59)
    assert bounds[2].upper > 1.5 * bounds[1000].upper


def test_a_salon_with_three_days_has_wider_bounds_than_one_with_eight_weeks() -> None:
    salons = simulate(np.random.default_rng(14), [20] * 12, steadiness=1000, week=STEADY)
    salons["sessions"][0:2] = 20
    for grid in salons.values():
        grid[0, : LAST - 3] = 0
    new, old = judge_one(salons, "sessions", row=0), judge_one(salons, "sessions", row=1)
    assert new.upper - new.lower > old.upper - old.lower


def test_days_before_a_salon_began_are_no_zeros() -> None:
    salons = simulate(np.random.default_rng(15), [40], steadiness=1000, week=STEADY)
    for grid in salons.values():
        grid[0, : LAST - 20] = 0
    assert judge_one(salons, "sessions").expected == pytest.approx(40, rel=0.2)


def test_a_day_without_rows_after_a_salon_began_is_a_zero() -> None:
    salons = simulate(np.random.default_rng(16), [40], steadiness=1000, week=STEADY)
    for grid in salons.values():
        grid[0, 1::2] = 0
    assert judge_one(salons, "sessions").expected < 30


def test_a_judged_day_is_no_part_of_its_own_history_nor_are_later_days() -> None:
    salons = simulate(np.random.default_rng(17), [5, 40], days=70)
    before = judge_one(salons, "sessions", day=60)
    for grid in salons.values():
        grid[:, 60:] *= 50
    later = [
        DailyCount(name_salon(row), MONDAY + timedelta(column), "sessions", int(salons["sessions"][row, column]))
        for row in range(2)
        for column in range(70)
    ]
    asked = [AskedDay(name_salon(row), MONDAY + timedelta(60), measure) for row in range(2) for measure in salons]
    (after,) = (
        verdict
        for verdict in judge_volumes(counts=later, asked=asked)
        if (verdict.tenant_id, verdict.measure) == (name_salon(0), "sessions")
    )
    assert (after.expected, after.lower, after.upper) == (before.expected, before.lower, before.upper)


def test_the_more_is_judged_in_a_run_the_wider_every_interval() -> None:
    salons = simulate(np.random.default_rng(18), [40] * 30)
    (alone,) = (verdict for verdict in judge(salons, rows=[0]) if verdict.measure == "sessions")
    among = judge_one(salons, "sessions")
    assert among.expected == alone.expected
    assert among.lower < alone.lower
    assert alone.upper < among.upper


def test_nothing_is_judged_without_a_history() -> None:
    asked = [AskedDay(name_salon(0), MONDAY, "sessions")]
    assert judge_volumes(counts=[], asked=[]) == []
    assert judge_volumes(counts=[], asked=asked) == []
    assert judge_volumes(counts=[DailyCount(name_salon(0), MONDAY, "sessions", 40)], asked=asked) == []
    others = [DailyCount(name_salon(1), MONDAY - timedelta(age), "sessions", 40) for age in range(1, 50)]
    assert judge_volumes(counts=others, asked=asked) == []
    assert judge_volumes(counts=others, asked=[]) == []


def test_a_measure_that_nobody_has_is_usual_at_zero_and_at_one() -> None:
    counts = [DailyCount(name_salon(0), MONDAY - timedelta(age), "messages", 40) for age in range(1, 50)]
    for observed in (0, 1):
        booked = DailyCount(name_salon(0), MONDAY, "bookings", observed)
        (verdict,) = judge_volumes(counts=[*counts, booked], asked=[AskedDay(name_salon(0), MONDAY, "bookings")])
        assert not verdict.is_unusual


@given(
    grid=st.integers(1, 4).flatmap(
        lambda rows: st.lists(
            st.lists(st.integers(0, 12) | st.integers(0, 10**9), min_size=1, max_size=20), min_size=rows, max_size=rows
        )
    ),
    days=st.integers(1, 30),
    alpha=st.sampled_from([0.5, 0.05, 1e-6]),
)
def test_any_counts_give_finite_bounds_around_the_expectation(grid: list[list[int]], days: int, alpha: float) -> None:
    # Each salon's counts are repeated over the weeks; day 0 is before all of them.
    counts = [
        DailyCount(name_salon(row), MONDAY + timedelta(day), "sessions", counts[day % len(counts)])
        for row, counts in enumerate(grid)
        for day in range(1, days + 1)
    ]
    asked = [AskedDay(name_salon(row), MONDAY + timedelta(days + 1), "sessions") for row in range(len(grid))]
    for verdict in judge_volumes(counts=counts, asked=asked, alpha=alpha):
        assert 0 <= verdict.lower <= verdict.expected <= verdict.upper
        assert math.isfinite(verdict.upper)


@given(count=st.integers(1, 10_000), weeks=st.integers(1, 4), more=st.integers(1, 4))
def test_fewer_days_of_the_same_counts_widen_the_interval(count: int, weeks: int, more: int) -> None:
    widths = []
    for length in (weeks, weeks + more):
        counts = [
            DailyCount(name_salon(0), MONDAY - timedelta(age), "sessions", count) for age in range(1, 7 * length + 1)
        ]
        (verdict,) = judge_volumes(counts=counts, asked=[AskedDay(name_salon(0), MONDAY, "sessions")])
        widths.append(verdict.upper - verdict.lower)
    assert widths[0] >= widths[1]
