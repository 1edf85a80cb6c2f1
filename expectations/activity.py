"""Watches what no fixed rule catches: how much is written, begun and booked, and for how long nobody has written.

Volumes (`expectations.volumes`) are judged once a tenant, measure and local day, when the day is over; a day whose
count changed since, because rows came late, is judged anew. Freshness (`expectations.freshness`) is judged in every
run. Both stand in `quality.volumes`; freshness as measure `silent_hours` on the tenant's local day of the run, with
the hours of silence as observed, the usual hours as expected, and the limit as upper bound.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from expectations.freshness import LastMessage, LongestSilence, judge_freshness
from expectations.inspections import Watched
from expectations.standard import get_standard
from expectations.verdicts import Finding
from expectations.volumes import ALPHA, WINDOW_DAYS, AskedDay, DailyCount, VolumeVerdict, judge_volumes
from systems.registry import find_labelled, list_systems
from systems.system import System

SILENCE = "silent_hours"
READ_DAYS = WINDOW_DAYS + 2
"""How far back rows are read: the window, the day that is not over, and the one that is read in part."""
JUDGED_DAYS = 7
"""How many complete days back a day is still judged, or judged anew."""

_READ_TENANTS = """
select
    tenants.tenant_id,
    coalesce(tenants.name, '') as name,
    coalesce(zones.name, %(default_timezone)s) as timezone,
    (%(since)s at time zone coalesce(zones.name, %(default_timezone)s))::date as first_day,
    (%(present)s at time zone coalesce(zones.name, %(default_timezone)s))::date as today
from ({tenants}) as tenants
left join pg_timezone_names as zones
    on zones.name = tenants.timezone
    and zones.name not like 'posix/%%' and zones.name not like 'right/%%' and zones.name <> 'Factory'
where tenants.is_active
"""

_READ_DAYS = """
with tenants as (
    select * from unnest(%(tenants)s::uuid[], %(timezones)s::text[]) as tenants (tenant_id, timezone)
)

select
    tenants.tenant_id,
    (rows.{clock} at time zone tenants.timezone)::date as day,
    max(rows.{clock}) as last_at,
    {silence} as silent_hours,
    {counts}
from {source} as rows
inner join tenants on {tenant} = tenants.tenant_id
where rows.{clock} >= %(since)s and rows.{clock} <= %(present)s
group by tenants.tenant_id, (rows.{clock} at time zone tenants.timezone)::date
"""

_TIMED = """(
    select
        rows.*, lead(rows.{clock}) over (partition by {tenant} order by rows.{clock}, {key}) as next_at,
        {tenant} as watched_tenant_id
    from {table} as rows
    where rows.{clock} >= %(since)s and rows.{clock} <= %(present)s
)"""

_READ_FINDINGS = """
select
    volumes.tenant_id::text, tenants.name, volumes.day, volumes.measure, volumes.observed, volumes.expected,
    volumes.lower_bound, volumes.upper_bound, volumes.is_unusual
from quality.volumes as volumes
inner join unnest(%(tenants)s::uuid[], %(names)s::text[], %(todays)s::date[]) as tenants (tenant_id, name, today)
    on volumes.tenant_id = tenants.tenant_id
where
    volumes.is_unusual
    and (
        volumes.measure = %(silence)s and volumes.day = tenants.today
        or volumes.measure <> %(silence)s and (volumes.day = tenants.today - 1 or volumes.run_id = %(run_id)s)
    )
order by tenants.name, volumes.tenant_id, volumes.day, volumes.measure
"""

_WRITE_VERDICTS = """
insert into quality.volumes as standing
    (tenant_id, day, measure, observed, expected, lower_bound, upper_bound, is_unusual, run_id)
select found.*, %(run_id)s
from unnest(
    %(tenants)s::uuid[], %(days)s::date[], %(measures)s::text[], %(observed)s::double precision[],
    %(expected)s::double precision[], %(lower)s::double precision[], %(upper)s::double precision[],
    %(unusual)s::boolean[]
) as found
on conflict (tenant_id, day, measure) do update set
    (observed, expected, lower_bound, upper_bound, is_unusual, run_id)
    = (
        excluded.observed, excluded.expected, excluded.lower_bound, excluded.upper_bound, excluded.is_unusual,
        excluded.run_id
    )
