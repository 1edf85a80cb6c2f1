"""Who comes back from how late (docs/decisions.md, "Win-back")."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import ceil
from uuid import UUID

from tests.oracle.clients import DEFAULT_INTERVAL, round_half_up
from tests.oracle.local_days import find_day
from tests.oracle.rates import describe_rate, round_rate
from tests.oracle.records import Row, Tenant
from tests.oracle.settings import find_loss_period

STEPS = {"due": Fraction(1), "overdue": Fraction(135, 100), "lapsed": Fraction(3)}
WINDOW = timedelta(days=30)
Absences = dict[tuple[UUID, str, str], list[bool | None]]
"""By salon, segment and lateness, whether each absence ended in time; None where that is not known yet."""


def compute_return_rates(tenants: list[Tenant], visits: list[Row], as_of: date) -> list[Row]:
    """Return the rows of `return_rates` where no message was ever sent."""
    found: Absences = defaultdict(list)
    salons = {tenant.id: tenant for tenant in tenants}
    own: dict[tuple[UUID, UUID], list[Row]] = defaultdict(list)
    for visit in visits:
        own[visit["tenant_id"], visit["person_id"]].append(visit)
    for (tenant_id, _), bookings in own.items():
        for segment, lateness, outcome in list_absences(salons[tenant_id], bookings, as_of):
            found[tenant_id, segment, lateness].append(outcome)
    return [
        describe_returns(found, tenant.id, segment, lateness)
        for tenant, segment, lateness in product(tenants, ("regular", "one_visit"), (*STEPS, "lost"))
    ]


def list_absences(tenant: Tenant, bookings: list[Row], as_of: date) -> Iterator[tuple[str, str, bool | None]]:
    """Yield each lateness that a person reached with nothing booked, and whether a visit followed in the window."""
    days = sorted({booking["visit_day"] for booking in bookings if booking["is_visit"]})
    for number, day in enumerate(days):
        gaps = Decimal((day - days[0]).days)
        cycle = int(round_half_up(gaps / number, "1")) if number else DEFAULT_INTERVAL
        after = days[number + 1] if number + 1 < len(days) else None
        for lateness, waited in list_steps(cycle, find_loss_period(tenant)):
            reached = day + timedelta(days=waited)
            if reached > as_of or (after and after <= reached) or has_booked(tenant, bookings, reached):
                continue
            is_known = reached + WINDOW <= as_of
            yield (
                "regular" if number else "one_visit",
                lateness,
                (after is not None and after <= reached + WINDOW) if is_known else None,
            )


def list_steps(cycle: int, loss_period: int) -> list[tuple[str, int]]:
    """Return which lateness is reached after how many days; one that another takes the place of at once is none."""
    steps = [(name, min(ceil(ratio * cycle), loss_period)) for name, ratio in STEPS.items()] + [("lost", loss_period)]
    return [step for step, later in zip(steps, [*steps[1:], None], strict=True) if later is None or step[1] < later[1]]


def has_booked(tenant: Tenant, bookings: list[Row], day: date) -> bool:
    """Return whether a booking was ahead at the end of a day, as far as it is known when it was given up."""
    return any(
        booking["booked_day"] <= day
        and booking["visit_day"] is not None
        and booking["visit_day"] > day
        and (booking["released_at"] is None or find_day(tenant, booking["released_at"]) > day)
        for booking in bookings
    )


def describe_returns(found: Absences, tenant_id: UUID, segment: str, lateness: str) -> Row:
    """Return one row: the salon's own counts, and the chance of all salons."""
    own = found.get((tenant_id, segment, lateness), [])
    known = [outcome for outcome in own if outcome is not None]
    pooled = [
        outcome
        for (_, *kind), outcomes in found.items()
        if kind == [segment, lateness]
        for outcome in outcomes
        if outcome is not None
    ]
    chance = Decimal(2 * sum(pooled) + 1) / (2 * len(pooled) + 2)
    return {
        "tenant_id": tenant_id,
        "segment": segment,
        "lateness": lateness,
        "reached_count": len(own),
        "maturing_count": len(own) - len(known),
        "assessable_count": len(known),
        "returned_count": sum(known),
        **describe_rate(sum(known), len(known)),
        "return_chance": round_rate(chance) if pooled else None,
        "chance_source": "history" if pooled else None,
    }
