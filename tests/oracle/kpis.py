"""What the overview shows of the last days, beside as many days before (issue 6; METRICS, house rules)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from tests.oracle.dailies import count_made, count_rows, name_currency, sum_amounts, sum_booked, sum_earned
from tests.oracle.numbers import compute_mean
from tests.oracle.rates import describe_rate
from tests.oracle.records import Row, Tenant, World
from tests.oracle.retention import assess_visit, describe_assessed, is_due
from tests.oracle.settings import find_recorded_share
from tests.oracle.tenant_days import CALENDAR_STARTS_ON

LENGTHS = (7, 30, 90)
Figures = dict[tuple[str, str], Row]
"""What is known of each measure and currency of one window."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One salon's rows; `assessed` are its due bookings with whether each came to each measure."""

    sessions: list[Row]
    dialogs: list[Row]
    person_days: list[Row]
    visits: list[Row]
    clients: set[UUID]
    assessed: list[tuple[Row, dict[str, bool]]]
    recorded_percent: int


FACTS = {
    "dialogs": ("count", "count", "up"),
    "bookings": ("count", "count", "up"),
    "bot_bookings": ("count", "count", "up"),
    "kept_bookings": ("count", "count", "up"),
    "cancelled_bookings": ("count", "count", "down"),
    "unknown_bookings": ("count", "count", "down"),
    "moves": ("count", "count", "neither"),
    "conversion": ("rate", "share", "up"),
    "avg_response_ms": ("average", "milliseconds", "down"),
    "unique_clients": ("count", "count", "up"),
    "new_clients": ("count", "count", "up"),
    "messages": ("count", "count", "neither"),
    "booked_amount": ("count", "money", "up"),
    "kept_amount": ("count", "money", "up"),
    "earned_amount": ("count", "money", "up"),
    "earned_recorded_amount": ("count", "money", "up"),
    "avg_ticket": ("average", "money", "up"),
    "arrival_rate": ("rate", "share", "up"),
    "no_show_rate": ("rate", "share", "down"),
    "cancellation_rate": ("rate", "share", "down"),
    "unknown_rate": ("rate", "share", "down"),
}
"""Of every measure its kind, its unit, and which way is better."""


def compute_kpis(
    world: World,
    days: list[Row],
    sessions: list[Row],
    dialogs: list[Row],
    visits: list[Row],
    person_days: list[Row],
    as_of: date,
) -> list[Row]:
    """Return the rows of `kpis`."""
    rows = []
    for tenant in world.tenants:
        calendar = [day["day"] for day in take_own(days, tenant.id) if day["day"] >= CALENDAR_STARTS_ON]
        if not tenant.is_active or not calendar:
            continue
        facts = Facts(
            sessions=[row for row in take_own(sessions, tenant.id) if not row["is_inferred"]],
            dialogs=take_own(dialogs, tenant.id),
            person_days=take_own(person_days, tenant.id),
            visits=take_own(visits, tenant.id),
            clients={client.id for client in world.clients if client.tenant_id == tenant.id},
            assessed=assess_visits(tenant, visits, as_of),
            recorded_percent=find_recorded_share(tenant),
        )
        for length in LENGTHS:
            rows += [{"tenant_id": tenant.id, **row} for row in describe_period(calendar, length, facts)]
    return rows


def take_own(rows: list[Row], tenant_id: UUID) -> list[Row]:
    """Return one salon's rows."""
    return [row for row in rows if row["tenant_id"] == tenant_id]


def assess_visits(tenant: Tenant, visits: list[Row], as_of: date) -> list[tuple[Row, dict[str, bool]]]:
    """Return the salon's bookings whose time has come."""
    return [
        (visit, assess_visit(visit))
        for visit in take_own(visits, tenant.id)
        if visit["outcome"] not in ("moved", "upcoming") and is_due(tenant, visit, as_of)
    ]


def describe_period(calendar: list[date], length: int, facts: Facts) -> list[Row]:
    """Return the rows of one salon and length: every measure, and money in every currency of either window."""
    end = max(calendar)
    middle = end - timedelta(days=length)
    start = middle - timedelta(days=length) + timedelta(days=1)
    currencies = {name_currency(row) for row in list_made(facts, lambda day: start <= day <= end)}
    currencies |= {name_currency(row) for row in list_visited(facts, lambda day: start <= day <= end)}
    now = describe_window(facts, currencies, lambda day: middle < day <= end)
    before = describe_window(facts, currencies, lambda day: start <= day <= middle)
    return [
        {
            "period_days": length,
            "measure": measure,
            "currency": currency,
            "period_start": middle + timedelta(days=1),
            "period_end": end,
            "previous_start": start,
            "previous_end": middle,
            **now[measure, currency],
            **{f"previous_{name}": figure for name, figure in before[measure, currency].items()},
            "is_comparable": min(calendar) <= start,
            **dict(zip(("kind", "unit", "better"), FACTS[measure], strict=True)),
        }
        for measure, currency in now
    ]


