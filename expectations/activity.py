"""Watches what no fixed rule catches: how much is written, begun and booked, and for how long nobody has written.

Volumes (`expectations.volumes`) are judged once a salon, measure and local day, when the day is over; a day whose
count changed since, because rows came late, is judged anew. Freshness (`expectations.freshness`) is judged in every
run. Both stand in `quality.volumes`; freshness as measure `silent_hours` on the salon's local day of the run, with
the hours of silence as observed, the usual hours as expected, and the limit as upper bound.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from expectations.freshness import LastMessage, LongestSilence, judge_freshness
from expectations.verdicts import Finding
from expectations.volumes import ALPHA, WINDOW_DAYS, AskedDay, DailyCount, VolumeVerdict, judge_volumes

MEASURES = ("messages", "sessions", "bookings")
"""Rows of `recent_history_v2` by `created_at`; rows of `conversation_sessions_v2` by `started_at`, all and booked."""
SILENCE = "silent_hours"
READ_DAYS = WINDOW_DAYS + 2
"""How far back rows are read: the window, the day that is not over, and the one that is read in part."""
JUDGED_DAYS = 7
"""How many complete days back a day is still judged, or judged anew."""

_READ_SALONS = """
select
    tenants.id,
    coalesce(tenants.name, '') as name,
    coalesce(zones.name, %(default_timezone)s) as timezone,
    (%(since)s at time zone coalesce(zones.name, %(default_timezone)s))::date as first_day,
    (%(present)s at time zone coalesce(zones.name, %(default_timezone)s))::date as today
from public.tenants_v2 as tenants
left join pg_timezone_names as zones
    on zones.name = tenants.metadata -> 'settings' ->> 'timezone'
    and zones.name not like 'posix/%%' and zones.name not like 'right/%%' and zones.name <> 'Factory'
where tenants.is_active
"""

_READ_MESSAGE_DAYS = """
with salons as (
    select * from unnest(%(tenants)s::uuid[], %(timezones)s::text[]) as salons (tenant_id, timezone)
),

timed as (
    select
        tenant_id,
        created_at,
        lead(created_at) over (partition by tenant_id order by created_at, id) as next_at
    from public.recent_history_v2
    where created_at >= %(since)s and created_at <= %(present)s
)

select
    salons.tenant_id,
    (timed.created_at at time zone salons.timezone)::date as day,
    count(*) as messages,
    max(timed.created_at) as last_at,
    (extract(epoch from max(timed.next_at - timed.created_at)) / 3600)::double precision as silent_hours
from timed
inner join salons on timed.tenant_id = salons.tenant_id
group by salons.tenant_id, (timed.created_at at time zone salons.timezone)::date
"""

_READ_SESSION_DAYS = r"""
with salons as (
    select * from unnest(%(tenants)s::uuid[], %(timezones)s::text[]) as salons (tenant_id, timezone)
)

select
    salons.tenant_id,
    (sessions.started_at at time zone salons.timezone)::date as day,
    count(*) as sessions,
    count(*) filter (where sessions.booking_id ~ '\S') as bookings
from public.conversation_sessions_v2 as sessions
inner join salons on sessions.tenant_id = salons.tenant_id
where sessions.started_at >= %(since)s and sessions.started_at <= %(present)s
group by salons.tenant_id, (sessions.started_at at time zone salons.timezone)::date
"""

_READ_FINDINGS = """
select
    volumes.tenant_id::text, salons.name, volumes.day, volumes.measure, volumes.observed, volumes.expected,
    volumes.lower_bound, volumes.upper_bound, volumes.is_unusual
from quality.volumes as volumes
inner join unnest(%(tenants)s::uuid[], %(names)s::text[], %(todays)s::date[]) as salons (tenant_id, name, today)
    on volumes.tenant_id = salons.tenant_id
where
    volumes.is_unusual
    and (
        volumes.measure = %(silence)s and volumes.day = salons.today
        or volumes.measure <> %(silence)s and (volumes.day = salons.today - 1 or volumes.run_id = %(run_id)s)
    )
order by salons.name, volumes.tenant_id, volumes.day, volumes.measure
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
class Salon:
    """An active salon: its time zone, the local day from which on it is read (in part), and its local day now."""

    tenant_id: UUID
    name: str
    timezone: str
    first_day: date
    today: date