where
    (standing.observed, standing.expected, standing.lower_bound, standing.upper_bound, standing.is_unusual)
    is distinct from
    (excluded.observed, excluded.expected, excluded.lower_bound, excluded.upper_bound, excluded.is_unusual)
"""

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Tenant:
    """An active tenant: its time zone, the local day from which on it is read (in part), and its local day now."""

    tenant_id: UUID
    name: str
    timezone: str
    first_day: date
    today: date


@dataclass(frozen=True)
class Activity:
    """What the raw tables say of the tenants' last weeks; counts of days that are complete."""

    counts: tuple[DailyCount, ...]
    silences: tuple[LongestSilence, ...]
    last_messages: tuple[LastMessage, ...]


def watch_activity(
    connection: Connection, *, run_id: int, present: datetime, default_timezone: str, alpha: float = ALPHA
) -> list[Finding]:
    """Judge what has not been judged, keep it, and return what is unusual: now, yesterday, and on days judged late.

    ``present`` is the moment up to which rows count. ``alpha`` is the chance that a run reports anything although
    nothing is wrong; half of it goes to volumes and half to freshness. Tenants that are not active are not judged.
    The caller commits. Twice at the same moment changes nothing.
    """
    return [
        finding
        for system in list_systems()
        for finding in _watch_system(
            connection, system, run_id=run_id, present=present, default_timezone=default_timezone, alpha=alpha
        )
    ]


def _watch_system(
    connection: Connection, system: System, *, run_id: int, present: datetime, default_timezone: str, alpha: float
) -> list[Finding]:
    watched = [each for each in get_standard().watched if find_labelled(each.table)[0] == system]
    if not watched:
        return []
    tenants = read_tenants(connection, system, present=present, default_timezone=default_timezone)
    activity = read_activity(connection, watched, tenants=tenants, present=present)
    found = judge_volumes(
        counts=activity.counts, asked=_ask_days(connection, watched, tenants, activity.counts), alpha=alpha / 2
    )
    todays = {tenant.tenant_id: tenant.today for tenant in tenants}
    found += [
        VolumeVerdict(
            verdict.tenant_id, todays[verdict.tenant_id], SILENCE, observed=verdict.silent_hours,
            expected=verdict.usual_hours, lower=0.0, upper=verdict.limit_hours, is_unusual=verdict.is_unusual,
        )
        for verdict in judge_freshness(
            silences=activity.silences, last_messages=activity.last_messages, present=present, alpha=alpha / 2
        )
    ]  # fmt: skip
    _write_verdicts(connection, found, run_id=run_id)
    rows = connection.execute(
        _READ_FINDINGS,
        {
            "tenants": list(todays),
            "names": [tenant.name for tenant in tenants],
            "todays": list(todays.values()),
            "silence": SILENCE,
            "run_id": run_id,
        },
    )
    return [Finding(*row) for row in rows]


def read_tenants(connection: Connection, system: System, *, present: datetime, default_timezone: str) -> list[Tenant]:
    """Return a system's active tenants; where the declared zone is none, the default one holds."""
    rows = connection.execute(
        sql.SQL(_READ_TENANTS).format(tenants=sql.SQL(system.tenants).format(raw=sql.Identifier(system.raw_schema))),
        {"default_timezone": default_timezone, "present": present, "since": present - timedelta(days=READ_DAYS)},
    )
    return [Tenant(*row) for row in rows]


