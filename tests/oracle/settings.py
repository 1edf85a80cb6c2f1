"""What a salon may set for itself in `metadata.settings`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from tests.oracle.records import Tenant

LOSS_PERIOD_DAYS = 90
LATE_CANCELLATION_HOURS = 24
REPLY_TIMEOUT_HOURS = 24
RECORDED_ATTENDANCE_PERCENT = 50


def find_loss_period(tenant: Tenant) -> int:
    """Return the days without a visit after which a client of the salon is lost."""
    return find_setting(tenant, "loss_period_days", LOSS_PERIOD_DAYS)


def find_late_hours(tenant: Tenant) -> int:
    """Return how many hours before the visit a cancellation begins to be late."""
    return find_setting(tenant, "late_cancellation_hours", LATE_CANCELLATION_HOURS)


def find_reply_timeout(tenant: Tenant) -> timedelta:
    """Return the time after which a reply answers nothing any more."""
    return timedelta(hours=find_setting(tenant, "reply_timeout_hours", REPLY_TIMEOUT_HOURS))


def find_recorded_share(tenant: Tenant) -> int:
    """Return how many of a hundred who came or missed have to be recorded for rates of them to be told."""
    value = read_setting(tenant, "recorded_attendance_percent")
    return int(value) if re.fullmatch("[0-9]|[1-9][0-9]|100", value) else RECORDED_ATTENDANCE_PERCENT


def find_setting(tenant: Tenant, name: str, default: int) -> int:
    """Return a whole number of at most four digits, from 1 up, as number or as text; anything else is no setting."""
    value = read_setting(tenant, name)
    return int(value) if re.fullmatch("[1-9][0-9]{0,3}", value) else default


def read_setting(tenant: Tenant, name: str) -> str:
    """Return a setting that is a whole number or a text as text; nothing where it is neither."""
    settings = tenant.metadata.get("settings") if isinstance(tenant.metadata, dict) else None
    value: Any = settings.get(name) if isinstance(settings, dict) else None
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
