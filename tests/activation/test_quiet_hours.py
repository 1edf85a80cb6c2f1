"""When messages go out: the salon's own clock, also on the days it changes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activation.quiet_hours import find_send_after, find_zone, is_quiet

ZONES = (
    "Europe/Moscow",
    "Europe/Berlin",
    "Asia/Vladivostok",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
)


def send_after(zone: str, moment: str, quiet_from: str, quiet_until: str) -> str:
    """Return the local time at which a message of that (local) moment goes out, with its offset."""
    tz = ZoneInfo(zone)
    local = datetime.fromisoformat(moment)
    start = local if local.tzinfo else local.replace(tzinfo=tz)
    end = find_send_after(
        start, tz, quiet_from=time.fromisoformat(quiet_from), quiet_until=time.fromisoformat(quiet_until)
    )
    assert end.tzinfo is UTC
    return end.astimezone(tz).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-01 20:59:59", "2026-03-01T20:59+03:00"),
        ("2026-03-01 21:00", "2026-03-02T10:00+03:00"),
        ("2026-03-02 00:00", "2026-03-02T10:00+03:00"),
        ("2026-03-02 09:59:59", "2026-03-02T10:00+03:00"),
        ("2026-03-02 10:00", "2026-03-02T10:00+03:00"),
    ],
)
def test_quiet_hours_over_midnight_end_in_the_morning(moment: str, expected: str) -> None:
    assert send_after("Europe/Moscow", moment, "21:00", "10:00") == expected


def test_quiet_hours_within_a_day_end_on_that_day() -> None:
    assert send_after("Europe/Moscow", "2026-03-01 13:30", "13:00", "15:00") == "2026-03-01T15:00+03:00"
    assert send_after("Europe/Moscow", "2026-03-01 15:00", "13:00", "15:00") == "2026-03-01T15:00+03:00"


def test_equal_times_mean_no_quiet_hours() -> None:
    for moment in ("2026-03-01T00:00+03:00", "2026-03-01T10:00+03:00", "2026-03-01T23:59+03:00"):
        assert send_after("Europe/Moscow", moment, "10:00", "10:00") == moment


def test_the_zone_decides_whether_it_is_night() -> None:
    noon_in_moscow = "2026-03-01T12:00+03:00"
    assert send_after("Europe/Moscow", noon_in_moscow, "18:00", "10:00") == noon_in_moscow
    assert send_after("Asia/Vladivostok", noon_in_moscow, "18:00", "10:00") == "2026-03-02T10:00+10:00"


@pytest.mark.parametrize(
    ("moment", "quiet_until", "expected"),
    [
        # Berlin skips 02:00 to 03:00 on 29 March 2026 and repeats it on 25 October.
        ("2026-03-28T22:00+01:00", "10:00", "2026-03-29T10:00+02:00"),
        ("2026-03-29T01:59+01:00", "02:30", "2026-03-29T03:00+02:00"),
        ("2026-03-29T01:59+01:00", "03:00", "2026-03-29T03:00+02:00"),
        ("2026-10-24T22:00+02:00", "10:00", "2026-10-25T10:00+01:00"),
        ("2026-10-25T01:00+02:00", "02:30", "2026-10-25T02:30+02:00"),
        ("2026-10-25T02:10+01:00", "02:30", "2026-10-25T02:30+01:00"),
    ],
)
def test_they_end_by_the_clock_when_the_clock_changes(moment: str, quiet_until: str, expected: str) -> None:
    assert send_after("Europe/Berlin", moment, "21:00", quiet_until) == expected


@given(
    zone=st.sampled_from(ZONES),
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    quiet_from=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    quiet_until=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)
def test_what_goes_out_is_never_early_never_in_quiet_hours_and_within_a_day(
    zone: str, moment: datetime, quiet_from: time, quiet_until: time
) -> None:
    tz = ZoneInfo(zone)
    hours = {"quiet_from": quiet_from, "quiet_until": quiet_until}
    end = find_send_after(moment, tz, **hours)
    assert moment <= end <= moment + timedelta(hours=25)
    assert not is_quiet(end, tz, **hours)
    assert (end == moment) == (not is_quiet(moment, tz, **hours))


def test_a_zone_that_only_postgres_knows_counts_by_its_offset_of_the_moment() -> None:
    now = datetime(2026, 3, 1, 9, tzinfo=UTC)
    zone = find_zone("Nowhere/Else", local_now=datetime(2026, 3, 1, 16, 30), now=now)  # noqa: DTZ001
    assert zone.utcoffset(None) == timedelta(hours=7, minutes=30)
