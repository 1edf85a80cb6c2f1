"""Slots that came free, and who took them (METRICS, "Waitlist fill rate")."""

from __future__ import annotations

from datetime import date

from tests.oracle.local_days import find_end, find_zone
from tests.oracle.numbers import count_milliseconds
from tests.oracle.records import Row, Tenant, Wish, World

PARTS = {"morning": (0, 12), "afternoon": (12, 17), "evening": (17, 24)}


def compute_freed_slots(world: World, visits: list[Row], as_of: date) -> list[Row]:
    """Return the rows of `freed_slots`."""
    tenants = {tenant.id: tenant for tenant in world.tenants}
    return [
        describe_slot(tenants[visit["tenant_id"]], visit, world, visits, as_of)
        for visit in visits
        if visit["outcome"] in ("cancelled", "moved")
        and visit["visit_at"] is not None
        and (visit["staff_id"] is not None or visit["service_id"] is not None)
    ]


def describe_slot(tenant: Tenant, freed: Row, world: World, visits: list[Row], as_of: date) -> Row:
    """Return one freed slot."""
    refill = find_refill(freed, visits)
    wishes = [wish for wish in world.wishes if wish.tenant_id == tenant.id and would_meet(tenant, freed, wish)]
    released_at = freed["released_at"] or freed["visit_at"]
    has_arrived = refill is not None and refill["outcome"] == "arrived"
    return {
        "tenant_id": tenant.id,
        "booking_id": freed["booking_id"],
        "client_id": freed["client_id"],
        "freed_by": freed["outcome"],
        "released_at": freed["released_at"],
        "visit_at": freed["visit_at"],
        "visit_day": freed["visit_day"],
        "service_id": freed["service_id"],
        "staff_id": freed["staff_id"],
        "lost_amount": freed["booking_amount"],
        "lost_currency": freed["booking_currency"],
        "is_over": freed["visit_at"] < find_end(tenant, as_of),
        "matching_wishes_count": sum(
            wish.processed_at is None or wish.processed_at >= released_at for wish in wishes
        ),
        "refill_booking_id": refill and refill["booking_id"],
        "refill_client_id": refill and refill["client_id"],
        "refilled_at": refill and refill["booked_at"],
        "refill_outcome": refill and refill["outcome"],
        "is_refilled_from_waitlist": refill is not None
        and any(wish.user_id == refill["client_id"] and wish.created_at <= refill["booked_at"] for wish in wishes),
        "fill_minutes": count_milliseconds(freed["released_at"], refill["booked_at"]) // 60_000
        if refill and freed["released_at"]
        else None,
        "recovered_amount": refill["booking_amount"] if refill and has_arrived else None,
        "recovered_currency": refill["booking_currency"] if refill and has_arrived else None,
    }  # fmt: skip


def find_refill(freed: Row, visits: list[Row]) -> Row | None:
    """Return the first booking of the same chair and time made after this one, and after it came free."""
    later = [
        visit
        for visit in visits
        if visit["tenant_id"] == freed["tenant_id"]
        and visit["booking_id"] != freed["booking_id"]
        and visit["visit_at"] == freed["visit_at"]
        and visit["staff_id"] == freed["staff_id"]
        and (freed["staff_id"] is not None or visit["service_id"] == freed["service_id"])
        and visit["booked_at"] > freed["booked_at"]
        and (freed["released_at"] is None or visit["booked_at"] >= freed["released_at"])
    ]
    return min(later, key=lambda visit: (visit["booked_at"], visit["booking_id"]), default=None)


def would_meet(tenant: Tenant, freed: Row, wish: Wish) -> bool:
    """Whether a wish, made before the slot came free, is for its service, day and part of the day."""
    meta = wish.meta if isinstance(wish.meta, dict) else {}
    item = wish.item_id.removeprefix("service_") if wish.item_id.startswith("service_") else ""
    service = str(meta.get("service_id") or "").strip() or item
    preference = str(meta.get("time_preference") or "").strip().lower()
    hour = freed["visit_at"].astimezone(find_zone(tenant)).hour
    low, high = PARTS.get(preference, (0, 24))
    return (
        freed["service_id"] is not None
        and service == freed["service_id"]
        and meta.get("date") == freed["visit_day"].isoformat()
        and low <= hour < high
        and wish.created_at <= (freed["released_at"] or freed["visit_at"])
    )
