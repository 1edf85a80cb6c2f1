"""What a salon may set for itself in `metadata.settings`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from tests.oracle.records import Tenant

LOSS_PERIOD_DAYS = 90
LATE_CANCELLATION_HOURS = 24
REPLY_TIMEOUT_HOURS = 24


def find_loss_period(tenant: Tenant) -> int:
    """Return the days without a visit after which a client of the salon is lost."""
    return find_setting(tenant, "loss_period_days", LOSS_PERIOD_DAYS)


def find_late_hours(tenant: Tenant) -> int:
    """Return how many hours before the visit a cancellation begins to be late."""
    return find_setting(tenant, "late_cancellation_hours", LATE_CANCELLATION_HOURS)


def find_reply_timeout(tenant: Tenant) -> timedelta:
    """Return the time after which a reply answers nothing any more."""
    return timedelta(hours=find_setting(tenant, "reply_timeout_hours", REPLY_TIMEOUT_HOURS))


def find_setting(tenant: Tenant, name: str, default: int) -> int:
    """Return a whole number of at most four digits, from 1 up, as number or as text; anything else is no setting."""
    settings = tenant.metadata.get("settings") if isinstance(tenant.metadata, dict) else None
    value: Any = settings.get(name) if isinstance(settings, dict) else None
    if isinstance(value, int | str) and not isinstance(value, bool) and re.fullmatch("[1-9][0-9]{0,3}", str(value)):
        return int(value)
    return default
