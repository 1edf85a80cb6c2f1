"""When runs begin (REQUIREMENTS D1)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from agentp.settings import Settings
from orchestration.partitions import find_schedule_timezone
from orchestration.tags import AS_OF, DAILY, DIGESTS, HOURLY, ONLY_CHANGES
from systems.registry import has_step


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return the daily run at 01:00, where the settings say it lives, the hourly one, half past each hour, and digests.

    Digests look every hour, because 09:00 comes to each salon in an hour of its own; five minutes past it, and well
    after the hourly run has closed the day.
    """
    zone = find_schedule_timezone(settings)

    def request(context: dg.ScheduleEvaluationContext) -> Any:
        return request_run(context.scheduled_execution_time, timezone=zone, settings=settings)

    schedules = [
        dg.ScheduleDefinition(
            name=f"{name}_schedule", job_name=name, cron_schedule=cron, execution_timezone=zone,
            execution_fn=request, default_status=dg.DefaultScheduleStatus.RUNNING, description=meaning,
        )
        for name, cron, meaning in (
            (DAILY, "0 1 * * *", "Everything, once a night."),
            (HOURLY, "30 * * * *", "Risk of bookings ahead; days that are over where the salon lives become final."),
        )
    ]  # fmt: skip
    if has_step("digests"):
        schedules.append(dg.ScheduleDefinition(
            name=f"{DIGESTS}_schedule", job_name=DIGESTS, cron_schedule="5 * * * *", execution_timezone=zone,
            execution_fn=request_digests, default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Digests of the day, and on Mondays of the week, from 09:00 where the salon lives.",
        ))  # fmt: skip
    return schedules


def request_digests(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Return the run that sends what is due when it begins, not when it was asked for: nobody gets old letters."""
    return dg.RunRequest(run_key=context.scheduled_execution_time.astimezone(UTC).isoformat())


def request_run(scheduled: datetime, *, timezone: str, settings: Settings) -> dg.RunRequest | dg.SkipReason:
    """Return the run that is due at ``scheduled``: as of that moment, filed under the last day that is over.

    Its present is the moment it was due, not the one at which it begins: run again, it does the same. Which days of
    which salon it makes final says the salon's own clock, not the schedule's (metrics_dailies.is_final).
    """
    day = scheduled.astimezone(ZoneInfo(timezone)).date() - timedelta(days=1)
    if day < settings.first_day:
        return dg.SkipReason(f"{day} is before AGENTP_FIRST_DAY, {settings.first_day}.")
    moment = scheduled.astimezone(UTC).isoformat()
    return dg.RunRequest(run_key=moment, partition_key=day.isoformat(), tags={AS_OF: moment, ONLY_CHANGES: "true"})
