"""Backfills by command: past days computed anew in chunks, taken up where they stopped (issue 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg

from agentp.database import open_connection
from agentp.errors import SetupError
from agentp.pipeline import MartChange, check_marts, find_last_moment, read_last_changes
from agentp.settings import Settings
from orchestration.partitions import Days
from orchestration.runs import run_days
from orchestration.schema import prepare_history
from orchestration.targets import Listener
from sources.sight import require_sight


@dataclass(frozen=True, kw_only=True)
class BackfillReport:
    """What a backfill did: chunks computed, chunks that were done before, and what the last one changed."""

    as_of: str
    computed: int
    passed_over: int
    changes: tuple[MartChange, ...]


def run_backfill(
    settings: Settings, url: str, days: Days, *, chunk_days: int, listener: Listener, accept_removals: bool = False
) -> BackfillReport:
    """Compute the days anew, as of the last build, which keeps its present: no later day is touched.

    Chunks that were finished by a backfill of the same days that did not end are passed over. Raises `SetupError` where
    nothing has been built or the days lie after the last build, and `BuildError` where data tests fail afterwards.
    """
    with open_connection(url, autocommit=True) as connection:
        require_sight(connection)
        prepare_history(connection)
        as_of = _find_present(connection, days)
        backfill_id = _take_up(connection, days, chunk_days=chunk_days)
        done = connection.execute(
            "select first_day, last_day from quality.job_runs where backfill_id = %s and outcome = 'succeeded'",
            (backfill_id,),
        ).fetchall()
        finished = {Days(first, last) for first, last in done}
    chunks = days.cut(chunk_days)
    for chunk in chunks:
        if chunk not in finished:
            listener.note(str(chunk))
            run_days(
                settings, chunk, as_of=as_of, backfill_id=backfill_id, listener=listener,
                accept_removals=accept_removals,
            )  # fmt: skip
    with open_connection(url, autocommit=True) as connection:
        connection.execute(
            "update quality.backfills set finished_at = clock_timestamp() where backfill_id = %s", (backfill_id,)
        )
    listener.note("data tests")
    check_marts(settings, url, as_of=as_of)
    return BackfillReport(
        as_of=as_of, computed=len(chunks) - len(finished), passed_over=len(finished),
        changes=tuple(read_last_changes(url)),
    )  # fmt: skip


def _find_present(connection: psycopg.Connection[tuple[object, ...]], days: Days) -> str:
    row = None
    built = connection.execute("select to_regclass('build.runs') is not null").fetchone()
    if built and built[0]:
        row = connection.execute(
            "select as_of from build.runs where outcome = 'complete' order by finished_at desc limit 1"
        ).fetchone()
    if row is None:
        raise SetupError("Nothing has been built, so there is nothing to compute anew.", cure="Run `agentp run` first.")
    as_of = str(row[0])
    last: datetime = find_last_moment(as_of)
    if days.last > last.date():
        raise SetupError(
            f"{days.last} lies after the last build, which is as of {as_of}.",
            cure="Name days up to then, or run `agentp run` first.",
        )
    return as_of


def _take_up(connection: psycopg.Connection[tuple[object, ...]], days: Days, *, chunk_days: int) -> int:
    """The backfill of these days that did not end, else a new one."""
    row = (
        connection.execute(
            "select backfill_id from quality.backfills where finished_at is null "
            "and (first_day, last_day, chunk_days) = (%s, %s, %s) order by backfill_id desc limit 1",
            (days.first, days.last, chunk_days),
        ).fetchone()
        or connection.execute(
            "insert into quality.backfills (first_day, last_day, chunk_days) values (%s, %s, %s) returning backfill_id",
            (days.first, days.last, chunk_days),
        ).fetchone()
    )
    if row is None:
        raise AssertionError("an insert that returns gave no row")
    return int(str(row[0]))