def list_made(facts: Facts, is_inside: Callable[[date], bool]) -> list[Row]:
    """Return the bookings made on these days, a moved one being that which took its place."""
    return [row for row in facts.visits if row["outcome"] != "moved" and is_inside(row["first_booked_day"])]


def list_visited(facts: Facts, is_inside: Callable[[date], bool]) -> list[Row]:
    """Return the visits on these days."""
    return [row for row in facts.visits if row["is_visit"] and is_inside(row["visit_day"])]


def describe_window(facts: Facts, currencies: set[str], is_inside: Callable[[date], bool]) -> Figures:
    """Return all measures of one window, by name and currency."""
    started = [row for row in facts.sessions if is_inside(row["started_day"])]
    intended = [row for row in started if row["is_booking_intended"]]
    talked = [row for row in facts.person_days if is_inside(row["day"])]
    made, visited = list_made(facts, is_inside), list_visited(facts, is_inside)
    booked = sum_booked(made)
    counted = count_made([row for row in facts.visits if is_inside(row["first_booked_day"])])
    figures = {
        ("dialogs", ""): describe_value(len(started)),
        ("bookings", ""): describe_value(booked["booked_count"]),
        ("bot_bookings", ""): describe_value(counted["new_bookings_by_source"].get("bot", 0)),
        ("kept_bookings", ""): describe_value(booked["kept_bookings"]),
        ("cancelled_bookings", ""): describe_value(booked["cancelled_bookings"]),
        ("unknown_bookings", ""): describe_value(booked["unknown_count"]),
        ("moves", ""): describe_value(counted["moves"]),
        ("conversion", ""): describe_share(count_rows(intended, is_booked=True), len(intended)),
        ("avg_response_ms", ""): describe_replies(started, facts.dialogs),
        ("unique_clients", ""): describe_value(len({row["person_id"] for row in talked})),
        ("new_clients", ""): describe_value(count_rows(talked, is_first_day=True)),
        ("messages", ""): describe_value(sum(is_inside(row["sent_day"]) for row in facts.dialogs)),
    }
    for measure in ("arrival", "no_show", "cancellation", "unknown"):
        due = [
            (visit, found[measure])
            for visit, found in facts.assessed
            if is_inside(visit["visit_day"]) and measure in found
        ]
        figures[f"{measure}_rate", ""] = describe_attendance(measure, due, facts.recorded_percent)
    for currency in currencies:
        own_made = [row for row in made if name_currency(row) == currency]
        own_visited = [row for row in visited if name_currency(row) == currency]
        sums = {**sum_booked(own_made), **sum_earned(own_visited)}
        for measure in ("booked_amount", "kept_amount", "earned_amount", "earned_recorded_amount"):
            figures[measure, currency] = describe_value(sums[measure])
        priced = [row for row in own_visited if row["booking_amount"] is not None and row["client_id"] in facts.clients]
        figures["avg_ticket", currency] = describe_value(round_ticket(priced), over=len(priced))
    return figures


def describe_attendance(measure: str, due: list[tuple[Row, bool]], percent: int) -> Row:
    """Return a rate of visits with how much of it is presumed."""
    found = describe_assessed(measure, due, percent)
    return {
        "value": found["rate"],
        "part_count": found["part_count"],
        "whole_count": found["whole_count"],
        "value_low": found["rate_low"],
        "value_high": found["rate_high"],
        "presumed_count": found["presumed_count"],
    }


def describe_replies(started: list[Row], dialogs: list[Row]) -> Row:
    """Return the mean response time in these sessions, over replies."""
    ids = {row["session_id"] for row in started}
    replies = [row["response_ms"] for row in dialogs if row["session_id"] in ids and row["response_ms"] is not None]
    return describe_value(compute_mean(replies), over=len(replies))


def round_ticket(priced: list[Row]) -> Decimal | None:
    """Return the mean amount with two digits."""
    if not priced:
        return None
    return (sum_amounts(priced) / len(priced)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def describe_value(value: Decimal | int | None, *, over: int | None = None) -> Row:
    """Return a count or an amount, or a mean over so many."""
    return {
        "value": value,
        "part_count": None,
        "whole_count": over,
        "value_low": None,
        "value_high": None,
        "presumed_count": None,
    }


def describe_share(part: int, whole: int) -> Row:
    """Return a rate with what it is of and its interval."""
    found = describe_rate(part, whole)
    return {
        "value": found["rate"],
        "part_count": part,
        "whole_count": whole,
        "value_low": found["rate_low"],
        "value_high": found["rate_high"],
        "presumed_count": None,
    }
