"""What is wrong at this moment, and the ledger of it, `quality.problems` (issue 5: "once per problem, with recovery").

A problem is a state, not an event: it is there as long as what runs have left behind says so, under a key that stays
the same, however often it is looked at. Five kinds: a job whose last run did not end well, a critical check that does
not pass, marts that are not renewed in time, a salon that has fallen silent, and a digest that nobody took. Warnings
are never problems. Titles and details go out to people: they hold no passwords, and of clients neither names, phones
nor texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from agentp.locks import lock_until_commit
from agentp.redaction import scrub_error

Connection = psycopg.Connection[Any]

LEDGER_LOCK = "problems"
"""The lock under which the ledger is brought up to date."""
LONGEST_WAIT = "60s"
"""For whoever else looks or tells: a receiver takes seconds at most."""
LONGEST_ERROR = 200
"""Characters of an error that a detail quotes."""

# A failed run that somebody runs again is at work under its old id; it has failed until it has ended well.
_READ_RUNS = """
select runs.job, runs.outcome, runs.as_of, runs.started_at, coalesce(runs.error, failed.error), failed.step
from (select distinct job from quality.job_runs) as jobs
cross join lateral (
    select * from quality.job_runs as runs
    where runs.job = jobs.job and (
        runs.outcome <> 'running' or exists (
            select 1 from quality.job_steps as steps
            where steps.run_id = runs.run_id and steps.outcome in ('failed', 'died')
        )
    )
    order by runs.started_at desc, runs.run_id desc limit 1
) as runs
left join lateral (
    select
        steps.step,
        (array_agg(steps.error order by steps.attempt desc) filter (where steps.error is not null))[1] as error
    from quality.job_steps as steps where steps.run_id = runs.run_id
    group by steps.step having bool_or(steps.outcome in ('failed', 'died'))
    order by bool_or(steps.outcome = 'succeeded'), min(steps.started_at), steps.step limit 1
) as failed on true
where runs.outcome <> 'succeeded'
order by runs.job
"""

_READ_CHECKS = """
select asset, check_name, rows_failed, is_blocking from quality.latest_checks
where severity = 'critical' and not has_passed order by asset, check_name
"""

_READ_DAILY_RUNS = """
select min(started_at), max(finished_at) filter (where outcome = 'succeeded') from quality.job_runs where job = 'daily'
"""

# A salon that has been silent for longer than its past is read has no verdict any more: the last one stands until it
# writes again or is closed. So runs do not matter here, days do; some beyond the present are of builds for later days.
_READ_SILENCES = """
select distinct on (tenant_id) tenant_id, observed, expected, is_unusual
from quality.volumes
where measure = 'silent_hours' and day <= (%s at time zone 'UTC')::date + 1
order by tenant_id, day desc
"""

# By way of JSON, because older shapes of the table lack columns.
_READ_SALONS = """
select salon ->> 'id', coalesce(salon ->> 'name', '')
from (select to_jsonb(tenants) as salon from public.tenants_v2 as tenants) as salons
where coalesce(salon ->> 'is_active', 'true') = 'true'
"""

# What failed is tried again for two days; after that nobody is to mend it any more.
_READ_FAILED_DIGESTS = """
select tenant_id, kind, day, error from (
    select distinct on (tenant_id, kind) tenant_id, kind, day, outcome, error
    from quality.digests
    where day >= (%(present)s at time zone 'UTC')::date - 3
    order by tenant_id, kind, day desc
) as digests
where outcome = 'failed'
order by tenant_id, kind
"""

_CLOSE = """
update quality.problems set closed_at = greatest(opened_at, %(present)s)
where closed_at is null and problem_key <> all(%(key)s) returning problem_key, kind, title, detail
"""

_RENEW = """
update quality.problems as standing set title = found.title, detail = found.detail
from unnest(%(key)s::text[], %(title)s::text[], %(detail)s::text[]) as found (problem_key, title, detail)
where standing.closed_at is null and standing.problem_key = found.problem_key
    and (standing.title, standing.detail) is distinct from (found.title, found.detail)
