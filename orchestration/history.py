"""What runs leave behind in schema `quality`: runs, steps, results of checks (issue 5, "queryable for BI")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from agentp.redaction import scrub_error
from orchestration.partitions import Days

Connection = psycopg.Connection[Any]
LONGEST_ERROR = 2000


@dataclass(frozen=True, kw_only=True)
class RunStart:
    """One run as it begins; ``days`` are those it was asked to build anew, if any."""

    run_id: str
    job: str
    started_by: str
    as_of: str
    days: Days | None = None
    backfill_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """How one check came out; ``asset`` is schema.relation, ``severity`` critical or warning."""

    asset: str
    check_name: str
    severity: str
    is_blocking: bool
    has_passed: bool
    rows_failed: int | None


def open_run(connection: Connection, run: RunStart, *, alone_among: Iterable[str]) -> None:
    """Note that a run begins. Call while holding the lock that runs of these jobs hold.

    ``alone_among`` names the jobs of which none else can be at work now: what still says so died, and is closed.
    """
    connection.execute(
        "with died as (update quality.job_runs set outcome = 'died', finished_at = clock_timestamp(), "
        "error = 'Its process went without a word.' where outcome = 'running' and job = any(%s) and run_id <> %s "
        "returning run_id) update quality.job_steps set outcome = 'died', finished_at = clock_timestamp() "
        "where outcome = 'running' and run_id in (select run_id from died)",
        (list(alone_among), run.run_id),
    )
    connection.execute(
        "insert into quality.job_runs (run_id, job, started_by, as_of, first_day, last_day, backfill_id, started_at) "
        "values (%s, %s, %s, %s, %s, %s, %s, clock_timestamp()) "
        # Failed steps that somebody runs again keep their run.
        "on conflict (run_id) do update set outcome = 'running', finished_at = null, error = null",
        (
            run.run_id, run.job, run.started_by, run.as_of,
            run.days.first if run.days else None, run.days.last if run.days else None, run.backfill_id,
        ),
    )  # fmt: skip


def open_step(connection: Connection, *, run_id: str, step: str, attempt: int) -> None:
    """Note that an attempt at a step begins."""
    connection.execute(
        "insert into quality.job_steps (run_id, step, attempt, started_at) values (%s, %s, %s, clock_timestamp()) "
        "on conflict (run_id, step, attempt) do update set started_at = excluded.started_at, finished_at = null, "
        "outcome = 'running', error = null",
        (run_id, step, attempt),
    )


def close_step(
    connection: Connection, *, run_id: str, step: str, attempt: int, outcome: str, error: str | None = None
) -> None:
    """Note how an attempt ended: succeeded, failed or retried."""
    connection.execute(
        "update quality.job_steps set outcome = %s, error = %s, finished_at = clock_timestamp() "
        "where run_id = %s and step = %s and attempt = %s",
        (outcome, _shorten(error), run_id, step, attempt),
    )


def close_run(connection: Connection, *, run_id: str) -> None:
    """Note how a run ended: as its steps and the checks that stop what is downstream did."""
    connection.execute(
        "update quality.job_steps set outcome = 'failed', error = 'Stopped from outside.', "
        "finished_at = clock_timestamp() where run_id = %s and outcome = 'running'",
        (run_id,),
    )
    connection.execute(
        "update quality.job_runs as runs set finished_at = clock_timestamp(), "
        "outcome = case when steps.failed is null and checks.failed is null then 'succeeded' else 'failed' end, "
        "error = coalesce(steps.failed, checks.failed) "
        "from (select (array_agg(latest.step || ': ' || coalesce(latest.error, latest.outcome) "
        "order by latest.started_at) filter (where latest.outcome <> 'succeeded'))[1] as failed "
        "from (select distinct on (step) * from quality.job_steps where run_id = %(run)s "
        "order by step, attempt desc) as latest) as steps, "
        "(select 'checks failed: ' || string_agg(asset || ' ' || check_name, ', ' order by asset, check_name) "
        "as failed "
        "from quality.check_results where run_id = %(run)s and is_blocking and not has_passed) as checks "
        "where runs.run_id = %(run)s",
        {"run": run_id},
    )


def fail_run(connection: Connection, *, run_id: str, job: str, error: str) -> None:
    """Note that a run failed whose own process could not: it was killed, or never got to the database."""
    connection.execute(
        "insert into quality.job_runs as runs "
        "(run_id, job, started_by, as_of, started_at, finished_at, outcome, error) "
        "values (%(run)s, %(job)s, 'unknown', '', clock_timestamp(), clock_timestamp(), 'failed', %(error)s) "
        "on conflict (run_id) do update set "
        "(outcome, finished_at, error) = ('died', excluded.finished_at, excluded.error) "
        "where runs.outcome = 'running'",
        {"run": run_id, "job": job, "error": _shorten(error)},
    )
    connection.execute(
        "update quality.job_steps set outcome = 'died', finished_at = clock_timestamp() "
        "where run_id = %s and outcome = 'running'",
        (run_id,),
    )


def write_checks(connection: Connection, results: Iterable[CheckResult], *, run_id: str) -> None:
    """Keep results of checks; one that is evaluated again in the same run replaces its own."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into quality.check_results "
            "(run_id, asset, check_name, severity, is_blocking, has_passed, rows_failed, checked_at) "
            "values (%s, %s, %s, %s, %s, %s, %s, clock_timestamp()) on conflict (run_id, asset, check_name) "
            "do update set (severity, is_blocking, has_passed, rows_failed, checked_at) = (excluded.severity, "
            "excluded.is_blocking, excluded.has_passed, excluded.rows_failed, excluded.checked_at)",
            [
                (
                    run_id, result.asset, result.check_name, result.severity, result.is_blocking, result.has_passed,
                    result.rows_failed,
                )
                for result in results
            ],
        )  # fmt: skip


def _shorten(error: str | None) -> str | None:
    return scrub_error(error)[:LONGEST_ERROR] if error else None
