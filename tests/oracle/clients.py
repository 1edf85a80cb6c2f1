"""Who the clients are, how they visit and spend, and where they stand (docs/decisions.md, "Visits")."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from statistics import median
from typing import Any
from uuid import UUID

from tests.oracle.local_days import find_end
from tests.oracle.persons import People, read_phone
from tests.oracle.records import Client, Row, Tenant, World
from tests.oracle.sessions import clean_text
from tests.oracle.settings import find_loss_period

DEFAULT_INTERVAL = 30
STEPS = (Decimal("1.0"), Decimal("1.3"), Decimal("1.5"))
CONSENT = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def compute_clients(world: World, visits: list[Row], people: People, as_of: date) -> list[Row]:
    """Return the rows of `clients`."""
    tenants = {tenant.id: tenant for tenant in world.tenants}
    memories = {(memory.tenant_id, memory.user_id): memory for memory in world.memories}
    rows = []
    for client in world.clients:
        key = client.tenant_id, client.id
        own = [row for row in visits if (row["tenant_id"], row["client_id"]) == key]
        memory = memories.get(key)
        remembered = clean_text(memory.preferred_staff_id) if memory else None
        rows.append({
            **describe_client(client),
            "person_id": people[key],
            **describe_preferences(remembered, own),
            **describe_visitor(own, tenants[client.tenant_id], as_of),
        })  # fmt: skip
    return rows


def describe_client(client: Client) -> Row:
    """Return who a client is."""
    return {
        "tenant_id": client.tenant_id,
        "client_id": client.id,
        "client_name": clean_text(client.full_name),
        "phone": clean_text(client.phone),
        "phone_key": read_phone(client.phone),
        "has_telegram": client.telegram_chat_id is not None,
        "has_whatsapp": clean_text(client.whatsapp_id) is not None,
        "has_consent": read_consent(client.meta),
        "created_at": client.created_at,
    }


def compute_persons(world: World, clients: list[Row], visits: list[Row], as_of: date) -> list[Row]:
    """Return the rows of `persons`, from those of `clients`: the oldest client that says something counts."""
    tenants = {tenant.id: tenant for tenant in world.tenants}
    met: dict[tuple[UUID, UUID], list[Row]] = defaultdict(list)
    for row in sorted(clients, key=lambda row: (row["created_at"], row["client_id"].int)):
        met[row["tenant_id"], row["person_id"]].append(row)
    rows = []
    for (tenant_id, person_id), found in met.items():
        own = [row for row in visits if (row["tenant_id"], row["person_id"]) == (tenant_id, person_id)]
        remembered = [row["favourite_staff_id"] for row in found if row["favourite_staff_source"] == "memory"]
        consents = {row["has_consent"] for row in found} - {None}
        rows.append({
            "tenant_id": tenant_id,
            "person_id": person_id,
            "clients_count": len(found),
            "contact_client_id": find_contact(found)["client_id"],
            "client_name": next((row["client_name"] for row in found if row["client_name"]), None),
            "phone": next((row["phone"] for row in found if row["phone"]), None),
            "has_telegram": any(row["has_telegram"] for row in found),
            "has_whatsapp": any(row["has_whatsapp"] for row in found),
            "has_consent": all(consents) if consents else None,
            "created_at": found[0]["created_at"],
            **describe_preferences(next(iter(remembered), None), own),
            **describe_visitor(own, tenants[tenant_id], as_of),
        })  # fmt: skip
    return rows


def find_contact(found: list[Row]) -> Row:
    """Return whom of one person's clients, the oldest first, to write to: of those with a chat the one seen last."""
    chatting = [row for row in found if row["has_telegram"] or row["has_whatsapp"]] or found
    seen = [row for row in chatting if row["last_visit_at"] is not None]
    return max(seen, key=lambda row: row["last_visit_at"]) if seen else chatting[0]


def describe_visitor(bookings: list[Row], tenant: Tenant, as_of: date) -> Row:
    """Return the figures of a client or a person, from their bookings."""
    visits = sorted((row for row in bookings if row["is_visit"]), key=lambda row: row["visit_at"])
    outcomes = Counter(row["outcome"] for row in bookings)
    rhythm = describe_rhythm(visits)
    return {
        "bookings_count": len(bookings),
        "visits_count": len(visits),
        "no_shows_count": outcomes["no_show"],
        "cancellations_count": outcomes["cancelled"],
        "moves_count": outcomes["moved"] + sum(row["times_moved"] for row in bookings),
        "upcoming_count": outcomes["upcoming"],
        "unknown_count": outcomes["unknown"],
        "first_visit_at": visits[0]["visit_at"] if visits else None,
        "last_visit_at": visits[-1]["visit_at"] if visits else None,
        "next_booking_at": min((row["visit_at"] for row in bookings if row["outcome"] == "upcoming"), default=None),
        **rhythm,
        **describe_spend(visits),
        **describe_standing(tenant, visits, rhythm, bookings, find_end(tenant, as_of)),
    }