"""

_OPEN = """
insert into quality.problems (problem_key, kind, title, detail, opened_at)
select found.*, %(present)s
from unnest(%(key)s::text[], %(kind)s::text[], %(title)s::text[], %(detail)s::text[]) as found
on conflict (problem_key) where closed_at is null do nothing returning problem_key
"""


@dataclass(frozen=True)
class Problem:
    """Something that is wrong: ``kind`` is run, check, freshness, silence or digest; the rest is for people.

    ``key`` says what it is about and is the same as long as it lasts.
    """

    key: str
    kind: str
    title: str
    detail: str


@dataclass(frozen=True)
class Changes:
    """What one look at the problems did to the ledger."""

    opened: tuple[Problem, ...]
    closed: tuple[Problem, ...]


def find_problems(connection: Connection, *, present: datetime, stale_after: timedelta) -> list[Problem]:
    """Return what is wrong at the moment ``present``; only reads.

    ``stale_after`` is how long ago the last daily run may have ended well. Tables that are not there (yet) say nothing.
    """
    problems: list[Problem] = []
    if _is_there(connection, "quality.job_runs", "quality.job_steps"):
        problems += _find_failed_runs(connection)
        problems += _find_staleness(connection, limit=present - stale_after, stale_after=stale_after)
    if _is_there(connection, "quality.latest_checks"):
        problems += _find_failed_checks(connection)
    if _is_there(connection, "quality.volumes"):
        problems += _find_silences(connection, present=present)
    if _is_there(connection, "quality.digests"):
        problems += _find_failed_digests(connection, present=present)
    return problems


def sync_problems(connection: Connection, found: Iterable[Problem], *, present: datetime) -> Changes:
    """Bring the ledger to what was found, in one transaction: open what is new, renew what stands, close what is gone.

    What was closed and comes back is a new problem. Two processes take turns; who wants nothing to change between
    finding and this holds the lock from before (`hold_lock`). Needs the tables of `prepare_history`.
    """
    by_key = {problem.key: problem for problem in found}
    columns = {name: [getattr(problem, name) for problem in by_key.values()] for name in Problem.__annotations__}
    with connection.transaction():
        hold_lock(connection, LEDGER_LOCK)
        closed = connection.execute(_CLOSE, {"present": present, **columns}).fetchall()
        connection.execute(_RENEW, columns)
        opened = connection.execute(_OPEN, {"present": present, **columns}).fetchall()
    return Changes(
        opened=tuple(by_key[key] for (key,) in opened),
        closed=tuple(sorted((Problem(*row) for row in closed), key=lambda problem: problem.key)),
    )


def hold_lock(connection: Connection, lock: str) -> None:
    """Hold a lock until the transaction ends; who waits too long gets `psycopg.errors.LockNotAvailable`."""
    connection.execute("select set_config('lock_timeout', %s, true)", (LONGEST_WAIT,))
    lock_until_commit(connection, lock)


def _is_there(connection: Connection, *relations: str) -> bool:
    row = connection.execute(
        "select bool_and(to_regclass(name) is not null) from unnest(%s::text[]) as name", (list(relations),)
    ).fetchone()
    return bool(row and row[0])


def _find_failed_runs(connection: Connection) -> list[Problem]:
    problems = []
    for job, outcome, as_of, started_at, error, step in connection.execute(_READ_RUNS).fetchall():
        what = "died: its process went without a word" if outcome == "died" else "failed"
        where = f" at step {step}" if step and not (error or "").startswith(f"{step}:") else ""
        detail = f"Started {_show_time(started_at)} as of {as_of}; {what.split(':')[0]}{where}: {_clean(error)}"
        problems.append(Problem(f"run/{job}", "run", f"Run {job} {what}", detail))
    return problems


def _find_failed_checks(connection: Connection) -> list[Problem]:
    problems = []
    for asset, check, rows, is_blocking in connection.execute(_READ_CHECKS).fetchall():
        count = (
            "An unknown number of rows fails" if rows is None else f"{rows} row{' fails' if rows == 1 else 's fail'}"
        )
        effect = "is not built until it passes" if is_blocking else "is built all the same"
        detail = f"{count} this critical check; what is downstream {effect}."
        problems.append(Problem(f"check/{asset}/{check}", "check", f"{asset}: {check} does not pass", detail))
    return problems


def _find_staleness(connection: Connection, *, limit: datetime, stale_after: timedelta) -> list[Problem]:
    first, last = connection.execute(_READ_DAILY_RUNS).fetchone() or (None, None)
    # A new installation is not late: nothing was asked of it for that long.
    if first is None or first >= limit or (last is not None and last >= limit):
        return []
    since = f"The last daily run that ended well did so {_show_time(last)}" if last else (
        f"No daily run has ended well since the first, {_show_time(first)}"
    )  # fmt: skip
    detail = f"{since}; one is expected every {stale_after.total_seconds() / 3600:g} hours."
    return [Problem("freshness/marts", "freshness", "The marts are out of date", detail)]


def _find_silences(connection: Connection, *, present: datetime) -> list[Problem]:
    salons = _read_salons(connection)
    problems = []
    for tenant_id, observed, expected, is_unusual in connection.execute(_READ_SILENCES, (present,)).fetchall():
        tenant = str(tenant_id)
        if not is_unusual or (salons is not None and tenant not in salons):
            continue
        detail = f"Silent for {observed:,.0f} hours when last judged; its longest silences last {expected:,.0f} hours."
        title = f"{(salons or {}).get(tenant) or f'Salon {tenant}'} has fallen silent"
        problems.append(Problem(f"silence/{tenant}", "silence", title, detail))
    return problems


def _find_failed_digests(connection: Connection, *, present: datetime) -> list[Problem]:
    salons = _read_salons(connection)
    problems = []
    for tenant_id, kind, day, error in connection.execute(_READ_FAILED_DIGESTS, {"present": present}).fetchall():
        tenant = str(tenant_id)
        if salons is not None and tenant not in salons:
            continue
        title = f"{(salons or {}).get(tenant) or f'Salon {tenant}'} did not get its {kind} digest"
        detail = f"That of {day}: {_clean(error)}"
        problems.append(Problem(f"digest/{tenant}/{kind}", "digest", title, detail))
    return problems


def _read_salons(connection: Connection) -> dict[str, str] | None:
    """Return the names of active salons by id; none where there is no table of salons."""
    if not _is_there(connection, "public.tenants_v2"):
        return None
    return {tenant_id: " ".join(name.split())[:80] for tenant_id, name in connection.execute(_READ_SALONS)}


def _show_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M %Z}"


def _clean(error: str | None) -> str:
    """Return an error's first line without secrets and without what stood in rows."""
    line = scrub_error(error or "") or "no error was noted"
    return line if len(line) <= LONGEST_ERROR else f"{line[:LONGEST_ERROR]}…"
