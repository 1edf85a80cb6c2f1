"""When clients come, by the salon's clock (METRICS, house rules: days cut in the tenant's zone)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from uuid import UUID

from tests.oracle.local_days import find_zone
from tests.oracle.records import Row, World


def compute_traffic(world: World, days: list[Row], sessions: list[Row], dialogs: list[Row]) -> list[Row]:
    """Return the rows of `traffic_hourly`: hours of the calendar's days in which a dialogue began or a client wrote."""
    zones = {tenant.id: find_zone(tenant) for tenant in world.tenants}
    final = {(day["tenant_id"], day["day"]): day["is_final"] for day in days}
    moments: list[tuple[UUID, datetime, str]] = []
    for row in sessions:
        if not row["is_inferred"]:
            moments.append((row["tenant_id"], row["started_at"], "sessions_started"))
        if row["is_booked"]:
            moments.append((row["tenant_id"], row["started_at"], "bookings"))
    moments += [(row["tenant_id"], row["sent_at"], "user_messages") for row in dialogs if row["role"] == "user"]
    counts: dict[tuple[UUID, date, int], dict[str, int]] = defaultdict(
        lambda: {"sessions_started": 0, "bookings": 0, "user_messages": 0, "response_count": 0}
    )
    sums: dict[tuple[UUID, date, int], int] = defaultdict(int)
    answered = [row for row in dialogs if row["asked_at"] is not None and row["session_source"] != "inferred"]
    moments += [(row["tenant_id"], row["asked_at"], "response_count") for row in answered]
    for tenant_id, moment, kind in moments:
        clock = moment.astimezone(zones[tenant_id])
        if (tenant_id, clock.date()) in final:
            counts[tenant_id, clock.date(), clock.hour][kind] += 1
    for row in answered:
        clock = row["asked_at"].astimezone(zones[row["tenant_id"]])
        sums[row["tenant_id"], clock.date(), clock.hour] += row["response_ms"]
    return [
        {
            "tenant_id": tenant_id,
            "day": day,
            "hour": hour,
            "is_final": final[tenant_id, day],
            "weekday": day.isoweekday(),
            "response_ms_sum": sums[tenant_id, day, hour] if found["response_count"] else None,
            **found,
        }
        for (tenant_id, day, hour), found in counts.items()
    ]
