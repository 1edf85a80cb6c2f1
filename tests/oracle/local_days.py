"""Days where the tenant lives (REQUIREMENTS C6)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tests.oracle.records import Tenant

DEFAULT_TIMEZONE = "Europe/Moscow"


@cache
def list_timezones() -> frozenset[str]:
    """Return the names of the time zones that exist."""
    return frozenset(available_timezones())


def find_zone(tenant: Tenant) -> ZoneInfo:
    """Return the tenant's time zone: `metadata.settings.timezone` where it exists, else the default."""
    settings = tenant.metadata.get("settings") if isinstance(tenant.metadata, dict) else None
    name = settings.get("timezone") if isinstance(settings, dict) else None
    return ZoneInfo(name if isinstance(name, str) and name in list_timezones() else DEFAULT_TIMEZONE)


def find_day(tenant: Tenant, moment: datetime) -> date:
    """Return the tenant's local day of a moment."""
    return moment.astimezone(find_zone(tenant)).date()


def read_clock(tenant: Tenant, moment: datetime) -> datetime:
    """Return what the tenant's clock shows at a moment, without a zone."""
    return moment.astimezone(find_zone(tenant)).replace(tzinfo=None)


def find_end(tenant: Tenant, day: date) -> datetime:
    """Return the first moment after a tenant's local day."""
    return datetime.combine(day + timedelta(days=1), time.min, find_zone(tenant))
