"""The days on which a tenant has rows (REQUIREMENTS C5, C6)."""

from __future__ import annotations

from datetime import date, timedelta

from tests.oracle.local_days import find_day, find_zone
from tests.oracle.records import Row, Tenant, World

CALENDAR_STARTS_ON = date(2015, 1, 1)


def compute_tenant_days(world: World, visits: list[Row], as_of: date) -> list[Row]:
    """Return the days of `int_tenant_days`; every day up to a day that is over is final."""
    return [
        {"tenant_id": tenant.id, "day": day, "is_final": True}
        for tenant in world.tenants
        for day in sorted(list_days(tenant, list_eventful_days(tenant, world, visits), as_of))
    ]


def add_timezones(world: World, days: list[Row]) -> list[Row]:
    """Return the rows of `int_tenant_days`: the days, with the zone in which each tenant lives."""
    zones = {tenant.id: find_zone(tenant).key for tenant in world.tenants}
    return [{**day, "timezone": zones[day["tenant_id"]]} for day in days]


def list_eventful_days(tenant: Tenant, world: World, visits: list[Row]) -> set[date]:
    """Return the days on which an archived session started, a message was sent or a visit was."""
    moments = [session.started_at for session in world.sessions if session.tenant_id == tenant.id]
    moments += [message.created_at for message in world.messages if message.tenant_id == tenant.id]
    came = {visit["visit_day"] for visit in visits if visit["tenant_id"] == tenant.id and visit["is_visit"]}
    return came | {find_day(tenant, moment) for moment in moments}


def list_days(tenant: Tenant, eventful: set[date], as_of: date) -> set[date]:
    """Return the tenant's calendar: without gaps from its first day on, and single days before that."""
    ancient = {day for day in eventful if day < CALENDAR_STARTS_ON and day <= as_of}
    recent = {day for day in eventful if day >= CALENDAR_STARTS_ON}
    first = max(CALENDAR_STARTS_ON, min({find_day(tenant, tenant.created_at)} | recent))
    past = [day for day in eventful if day <= as_of]
    if tenant.is_active:
        last = as_of
    elif past:
        last = max(past)
    else:
        return set()
    return ancient | {first + timedelta(days=number) for number in range((last - first).days + 1)}
