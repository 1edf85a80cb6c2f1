"""A salon that falls silent is noticed by its own rhythm; nights, closing days and quiet salons raise no alarm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator
from numpy.typing import NDArray

from expectations.freshness import (
    ALPHA,
    FreshnessVerdict,
    LastMessage,
    LongestSilence,
    judge_freshness,
)
from tests.support.marts import make_id

MONDAY = datetime(2025, 1, 6, tzinfo=UTC)
WINDOW_HOURS = 58 * 24
QUIET_MONDAYS = (0.3, 1, 1, 1, 1.2, 1.6, 0.9)
CLOSED_SUNDAYS = (1, 1, 1, 1, 1.2, 1.6, 0)

Hours = NDArray[np.float64]
"""When messages were written, in hours since the first Monday."""


def name_salon(row: int) -> UUID:
    """Return the id of a simulated salon."""
    return make_id(f"salon {row}")


def simulate(random: Generator, level: float, *, days: int = 70, week: Sequence[float] = QUIET_MONDAYS) -> Hours:
    """Draw the messages of so many dialogs a day, begun from 9 to 21 o'clock, eight replies each."""
    dialogs = random.poisson(np.repeat(level, days) * np.array(week)[np.arange(days) % 7])
    begun = np.repeat(np.arange(days), dialogs) * 24 + random.uniform(9, 21, dialogs.sum())
    replies = random.exponential(1 / 30, (len(begun), 8)).cumsum(axis=1)
    return np.sort(np.concatenate([begun, (begun[:, None] + replies).ravel()]))


def at(hour: float) -> datetime:
    """Return the moment so many hours after the first Monday began."""
    return MONDAY + timedelta(hours=hour)