def read_consent(meta: Any) -> bool | None:
    """Return whether the client agreed: the first of three places in `meta` that says anything decides."""
    if not isinstance(meta, dict):
        return None
    consent = meta.get("consent")
    inner = consent.get("marketing") if isinstance(consent, dict) else None
    said = next((value for value in (inner, meta.get("marketing_consent"), consent) if value is not None), None)
    return CONSENT.get(str(said).strip().lower())


def describe_preferences(remembered: str | None, bookings: list[Row]) -> Row:
    """Return whom and what is preferred: what the bot remembers counts before what the visits suggest."""
    visits = [row for row in bookings if row["is_visit"]]
    usual = find_most_visited(visits, "staff_id")
    return {
        "favourite_staff_id": remembered or usual,
        "favourite_staff_source": "memory" if remembered else ("visits" if usual else None),
        "favourite_service_id": find_most_visited(visits, "service_id"),
    }


def find_most_visited(visits: list[Row], column: str) -> str | None:
    """Return the value of most visits; of equally many, that of the last one, then the first by name."""
    counts = Counter(row[column] for row in visits if row[column] is not None)
    most = {name for name, count in counts.items() if count == max(counts.values())}
    last = max((row["visit_at"] for row in visits if row[column] in most), default=None)
    return min((row[column] for row in visits if row[column] in most and row["visit_at"] == last), default=None)


def describe_rhythm(visits: list[Row]) -> Row:
    """Return how often the client comes; two visits on one day are one."""
    days = sorted({row["visit_day"] for row in visits})
    gaps = [(after - before).days for before, after in pairwise(days)]
    cadence = float(median(gaps[-6:])) if gaps else None
    return {
        "visit_days_count": len(days),
        "avg_visit_interval": round_half_up(Decimal(sum(gaps)) / len(gaps), "1") if gaps else None,
        "cadence_days": cadence,
        "next_expected_visit_at": None if cadence is None else visits[-1]["visit_at"] + timedelta(days=cadence),
    }


def describe_spend(visits: list[Row]) -> Row:
    """Return what visits cost, by currency, and in the currency of most."""
    priced = [row for row in visits if row["booking_amount"] is not None]
    paid = [{**row, "currency": row["booking_currency"] or "XXX"} for row in priced]
    amounts: dict[str, list[Decimal]] = {}
    for row in paid:
        amounts.setdefault(row["currency"], []).append(row["booking_amount"])
    usual = find_most_visited(paid, "currency")
    if usual is None:
        return dict.fromkeys(("spend_amount", "spend_currency", "spend_by_currency", "avg_ticket_amount"))
    total = sum(amounts[usual], Decimal(0))
    return {
        "spend_amount": total,
        "spend_currency": usual,
        "spend_by_currency": {currency: float(sum(prices)) for currency, prices in amounts.items()},
        "avg_ticket_amount": round_half_up(total / len(amounts[usual]), "0.01"),
    }


def describe_standing(tenant: Tenant, visits: list[Row], rhythm: Row, bookings: list[Row], moment: datetime) -> Row:
    """Return where the client stands, and when time alone can change that."""
    ahead = [row["visit_at"] for row in bookings if row["outcome"] == "upcoming"]
    if not visits:
        return {"lifecycle": "prospect", "churn_risk_score": None, "next_change_at": min(ahead, default=None)}
    last, loss_days, interval = visits[-1]["visit_at"], find_loss_period(tenant), rhythm["avg_visit_interval"]
    idle = (moment - last).days
    days = sorted({row["visit_day"] for row in visits})
    if idle >= loss_days and not ahead:
        lifecycle = "lost"
    elif len(days) > 1 and (days[-1] - days[-2]).days > loss_days:
        lifecycle = "won_back"
    else:
        lifecycle = "returning" if len(days) > 1 else "new"
    limits = [loss_days, *(math.ceil(step * (interval or DEFAULT_INTERVAL)) for step in STEPS)]
    reached = [last + timedelta(days=limit) for limit in limits]
    return {
        "lifecycle": lifecycle,
        "churn_risk_score": calculate_churn_risk(idle, interval),
        "next_change_at": min([*ahead, *(instant for instant in reached if instant > moment)], default=None),
    }


def calculate_churn_risk(days_since: int | None, avg_interval: float | Decimal | None) -> Decimal | None:
    """Return the seed's score (seed 02, feature 2), its steps as written there; without a visit there is none."""
    if days_since is None:
        return None
    if avg_interval == 0:  # the seed divides by it; the client is overdue after a day
        return Decimal("0.0") if days_since <= 0 else Decimal("0.9")
    # The seed's numbers are floats: 13 days of 10 are 1.3, which as decimals would be less than the float 1.3.
    deviation = days_since / float(DEFAULT_INTERVAL if avg_interval is None else avg_interval)
    if deviation < 1.0:
        return Decimal("0.0")
    if deviation < 1.3:
        return Decimal("0.3")
    if deviation < 1.5:
        return Decimal("0.6")
    return Decimal("0.9")


def round_half_up(value: Decimal, unit: str) -> Decimal:
    """Return the value as a multiple of the unit, halves away from zero."""
    return value.quantize(Decimal(unit), rounding=ROUND_HALF_UP)
