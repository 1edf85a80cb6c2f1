"""Moments on a coarse grid around the times at which clocks and days turn, so that edges meet often."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

TIMEZONES = (
    "Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Vladivostok", "Asia/Kolkata",
    "Mars/Base", "", None, 5,
)  # fmt: skip
SCENES = (
    datetime(2026, 2, 10, 8, 0, tzinfo=UTC),
    datetime(2026, 2, 10, 20, 0, tzinfo=UTC),  # 21:00Z is midnight in Moscow
    datetime(2026, 2, 10, 22, 0, tzinfo=UTC),  # 23:00Z is midnight in Berlin
    datetime(2026, 2, 11, 4, 0, tzinfo=UTC),  # 05:00Z is midnight in New York
    datetime(2026, 2, 11, 13, 0, tzinfo=UTC),  # 14:00Z is midnight in Vladivostok
    datetime(2025, 10, 25, 21, 0, tzinfo=UTC),  # the 25-hour day in Berlin begins at 22:00Z
    datetime(2025, 10, 26, 0, 0, tzinfo=UTC),  # 02:30 comes twice in Berlin
    datetime(2025, 10, 26, 22, 0, tzinfo=UTC),  # and ends at 23:00Z
    datetime(2025, 11, 2, 5, 0, tzinfo=UTC),  # 01:30 comes twice in New York
    datetime(2026, 3, 8, 4, 0, tzinfo=UTC),  # the 23-hour day in New York begins at 05:00Z
    datetime(2026, 3, 9, 3, 0, tzinfo=UTC),  # and ends at 04:00Z
    datetime(2026, 3, 28, 22, 0, tzinfo=UTC),  # the 23-hour day in Berlin begins at 23:00Z
    datetime(2026, 3, 29, 21, 0, tzinfo=UTC),  # and ends at 22:00Z
    datetime(2025, 12, 31, 20, 0, tzinfo=UTC),  # New Year in Moscow
)
OLD_SCENES = (
    datetime(2014, 12, 31, 20, 0, tzinfo=UTC),  # the calendar's first day begins in Moscow
    datetime(1970, 1, 1, 0, 0, tzinfo=UTC),
)
AS_OF_DAYS = (
    date(2025, 10, 26), date(2026, 2, 10), date(2026, 2, 11), date(2026, 2, 28), date(2026, 3, 29), date(2026, 3, 30),
)  # fmt: skip
MINUTES = (0, 5, 10, 30, 31, 40, 59, 60, 61, 70, 90, 100, 120)
JITTERS = (0, 0, 0, 0, 1_000_000, 500_000, 1_500)


def draw_minutes(random: Random) -> timedelta:
    """Draw a length on the coarse grid."""
    return timedelta(minutes=random.choice(MINUTES))


def draw_jitter(random: Random) -> timedelta:
    """Draw what takes a moment off the grid, mostly nothing."""
    return timedelta(microseconds=random.choice(JITTERS))


def draw_scenes(random: Random) -> list[datetime]:
    """Draw the few times at which everything of one world happens, now and then in the old days."""
    several = random.sample(SCENES, random.randint(1, 3))
    # Every day since then is a row of some marts.
    return [*several * 3, random.choice(OLD_SCENES)] if random.random() < 0.03 else several


def draw_moment(random: Random, scenes: list[datetime]) -> datetime:
    """Draw a moment close to one of these scenes."""
    return random.choice(scenes) + draw_minutes(random) + draw_jitter(random)


def draw_start(random: Random, scenes: list[datetime]) -> datetime:
    """Draw a session's start: few moments, so that sessions of one client start together."""
    if random.random() < 1 / 3:
        return draw_moment(random, scenes)
    return random.choice(scenes) + timedelta(minutes=random.choice((0, 0, 0, 30, 60)))