def look(salons: Sequence[Hours], hour: float) -> dict[UUID, FreshnessVerdict]:
    """Judge all salons at a moment, by what was written in the weeks up to it."""
    silences, last_messages = [], []
    for row, written in enumerate(salons):
        window = written[(written >= hour - WINDOW_HOURS) & (written <= hour)]
        if not len(window):
            continue
        last_messages.append(LastMessage(name_salon(row), at(window[-1]), at(window[-1]).date()))
        longest = np.zeros(int(window[-1] // 24) + 1)
        np.maximum.at(longest, (window[:-1] // 24).astype(int), np.diff(window))
        silences += [
            LongestSilence(name_salon(row), at(24 * day).date(), hours)
            for day, hours in enumerate(longest.tolist())
            if hours > 0
        ]
    found = judge_freshness(silences=silences, last_messages=last_messages, present=at(hour))
    return {verdict.tenant_id: verdict for verdict in found}


def find_delay(salons: Sequence[Hours], *, stop: float) -> float:
    """Return how many hours after it stopped the first salon is reported."""
    stopped = [salons[0][salons[0] < stop], *salons[1:]]
    delay = 0
    while not look(stopped, stop + delay)[name_salon(0)].is_unusual:
        verdict = look(stopped, stop + delay)[name_salon(0)]
        delay += max(math.ceil(verdict.limit_hours - verdict.silent_hours), 1)
    return delay


@pytest.mark.parametrize("salons", [1, 6])
@pytest.mark.parametrize("week", [QUIET_MONDAYS, CLOSED_SUNDAYS])
def test_five_dialogs_a_day_raise_few_alarms_in_a_year_of_mornings(salons: int, week: Sequence[float]) -> None:
    random = np.random.default_rng(1)
    written = [simulate(random, 5, days=60 + 364, week=week) for _ in range(salons)]
    looks = [look(written, day * 24 + 6) for day in range(60, 60 + 364)]
    alarms = {
        (verdict.tenant_id, verdict.last_message_at)
        for found in looks
        for verdict in found.values()
        if verdict.is_unusual
    }
    assert len(looks[0]) == salons
    assert len(alarms) <= ALPHA * 364


@pytest.mark.parametrize("others", [0, 20])
def test_a_bot_that_stops_is_noticed_within_two_days_at_forty_a_day_and_later_at_five(others: int) -> None:
    random = np.random.default_rng(2)
    pool = [simulate(random, level) for level in random.lognormal(2.5, 0.8, others)]
    busy, quiet = simulate(random, 40), simulate(random, 5)
    stops = [24 * day + 15 for day in range(61, 65)]  # at 15:00 from Saturday on
    at_forty = [find_delay([busy, *pool], stop=stop) for stop in stops]
    at_five = [find_delay([quiet, *pool], stop=stop) for stop in stops]
    assert max(at_forty) <= 48
    assert max(at_five) <= 96
    assert sum(at_forty) < sum(at_five)


@pytest.mark.parametrize("others", [0, 20])
def test_closing_on_sundays_makes_no_other_night_longer(others: int) -> None:
    random = np.random.default_rng(10)
    salons = [simulate(random, 40, week=CLOSED_SUNDAYS), *(simulate(random, 40) for _ in range(others))]
    limits = {day: look(salons, 24 * day + 22)[name_salon(0)].limit_hours for day in range(57, 62)}
    assert limits.pop(61) > 38  # from Saturday evening to Monday morning
    assert max(limits.values()) < 30


@pytest.mark.parametrize("others", [0, 20])
@pytest.mark.parametrize("level", [5, 40])
def test_a_salon_closed_on_sundays_is_not_silent_over_the_weekend_but_from_then_on(others: int, level: float) -> None:
    random = np.random.default_rng(3)
    salons = [simulate(random, level, week=CLOSED_SUNDAYS), *(simulate(random, 40) for _ in range(others))]
    saturday = 24 * 61
    for hour in range(saturday + 22, saturday + 24 + 32, 5):  # to Monday at eight
        assert not look(salons, hour)[name_salon(0)].is_unusual
    assert find_delay(salons, stop=saturday + 21) > 34
    assert find_delay(salons, stop=saturday + 21) <= 96


def test_nights_are_no_silence() -> None:
    salons = [simulate(np.random.default_rng(4), 40)]
    assert not any(look(salons, 24 * 62 + hour)[name_salon(0)].is_unusual for hour in range(24))


def test_a_past_outage_does_not_hide_the_next_stop() -> None:
    random = np.random.default_rng(5)
    salons = [simulate(random, 40) for _ in range(12)]
    steady = look(salons, 24 * 66 + 21)[name_salon(0)]
    outage = (salons[0] > 24 * 45 + 12) & (salons[0] < 24 * 52 + 12)
    disturbed = look([salons[0][~outage], *salons[1:]], 24 * 66 + 21)[name_salon(0)]  # the same weekday, a Thursday
    assert disturbed.limit_hours < 1.2 * steady.limit_hours


def test_an_outage_of_the_whole_chain_does_not_hide_the_next_one() -> None:
    random = np.random.default_rng(6)
    salons = [simulate(random, 40) for _ in range(12)]
    salons = [written[(written < 24 * 45 + 12) | (written > 24 * 49 + 12)] for written in salons]
    assert find_delay(salons, stop=24 * 64 + 15) <= 72


def test_a_salon_with_three_active_days_leans_on_the_rhythm_of_its_pool() -> None:
    random = np.random.default_rng(7)
    pool = [simulate(random, 40) for _ in range(12)]
    new = simulate(random, 40)
    salons = [new[new > 24 * 58], *pool]
    found = look(salons, 24 * 61 + 23)
    limits = [verdict.limit_hours for tenant_id, verdict in found.items() if tenant_id != name_salon(0)]
    assert found[name_salon(0)].limit_hours == pytest.approx(median(limits), rel=0.35)
    alone = look(salons[:1], 24 * 61 + 23)[name_salon(0)]
    assert alone.limit_hours > 1.2 * look([new], 24 * 61 + 23)[name_salon(0)].limit_hours


def test_a_salon_with_one_message_is_judged_by_its_pool_and_alone_not_at_all() -> None:
    pool = [simulate(np.random.default_rng(8), 40)]
    hello = np.array([24.0 * 60 + 12])
    found = look([hello, *pool], 24 * 60 + 20)
    assert found[name_salon(0)].usual_hours == pytest.approx(found[name_salon(1)].usual_hours, rel=0.2)
    assert not found[name_salon(0)].is_unusual
    assert look([hello, *pool], 24 * 66)[name_salon(0)].is_unusual
    assert look([hello], 24 * 66) == {}


def test_nothing_at_all_is_judged_without_any_message() -> None:
    assert judge_freshness(silences=[], last_messages=[], present=MONDAY) == []
    stray = LongestSilence(name_salon(0), MONDAY.date(), 12)
    assert judge_freshness(silences=[stray], last_messages=[], present=MONDAY) == []


def test_a_silence_that_is_not_over_is_no_history() -> None:
    today = MONDAY + timedelta(days=20)
    past = [LongestSilence(name_salon(0), (today - timedelta(days=age)).date(), 12.0) for age in range(1, 20)]
    last = [LastMessage(name_salon(0), today, today.date())]
    (without,) = judge_freshness(silences=past, last_messages=last, present=today)
    so_far = LongestSilence(name_salon(0), today.date(), 0.1)
    assert judge_freshness(silences=[*past, so_far], last_messages=last, present=today) == [without]


def test_usual_is_the_median_of_the_longest_silences_a_day() -> None:
    hours = [10.0, 11.0, 13.0, 40.0, 12.5]
    past = [LongestSilence(name_salon(0), (MONDAY + timedelta(days=day)).date(), x) for day, x in enumerate(hours)]
    past.append(LongestSilence(name_salon(1), MONDAY.date(), 90.0))
    last_at = MONDAY + timedelta(days=5, hours=20)
    verdict, _ = sorted(
        judge_freshness(
            silences=past,
            last_messages=[LastMessage(name_salon(row), last_at, last_at.date()) for row in range(2)],
            present=last_at + timedelta(hours=3, minutes=30),
        ),
        key=lambda found: found.tenant_id != name_salon(0),
    )
    assert (verdict.usual_hours, verdict.silent_hours) == (12.5, 3.5)
    assert verdict.last_message_at == last_at


def test_the_more_salons_are_judged_the_longer_each_may_be_silent() -> None:
    random = np.random.default_rng(9)
    written = simulate(random, 40)
    alone = look([written], 24 * 62)[name_salon(0)]
    among = look([written] * 50, 24 * 62)[name_salon(0)]
    assert among.limit_hours > 1.2 * alone.limit_hours


@given(
    salons=st.lists(
        st.lists(st.floats(0, 1400) | st.sampled_from([0.0, 24.0]), max_size=20), min_size=1, max_size=4
    ),
    alpha=st.sampled_from([1.0, 0.05, 1e-6]),
)  # fmt: skip
def test_any_silences_give_finite_limits(salons: list[list[float]], alpha: float) -> None:
    silences = [
        LongestSilence(name_salon(row), (MONDAY + timedelta(days=day)).date(), hours)
        for row, listed in enumerate(salons)
        for day, hours in enumerate(listed)
    ]
    last_at = MONDAY + timedelta(days=21)
    last = [LastMessage(name_salon(row), last_at, last_at.date()) for row in range(len(salons))]
    found = judge_freshness(silences=silences, last_messages=last, present=last_at, alpha=alpha)
    assert len(found) == (len(salons) if silences else 0)
    for verdict in found:
        assert 0 < verdict.limit_hours < math.inf
        assert 0 <= verdict.usual_hours < math.inf


@given(hours=st.floats(0.1, 300), weeks=st.integers(1, 4), more=st.integers(1, 4))
def test_fewer_days_of_the_same_silences_move_the_limit_away(hours: float, weeks: int, more: int) -> None:
    limits = []
    for length in (weeks, weeks + more):
        (verdict,) = judge_freshness(
            silences=[
                LongestSilence(name_salon(0), (MONDAY - timedelta(days=age)).date(), hours)
                for age in range(1, 7 * length + 1)
            ],
            last_messages=[LastMessage(name_salon(0), MONDAY, MONDAY.date())],
            present=MONDAY,
        )
        limits.append(verdict.limit_hours)
    assert limits[0] > limits[1] > hours
