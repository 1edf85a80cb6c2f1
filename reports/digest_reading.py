"""Selects from the marts what a digest tells: a handful of small queries a salon."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from reports.digest_facts import DAYS, DAYS_DRAWN, Day, Drop, Facts, Money, Tasks, sum_days
from reports.loaders import load_infinity_as_nothing

Connection = psycopg.Connection[Any]

HOUR = 9
"""When digests go out, local time: what changed since the one before is counted from that hour on."""

_DAYS = """
select
    day, dialogs_started, new_bookings, coalesce(response_ms_sum, 0), response_count, intended_dialogs,
    intended_bookings
from dashboard.metrics_dailies
where tenant_id = %(tenant_id)s and day between %(drawn_from)s and %(last)s and is_final
order by day
"""
_REVENUE = """
select currency, sum(kept_amount)
from dashboard.revenue_daily
where tenant_id = %(tenant_id)s and day between %(first)s and %(last)s and kept_bookings > 0
group by currency
order by sum(kept_amount) desc, currency
"""
_DROPS = """
select
    coalesce(sum(dropped_at_service), 0), coalesce(sum(dropped_at_staff), 0),
    coalesce(sum(dropped_at_time), 0), coalesce(sum(dropped_at_confirmation), 0)
from dashboard.funnel_daily
where tenant_id = %(tenant_id)s and day between %(first)s and %(last)s
"""
_SLOTS = """
select coalesce(booking_currency, 'XXX'), count(*), coalesce(sum(value_at_risk_amount), 0)
from dashboard.risky_slots
where tenant_id = %(tenant_id)s and visit_day between %(today)s::date and %(today)s::date + 1
    and visit_at >= %(present)s
group by coalesce(booking_currency, 'XXX')
order by sum(value_at_risk_amount) desc nulls last, coalesce(booking_currency, 'XXX')
"""
_WISHES = """
select count(distinct wish_id) from dashboard.waitlist_matches
where tenant_id = %(tenant_id)s and visit_at >= %(present)s
"""
_CLIENTS = "select count(*) from dashboard.win_back where tenant_id = %(tenant_id)s and is_candidate"
_RESTATED = """
select count(distinct day) from dashboard.restatements
where tenant_id = %(tenant_id)s
    and restated_at >= (%(today)s::date - %(count)s::integer + make_time(%(hour)s, 0, 0)) at time zone %(timezone)s
    and restated_at < (%(today)s::date + make_time(%(hour)s, 0, 0)) at time zone %(timezone)s
"""


def read_facts(
    connection: Connection, *, kind: str, tenant_id: UUID, salon: str, language: str, timezone: str, last: date,
    today: date, present: datetime,
) -> Facts | None:  # fmt: skip
    """Return what the digest of the days up to ``last`` tells; none where one of these days is not final yet.

    ``today`` is the salon's local day, ``present`` the moment; what to do today is told only in the digest of the
    day before, where it is news.
    """
    load_infinity_as_nothing(connection)
    count = DAYS[kind]
    days = _read_days(connection, tenant_id=tenant_id, last=last)
    earlier = last - timedelta(days=7)
    span = sum_days(days, last=last, count=count, revenue=_read_revenue(connection, tenant_id, last, count))
    if span is None:
        return None
    return Facts(
        salon=salon, language=language, kind=kind, days=days, span=span,
        before=sum_days(days, last=earlier, count=count, revenue=_read_revenue(connection, tenant_id, earlier, count)),
        tasks=_read_tasks(connection, tenant_id, today, present) if last == today - timedelta(days=1) else None,
        drops=_read_drops(connection, tenant_id, span.first, last) if kind == "weekly" else (),
        restated_days=_count_restated(
            connection, tenant_id=tenant_id, today=last + timedelta(days=1), count=count, hour=HOUR, timezone=timezone
        ),
    )  # fmt: skip


def _read_days(connection: Connection, *, tenant_id: UUID, last: date) -> tuple[Day, ...]:
    values = {"tenant_id": tenant_id, "drawn_from": last - timedelta(days=DAYS_DRAWN - 1), "last": last}
    return tuple(
        Day(
            day=day,
            dialogs=dialogs,
            bookings=bookings,
            response_ms_sum=int(milliseconds),
            response_count=replies,
            intended=intended,
            intended_bookings=intended_bookings,
        )
        for day, dialogs, bookings, milliseconds, replies, intended, intended_bookings in connection.execute(
            _DAYS, values
        )
    )


def _read_revenue(connection: Connection, tenant_id: UUID, last: date, count: int) -> Money:
    values = {"tenant_id": tenant_id, "first": last - timedelta(days=count - 1), "last": last}
    rows = connection.execute(_REVENUE, values).fetchall()
    return {currency: amount for currency, amount in rows if amount is not None}


def _read_drops(connection: Connection, tenant_id: UUID, first: date, last: date) -> tuple[Drop, ...]:
    row = connection.execute(_DROPS, {"tenant_id": tenant_id, "first": first, "last": last}).fetchone() or ()
    stages = ("service", "staff", "time", "confirmation")
    return tuple(Drop(stage=stage, lost=int(lost)) for stage, lost in zip(stages, row, strict=True))


def _read_tasks(connection: Connection, tenant_id: UUID, today: date, present: datetime) -> Tasks:
    values = {"tenant_id": tenant_id, "today": today, "present": present}
    slots = connection.execute(_SLOTS, values).fetchall()
    return Tasks(
        slots=sum(count for _, count, _ in slots),
        value={currency: value for currency, _, value in slots if value},
        wishes=_count(connection, _WISHES, values), clients=_count(connection, _CLIENTS, values),
    )  # fmt: skip


def _count_restated(connection: Connection, **values: Any) -> int:
    known = connection.execute("select to_regclass('dashboard.restatements') is not null").fetchone()
    return _count(connection, _RESTATED, values) if known and known[0] else 0


def _count(connection: Connection, query: Any, values: dict[str, Any]) -> int:
    row = connection.execute(query, values).fetchone()
    return int(row[0]) if row else 0