@dataclass(frozen=True)
class Activity:
    """What the raw tables say of the salons' last weeks; counts of days that are complete."""

    counts: tuple[DailyCount, ...]
    silences: tuple[LongestSilence, ...]
    last_messages: tuple[LastMessage, ...]


def watch_activity(
    connection: Connection, *, run_id: int, present: datetime, default_timezone: str, alpha: float = ALPHA
) -> list[Finding]:
    """Judge what has not been judged, keep it, and return what is unusual: now, yesterday, and on days judged late.

    ``present`` is the moment up to which rows count. ``alpha`` is the chance that a run reports anything although
    nothing is wrong; half of it goes to volumes and half to freshness. Salons that are not active are not judged.
    The caller commits. Twice at the same moment changes nothing.
    """
    salons = read_salons(connection, present=present, default_timezone=default_timezone)
    activity = read_activity(connection, salons=salons, present=present)
    found = judge_volumes(counts=activity.counts, asked=_ask_days(connection, salons, activity.counts), alpha=alpha / 2)
    todays = {salon.tenant_id: salon.today for salon in salons}
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
            "names": [salon.name for salon in salons],
            "todays": list(todays.values()),
            "silence": SILENCE,
            "run_id": run_id,
        },
    )
    return [Finding(*row) for row in rows]


def read_salons(connection: Connection, *, present: datetime, default_timezone: str) -> list[Salon]:
    """Return the active salons; where `metadata.settings.timezone` names no zone, the default one holds."""
    rows = connection.execute(
        _READ_SALONS,
        {"default_timezone": default_timezone, "present": present, "since": present - timedelta(days=READ_DAYS)},
    )
    return [Salon(*row) for row in rows]


def read_activity(connection: Connection, *, salons: Iterable[Salon], present: datetime) -> Activity:
    """Return the salons' counts, longest silences and last messages of the `READ_DAYS` days up to ``present``."""
    by_id = {salon.tenant_id: salon for salon in salons}
    scope = {
        "tenants": list(by_id),
        "timezones": [salon.timezone for salon in by_id.values()],
        "since": present - timedelta(days=READ_DAYS),
        "present": present,
    }
    counts: dict[tuple[UUID, date, str], int] = {}
    silences = []
    latest: dict[UUID, LastMessage] = {}
    for tenant_id, day, messages, last_at, silent_hours in connection.execute(_READ_MESSAGE_DAYS, scope):
        counts[tenant_id, day, "messages"] = messages
        if silent_hours is not None and day > by_id[tenant_id].first_day:
            silences.append(LongestSilence(tenant_id, day, silent_hours))
        if tenant_id not in latest or last_at > latest[tenant_id].sent_at:
            latest[tenant_id] = LastMessage(tenant_id, last_at, day)
    for tenant_id, day, sessions, bookings in connection.execute(_READ_SESSION_DAYS, scope):
        counts[tenant_id, day, "sessions"] = sessions
        counts[tenant_id, day, "bookings"] = bookings
    return Activity(
        counts=tuple(
            DailyCount(tenant_id, day, measure, count)
            for (tenant_id, day, measure), count in counts.items()
            if by_id[tenant_id].first_day < day < by_id[tenant_id].today
        ),
        silences=tuple(silences),
        last_messages=tuple(latest.values()),
    )


def _ask_days(connection: Connection, salons: Iterable[Salon], counts: Iterable[DailyCount]) -> list[AskedDay]:
    """The last complete days of salons that had any activity, as far as no verdict stands for their count."""
    counted = {(row.tenant_id, row.day, row.measure): row.count for row in counts}
    with_activity = {tenant_id for tenant_id, _, _ in counted}
    days = {
        (salon.tenant_id, salon.today - timedelta(days=age))
        for salon in salons
        if salon.tenant_id in with_activity
        for age in range(1, JUDGED_DAYS + 1)
    }
    if not days:
        return []
    rows = connection.execute(
        "select tenant_id, day, measure, observed from quality.volumes where tenant_id = any(%s) and day >= %s",
        (list(with_activity), min(day for _, day in days)),
    )
    judged = {(tenant_id, day, measure): observed for tenant_id, day, measure, observed in rows}
    asked = [AskedDay(tenant_id, day, measure) for tenant_id, day in days for measure in MEASURES]
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
