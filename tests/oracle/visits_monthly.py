"""What became of a month's bookings, and what services and staff are called (docs/decisions.md, "Visits")."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from uuid import UUID

from tests.oracle.dailies import count_rows, sum_amounts
from tests.oracle.records import Row, Wish, World
from tests.oracle.retention import is_due
from tests.oracle.settings import find_recorded_share
from tests.oracle.stages import read_scalar

Names = dict[tuple[UUID, str | None], str]


def compute_visits_monthly(world: World, visits: list[Row], as_of: date) -> list[Row]:
    """Return the rows of `visits_monthly`."""
    titles = collect_names(world, read_wished_service, "service_title")
    people = collect_names(world, lambda wish: read_told(wish, "staff_id"), "staff_name")
    tenants = {tenant.id: tenant for tenant in world.tenants}
    percents = {tenant.id: find_recorded_share(tenant) for tenant in world.tenants}
    groups: dict[tuple[UUID, object, str, str, str], list[Row]] = defaultdict(list)
    for visit in visits:
        if visit["visit_at"] is not None and visit["outcome"] != "moved":
            groups[
                visit["tenant_id"],
                visit["visit_day"].replace(day=1),
                visit["service_id"] or "",
                visit["staff_id"] or "",
                visit["booking_currency"] or "XXX",
            ].append(visit)
    return [
        {
            "tenant_id": tenant_id,
            "visit_month": month,
            "service_id": service,
            "staff_id": staff,
            "currency": currency,
            "service_title": titles.get((tenant_id, service)),
            "staff_name": people.get((tenant_id, staff)),
            **describe_bookings(booked),
            "recorded_attendance_percent": percents[tenant_id],
            "late_cancelled_count": sum(
                visit["is_released_late"] is True and is_due(tenants[tenant_id], visit, as_of) for visit in booked
            ),
        }
        for (tenant_id, month, service, staff, currency), booked in groups.items()
    ]


def describe_bookings(booked: list[Row]) -> Row:
    """Return the counts and the amount of some bookings of one currency."""
    arrived = [visit for visit in booked if visit["outcome"] == "arrived"]
    return {
        "bookings_count": len(booked),
        "arrived_count": len(arrived),
        "no_show_count": count_rows(booked, outcome="no_show"),
        "cancelled_count": count_rows(booked, outcome="cancelled"),
        "unknown_count": count_rows(booked, outcome="unknown"),
        "upcoming_count": count_rows(booked, outcome="upcoming"),
        "visited_clients_count": len({visit["person_id"] for visit in arrived}),
        "arrived_amount": sum_amounts(arrived),
        "amount_missing_count": count_rows(arrived, booking_amount=None),
        "presumed_count": count_rows(arrived, outcome_source="presumed"),
        "presumed_amount": sum_amounts([visit for visit in arrived if visit["outcome_source"] == "presumed"]),
    }


def collect_names(world: World, identify: Callable[[Wish], str | None], told_as: str) -> Names:
    """Return what the salons' latest wishes call what they are for."""
    names: Names = {}
    for wish in sorted(world.wishes, key=lambda wish: (wish.created_at, wish.id)):
        if name := read_told(wish, told_as):
            names[wish.tenant_id, identify(wish)] = name
    return names


def read_wished_service(wish: Wish) -> str | None:
    """Return the service that a wish is for: `meta.service_id`, else what `item_id` holds behind `service_`."""
    told = read_told(wish, "service_id")
    return told or (wish.item_id.removeprefix("service_") if wish.item_id.startswith("service_") else None)


def read_told(wish: Wish, name: str) -> str | None:
    """Return a text or a number of a wish's `meta` as text."""
    return read_scalar(wish.meta.get(name)) if isinstance(wish.meta, dict) else None
