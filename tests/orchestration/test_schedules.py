"""When runs begin, and what they are as of: clock changes, month ends, salons at both ends of the earth."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import cron_string_iterator

from agentp.settings import Settings
from orchestration.defs.schedules import build_schedules, request_run
from orchestration.partitions import define_days
from orchestration.tags import AS_OF, ONLY_CHANGES


def list_ticks(zone: str, *, after: str, count: int, name: str = "daily_schedule") -> list[str]:
    """Return the local times of a schedule's next ticks."""
    settings = Settings(schedule_timezone=zone)
    [schedule] = [found for found in build_schedules(settings) if found.name == name]
    ticks = cron_string_iterator(
        datetime.fromisoformat(after).timestamp(), str(schedule.cron_schedule), schedule.execution_timezone
    )
    return [tick.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes") for tick in islice(ticks, count)]


@pytest.mark.parametrize(
    ("zone", "after", "ticks"),
    [
        ("Europe/Moscow", "2026-02-27T12:00+00:00", ["2026-02-28T01:00+03:00", "2026-03-01T01:00+03:00"]),
        ("Asia/Vladivostok", "2026-12-30T12:00+00:00", ["2026-12-31T01:00+10:00", "2027-01-01T01:00+10:00"]),
        # Clocks go forward at 02:00 on 8 March, and back at 02:00 on 1 November: 01:00 comes twice, the run once.
        ("America/New_York", "2026-03-07T12:00+00:00", ["2026-03-08T01:00-05:00", "2026-03-09T01:00-04:00"]),
        ("America/New_York", "2026-10-31T12:00+00:00", ["2026-11-01T01:00-05:00", "2026-11-02T01:00-05:00"]),
        # Clocks go forward from 00:00 to 01:00.
        ("Atlantic/Azores", "2026-03-28T12:00+00:00", ["2026-03-29T01:00+00:00", "2026-03-30T01:00+00:00"]),
    ],
)
def test_the_daily_run_begins_once_a_night_at_one(zone: str, after: str, ticks: list[str]) -> None:
    assert list_ticks(zone, after=after, count=2) == ticks


def test_the_hourly_run_begins_in_every_hour_of_the_night_that_has_one_twice() -> None:
    ticks = list_ticks("America/New_York", after="2026-11-01T04:00+00:00", count=4, name="hourly_schedule")
    assert ticks == [
        "2026-11-01T00:30-04:00", "2026-11-01T01:30-04:00", "2026-11-01T01:30-05:00", "2026-11-01T02:30-05:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "scheduled", "day"),
    [
        ("Europe/Moscow", "2026-02-28T22:00+00:00", "2026-02-28"),
        ("Europe/Moscow", "2026-12-31T22:00+00:00", "2026-12-31"),
        ("Asia/Vladivostok", "2026-02-28T15:00+00:00", "2026-02-28"),
        ("America/New_York", "2026-03-01T06:00+00:00", "2026-02-28"),
        ("America/New_York", "2026-11-01T05:00+00:00", "2026-10-31"),
        ("America/New_York", "2028-03-01T06:00+00:00", "2028-02-29"),
    ],
)
def test_a_run_is_as_of_the_moment_it_was_due_and_filed_under_the_last_day(zone: str, scheduled: str, day: str) -> None:
    settings = Settings(schedule_timezone=zone)
    moment = datetime.fromisoformat(scheduled)
    request = request_run(moment.astimezone(ZoneInfo(zone)), timezone=zone, settings=settings)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == day
    assert request.tags[AS_OF] == request.run_key == moment.astimezone(UTC).isoformat()
    assert request.tags[ONLY_CHANGES] == "true"
    assert define_days(settings).get_partition_keys(current_time=moment)[-1] == day


def test_a_schedule_that_is_evaluated_asks_for_that_run(loaded: dg.Definitions) -> None:
    repository = loaded.get_repository_def()
    schedule = repository.get_schedule_def("daily_schedule")
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 2, 27, 22, tzinfo=UTC), repository_def=repository
    )
    ticked = schedule.evaluate_tick(context)
    [request] = ticked.run_requests or []
    assert (request.partition_key, request.tags[AS_OF]) == ("2026-02-27", "2026-02-27T22:00:00+00:00")


def test_before_the_first_day_nothing_runs() -> None:
    settings = Settings(first_day=date(2026, 3, 1))
    skipped = request_run(datetime(2026, 2, 27, 22, tzinfo=UTC), timezone="Europe/Moscow", settings=settings)
    assert isinstance(skipped, dg.SkipReason)
    assert "2026-02-27 is before AGENTP_FIRST_DAY" in (skipped.skip_message or "")


def test_schedules_run_as_soon_as_they_are_deployed() -> None:
    assert {schedule.default_status for schedule in build_schedules(Settings())} == {dg.DefaultScheduleStatus.RUNNING}
