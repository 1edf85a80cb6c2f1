"""Jobs in this process, without a scheduler: `agentp run` and `agentp backfill` (issue 5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableJob

from agentp.errors import AgentpError, BuildError, CheckStoppedError
from agentp.pipeline import find_last_moment
from agentp.settings import Settings, read_settings
from orchestration.instances import make_instance
from orchestration.loading import load_definitions
from orchestration.partitions import Days, find_schedule_timezone
from orchestration.tags import (
    ACCEPT_REMOVALS,
    AS_OF,
    BACKFILL,
    BACKFILL_ID,
    DAILY,
    DIGESTS,
    FIRST_PARTITION,
    FORCE,
    HOURLY,
    LAST_PARTITION,
    MIGRATE,
    ONLY_CHANGES,
    PARTITION,
    STARTED_BY,
    WISHES,
)
from orchestration.targets import LISTENER, Listener

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""What happens is told by the listener; Dagster's own log would tell it all a second time."""


class RunFailedError(AgentpError):
    """A run ended with something not done; what was done stands."""


def run_daily(
    settings: Settings, *, as_of: str | None, is_migrated: bool, listener: Listener, accept_removals: bool = False,
    is_forced: bool = False,
) -> None:  # fmt: skip
    """Run the daily job to its end, as of now or of ``as_of``; raise what its first failing step raised.

    ``is_migrated`` says whether raw tables may be altered, ``accept_removals`` that marts may lose more than the brake
    lets go, ``is_forced`` that ``as_of`` may lie ahead. ``listener`` hears of it and gets what steps found.
    """
    zone = ZoneInfo(find_schedule_timezone(settings))
    moment = find_last_moment(as_of) if as_of else datetime.now(UTC)
    tags = {
        AS_OF: as_of or moment.isoformat(), ONLY_CHANGES: "true", MIGRATE: str(is_migrated).lower(),
        PARTITION: (moment.astimezone(zone).date() - timedelta(days=1)).isoformat(), STARTED_BY: "command",
        ACCEPT_REMOVALS: str(accept_removals).lower(), FORCE: str(is_forced).lower(),
    }  # fmt: skip
    _execute(settings, DAILY, tags=tags, listener=listener)


def run_days(
    settings: Settings, days: Days, *, as_of: str, backfill_id: int, listener: Listener, accept_removals: bool = False
) -> None:
    """Compute the days anew, as of the last build; raise what went wrong."""
    tags = {
        AS_OF: as_of, MIGRATE: "false", FIRST_PARTITION: days.first.isoformat(), LAST_PARTITION: days.last.isoformat(),
        STARTED_BY: "command", BACKFILL_ID: str(backfill_id), ACCEPT_REMOVALS: str(accept_removals).lower(),
    }  # fmt: skip
    _execute(settings, BACKFILL, tags=tags, listener=listener)


def load_daily() -> dg.JobDefinition:
    """Return the daily job for the settings of who runs it."""
    return _load(DAILY)


def load_backfill() -> dg.JobDefinition:
    """Return the backfill job for the settings of who runs it."""
    return _load(BACKFILL)


def load_hourly() -> dg.JobDefinition:
    """Return the hourly job for the settings of who runs it."""
    return _load(HOURLY)


def load_wishes() -> dg.JobDefinition:
    """Return the job that reacts to wishes, for the settings of who runs it."""
    return _load(WISHES)


def load_digests() -> dg.JobDefinition:
    """Return the job that sends digests, for the settings of who runs it."""
    return _load(DIGESTS)


LOADERS = {
    DAILY: load_daily, HOURLY: load_hourly, BACKFILL: load_backfill, WISHES: load_wishes, DIGESTS: load_digests,
}  # fmt: skip


def reconstruct_job(job: str) -> ReconstructableJob:
    """Return the job as the executor takes it, for the settings of who runs it now."""
    # Dagster keeps the last job, and the last repository it came from, whichever settings they were made for.
    ReconstructableJob.get_definition.cache_clear()
    ReconstructableJob.get_repository_definition.cache_clear()
    return dg.reconstructable(LOADERS[job])


def _load(job: str) -> dg.JobDefinition:
    listener = LISTENER.get()
    settings = listener.settings if listener else None
    return load_definitions(settings or read_settings()).resolve_job_def(job)


def _execute(settings: Settings, job: str, *, tags: dict[str, str], listener: Listener) -> None:
    listener.settings = settings
    token = LISTENER.set(listener)
    try:
        with make_instance() as instance:
            result = dg.execute_job(reconstruct_job(job), instance=instance, tags=tags, run_config=QUIET)
    finally:
        LISTENER.reset(token)
    if listener.failures:
        raise next(iter(listener.failures.values()))
    verdict = listener.results.get("verdict")
    if verdict is not None and verdict.stopping:
        raise CheckStoppedError(verdict.stopping)
    failed = [check for check in listener.results.get("tests", []) if check.is_blocking and not check.has_passed]
    if failed:
        names = ", ".join(f"{check.check_name} on {check.asset}" for check in failed[:3])
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        raise BuildError(
            f"{len(failed)} data tests failed: {names}{more}. What is downstream of them was not built.",
            cure="`quality.latest_checks` lists them; the rows are found by running their SQL (CONTRIBUTING.md).",
        )
    if not result.success:
        raise RunFailedError("The run failed.", cure="`quality.run_history` and `quality.job_steps` tell where.")
