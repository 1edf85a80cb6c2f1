"""Moments on a coarse grid around the times at which clocks and days turn, so that edges meet often."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

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

minutes = st.sampled_from(MINUTES).map(lambda number: timedelta(minutes=number))
jitters = st.sampled_from(JITTERS).map(lambda number: timedelta(microseconds=number))
as_of_days = st.sampled_from(AS_OF_DAYS)


def scenes_of_worlds() -> st.SearchStrategy[list[datetime]]:
    """Draw the few times at which everything of one world happens, now and then in the old days."""
    several = st.lists(st.sampled_from(SCENES), min_size=1, max_size=3, unique=True)
    with_old = st.builds(lambda known, old: [*known, *known, *known, old], several, st.sampled_from(OLD_SCENES))
    return st.one_of(several, several, several, several, with_old)


def moments_around(scenes: list[datetime]) -> st.SearchStrategy[datetime]:
    """Draw a moment close to one of these scenes."""
    return st.builds(lambda scene, later, jitter: scene + later + jitter, st.sampled_from(scenes), minutes, jitters)


def starts_around(scenes: list[datetime]) -> st.SearchStrategy[datetime]:
    """Draw a session's start: few moments, so that sessions of one client start together."""
    later = st.sampled_from((0, 0, 0, 30, 60)).map(lambda number: timedelta(minutes=number))
    together = st.builds(lambda scene, wait: scene + wait, st.sampled_from(scenes), later)
    return st.one_of(together, together, moments_around(scenes))