def read_activity(
    connection: Connection, tables: Iterable[Watched], *, tenants: Iterable[Tenant], present: datetime
) -> Activity:
    """Return what ``tables`` say of the tenants in the `READ_DAYS` days up to ``present``.

    That is counts, longest silences and last messages.
    """
    by_id = {tenant.tenant_id: tenant for tenant in tenants}
    scope = {
        "tenants": list(by_id),
        "timezones": [tenant.timezone for tenant in by_id.values()],
        "since": present - timedelta(days=READ_DAYS),
        "present": present,
    }
    counts: dict[tuple[UUID, date, str], int] = {}
    silences = []
    latest: dict[UUID, LastMessage] = {}
    for watched in tables:
        for tenant_id, day, last_at, silent_hours, *found in connection.execute(_count_days(watched), scope):
            counts |= {(tenant_id, day, measure): count for measure, count in zip(watched.measures, found, strict=True)}
            if not watched.has_silences:
                continue
            if silent_hours is not None and day > by_id[tenant_id].first_day:
                silences.append(LongestSilence(tenant_id, day, silent_hours))
            if tenant_id not in latest or last_at > latest[tenant_id].sent_at:
                latest[tenant_id] = LastMessage(tenant_id, last_at, day)
    return Activity(
        counts=tuple(
            DailyCount(tenant_id, day, measure, count)
            for (tenant_id, day, measure), count in counts.items()
            if by_id[tenant_id].first_day < day < by_id[tenant_id].today
        ),
        silences=tuple(silences),
        last_messages=tuple(latest.values()),
    )


def _count_days(watched: Watched) -> sql.Composed:
    """Return the query of a table's counts by tenant and day, and of its longest silences where these are watched."""
    system, named = find_labelled(watched.table)
    inspection = get_standard().find_inspection(watched.table)
    clock, table = sql.Identifier(str(named.clock)), sql.Identifier(system.raw_schema, named.name)
    tenant = sql.SQL(inspection.tenant)
    counts = sql.SQL(", ").join(
        sql.SQL("count(*) filter (where {}) as {}").format(sql.SQL(condition), sql.Identifier(measure))
        for measure, condition in watched.measures.items()
    )
    key = sql.SQL(inspection.key)
    return sql.SQL(_READ_DAYS).format(
        clock=clock,
        counts=counts,
        tenant=sql.SQL("rows.watched_tenant_id") if watched.has_silences else tenant,
        source=sql.SQL(_TIMED).format(clock=clock, key=key, table=table, tenant=tenant)
        if watched.has_silences
        else table,
        silence=sql.SQL(
            "(extract(epoch from max(rows.next_at - rows.{clock})) / 3600)::double precision"
            if watched.has_silences
            else "null"
        ).format(clock=clock),
    )


def _ask_days(
    connection: Connection, tables: Iterable[Watched], tenants: Iterable[Tenant], counts: Iterable[DailyCount]
) -> list[AskedDay]:
    """The last complete days of tenants that had any activity, as far as no verdict stands for their count."""
    counted = {(row.tenant_id, row.day, row.measure): row.count for row in counts}
    with_activity = {tenant_id for tenant_id, _, _ in counted}
    days = {
        (tenant.tenant_id, tenant.today - timedelta(days=age))
        for tenant in tenants
        if tenant.tenant_id in with_activity
        for age in range(1, JUDGED_DAYS + 1)
    }
    if not days:
        return []
    rows = connection.execute(
        "select tenant_id, day, measure, observed from quality.volumes where tenant_id = any(%s) and day >= %s",
        (list(with_activity), min(day for _, day in days)),
    )
    judged = {(tenant_id, day, measure): observed for tenant_id, day, measure, observed in rows}
    measures = [measure for watched in tables for measure in watched.measures]
    asked = [AskedDay(tenant_id, day, measure) for tenant_id, day in days for measure in measures]
    return [
        question
        for question in asked
        if judged.get(key := (question.tenant_id, question.day, question.measure)) != counted.get(key, 0)
    ]


def _write_verdicts(connection: Connection, found: list[VolumeVerdict], *, run_id: int) -> None:
    connection.execute(
        _WRITE_VERDICTS,
        {
            "run_id": run_id,
            "tenants": [row.tenant_id for row in found],
            "days": [row.day for row in found],
            "measures": [row.measure for row in found],
            "observed": [row.observed for row in found],
            "expected": [row.expected for row in found],
            "lower": [row.lower for row in found],
            "upper": [row.upper for row in found],
            "unusual": [row.is_unusual for row in found],
        },
    )
