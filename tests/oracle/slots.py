"""Slots that came free, and who took them (METRICS, "Waitlist fill rate")."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise

from tests.oracle.local_days import find_day, find_end, find_zone
from tests.oracle.numbers import count_milliseconds
from tests.oracle.persons import People
from tests.oracle.records import Row, Session, Tenant, Wish, World
from tests.oracle.stages import read_service
from tests.oracle.visits import Booking, group_bookings, read_meta

PARTS = {"morning": (0, 12), "afternoon": (12, 17), "evening": (17, 24)}


def compute_freed_slots(world: World, visits: list[Row], people: People, as_of: date) -> list[Row]:
    """Return the rows of `freed_slots`."""
    tenants = {tenant.id: tenant for tenant in world.tenants}
    bookings = group_bookings(world.sessions)
    slots = [slot for visit in visits for slot in list_slots(visit, bookings[visit["tenant_id"], visit["booking_id"]])]
    return [
        describe_slot(tenants[slot["tenant_id"]], slot, world, slots, people, as_of)
        for slot in slots
        if slot["outcome"] in ("cancelled", "moved")
    ]


def list_slots(visit: Row, booking: Booking) -> list[Row]:
    """Return the times that a booking has and had, each with the last stretch of dialogues that told it."""
    stretches: list[list[Session]] = []
    for dialogue in booking.dialogues:
        if dialogue.booking_datetime is None:
            continue
        if stretches and stretches[-1][-1].booking_datetime == dialogue.booking_datetime:
            stretches[-1].append(dialogue)
        else:
            stretches.append([dialogue])
    slots = {}
    for stretch, following in pairwise(stretches):
        slot_at = stretch[0].booking_datetime
        known = booking.dialogues[: booking.dialogues.index(stretch[-1]) + 1]
        slots[slot_at] = {
            **visit,
            "outcome": "moved",
            "visit_at": slot_at,
            "slot_taken_at": stretch[0].started_at,
            "released_at": following[0].started_at,
            "service_id": find_last_told(known, read_service) or visit["service_id"],
            "staff_id": find_last_told(known, lambda told: read_meta(told, "staff_id")) or visit["staff_id"],
        }
    if visit["visit_at"] is not None:
        slots[visit["visit_at"]] = visit
    return list(slots.values())


def find_last_told(dialogues: tuple[Session, ...], read: Callable[[Session], str | None]) -> str | None:
    """Return what the last of some dialogues that says something says."""
    return next(filter(None, map(read, reversed(dialogues))), None)


def describe_slot(tenant: Tenant, freed: Row, world: World, slots: list[Row], people: People, as_of: date) -> Row:
    """Return one freed slot."""
    freed = {**freed, "visit_day": find_day(tenant, freed["visit_at"])}
    refill = find_refill(freed, slots)
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
        "lost_amount": 0 if freed["outcome"] == "moved" else freed["booking_amount"],
        "lost_currency": freed["booking_currency"],
        "slot_amount": freed["booking_amount"],
        "is_over": freed["visit_at"] < find_end(tenant, as_of),
        "matching_wishes_count": sum(
            wish.processed_at is None or wish.processed_at >= released_at for wish in wishes
        ),
        "refill_booking_id": refill and refill["booking_id"],
        "refill_client_id": refill and refill["client_id"],
        "refilled_at": refill and refill["slot_taken_at"],
        "refill_outcome": refill and refill["outcome"],
        "is_refilled_from_waitlist": refill is not None
        and any(
            people.get((tenant.id, wish.user_id), wish.user_id) == refill["person_id"]
            and wish.created_at <= refill["slot_taken_at"]
            for wish in wishes
        ),
        "fill_minutes": count_milliseconds(freed["released_at"], refill["slot_taken_at"]) // 60_000
        if refill and freed["released_at"]
        else None,
        "recovered_amount": refill["booking_amount"] if refill and has_arrived else None,
        "recovered_currency": refill["booking_currency"] if refill and has_arrived else None,
    }  # fmt: skip


def find_refill(freed: Row, slots: list[Row]) -> Row | None:
    """Return who took the same chair and time next, after this booking had, and after it came free."""
    if freed["staff_id"] is None and freed["service_id"] is None:
        return None
    later = [
        slot
        for slot in slots
        if slot["tenant_id"] == freed["tenant_id"]
        and slot["booking_id"] != freed["booking_id"]
        and slot["visit_at"] == freed["visit_at"]
        and slot["staff_id"] == freed["staff_id"]
        and (freed["staff_id"] is not None or slot["service_id"] == freed["service_id"])
        and slot["slot_taken_at"] > freed["slot_taken_at"]
        and (freed["released_at"] is None or slot["slot_taken_at"] >= freed["released_at"])
    ]
    return min(later, key=lambda slot: (slot["slot_taken_at"], slot["booking_id"]), default=None)


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
