"""Who came back, what became of bookings, and how salons compare (REQUIREMENTS, issue of clients; METRICS)."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from statistics import median
from uuid import UUID

from tests.oracle.local_days import find_end
from tests.oracle.rates import describe_rate, round_rate
from tests.oracle.records import Row, Tenant, World
from tests.oracle.settings import find_recorded_share

FIRST_EVER = (("second_visit_90d", 90, 1), ("third_visit_180d", 180, 2))
FROM_A_MONTH = (("rebook_client_30d_fwd", 30), ("rebook_client_60d_fwd", 60), ("rebook_client_90d_fwd", 90))
PEERS_FROM = 5


def compute_retention(visits: list[Row], as_of: date) -> list[Row]:
    """Return the rows of `retention`."""
    days: dict[tuple[UUID, UUID], set[date]] = defaultdict(set)
    for visit in visits:
        if visit["is_visit"]:
            days[visit["tenant_id"], visit["person_id"]].add(visit["visit_day"])
    outcomes: dict[tuple[UUID, date, str, int], list[bool | None]] = defaultdict(list)
    for (tenant_id, _), found in days.items():
        ordered = sorted(found)
        for measure, window, later in FIRST_EVER:
            end = ordered[0] + timedelta(days=window)
            came = len(ordered) > later and ordered[later] <= end
            outcomes[tenant_id, ordered[0].replace(day=1), measure, window].append(came if end <= as_of else None)
        for month, in_month in groupby(ordered, key=lambda day: day.replace(day=1)):
            first = next(in_month)
            for measure, window in FROM_A_MONTH:
                end = first + timedelta(days=window)
                came = any(first < day <= end for day in ordered)
                outcomes[tenant_id, month, measure, window].append(came if end <= as_of else None)
    return [
        {
            "tenant_id": tenant_id,
            "cohort_month": month,
            "measure": measure,
            "window_days": window,
            "clients_count": len(found),
            "maturing_count": found.count(None),
            "assessable_count": len(found) - found.count(None),
            "returned_count": found.count(True),
            **describe_rate(found.count(True), len(found) - found.count(None)),
        }
        for (tenant_id, month, measure, window), found in outcomes.items()
    ]


def compute_visit_rates(world: World, visits: list[Row], as_of: date) -> list[Row]:
    """Return the rows of `visit_rates`."""
    tenants = {tenant.id: tenant for tenant in world.tenants}
    counts: dict[tuple[UUID, date, str], list[tuple[Row, bool]]] = defaultdict(list)
    for visit in visits:
        tenant = tenants[visit["tenant_id"]]
        if visit["outcome"] in ("moved", "upcoming") or not is_due(tenant, visit, as_of):
            continue
        for measure, is_part in assess_visit(visit).items():
            counts[visit["tenant_id"], visit["visit_day"].replace(day=1), measure].append((visit, is_part))
    return [
        {
            "tenant_id": tenant_id,
            "visit_month": month,
            "measure": measure,
            **describe_assessed(measure, found, find_recorded_share(tenants[tenant_id])),
        }
        for (tenant_id, month, measure), found in counts.items()
    ]


def describe_assessed(measure: str, found: list[tuple[Row, bool]], percent: int) -> Row:
    """Return counts and rate of due bookings; no rate of who came where too few of them were recorded."""
    part, whole = sum(is_part for _, is_part in found), len(found)
    attended = [visit for visit, _ in found if visit["outcome"] in ("arrived", "no_show")]
    presumed = sum(visit["outcome_source"] == "presumed" for visit in attended)
    recorded = len(attended) - presumed
    is_hidden = measure in ("arrival", "no_show") and presumed > 0 and 100 * recorded < percent * len(attended)
    return {
        "part_count": part,
        "whole_count": whole,
        **describe_rate(part, 0 if is_hidden else whole),
        "attendance_count": len(attended),
        "presumed_count": presumed,
        "recorded_share": round_rate(Decimal(recorded) / len(attended)) if attended else None,
    }


def assess_visit(visit: Row) -> dict[str, bool]:
    """Return for each measure that a due booking counts for whether it came to that."""
    outcome, late = visit["outcome"], visit["is_released_late"]
    was_expected = outcome in ("arrived", "no_show") or late is True
    wanted = {
        "arrival": (outcome == "arrived", was_expected),
        "no_show": (outcome == "no_show", was_expected),
        "cancellation": (outcome == "cancelled", True),
        "late_cancellation": (late is True, outcome != "cancelled" or late is not None),
        "unknown": (outcome == "unknown", True),
    }
    return {measure: is_part for measure, (is_part, is_counted) in wanted.items() if is_counted}


def is_due(tenant: Tenant, visit: Row, as_of: date) -> bool:
    """Whether the time of a booking is known and has come."""
    return visit["visit_at"] is not None and visit["visit_at"] < find_end(tenant, as_of)


def compute_peers(
    tenants: list[Tenant], persons: list[Row], retention: list[Row], visit_rates: list[Row], as_of: date
) -> list[Row]:
    """Return the rows of `peers`: twelve whole months and the current one."""
    since = as_of.replace(year=as_of.year - 1, day=1)
    visitors = Counter(row["tenant_id"] for row in persons if row["visits_count"] > 0)
    sizes = {tenant.id: visitors[tenant.id] for tenant in tenants if tenant.is_active}
    needed = {tenant.id: find_recorded_share(tenant) for tenant in tenants}
    counts: dict[tuple[UUID, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for rows, month, part_name, whole_name in (
        (retention, "cohort_month", "returned_count", "assessable_count"),
        (visit_rates, "visit_month", "part_count", "whole_count"),
    ):
        for row in rows:
            if row["tenant_id"] in sizes and row[month] >= since:
                counts[row["tenant_id"], row["measure"]][0] += row[part_name]
                counts[row["tenant_id"], row["measure"]][1] += row[whole_name]
                counts[row["tenant_id"], row["measure"]][2] += row.get("attendance_count", 0)
                counts[row["tenant_id"], row["measure"]][3] += row.get("presumed_count", 0)
    told = {
        (tenant_id, measure): (part, whole)
        for (tenant_id, measure), (part, whole, attended, presumed) in counts.items()
        if measure not in ("arrival", "no_show")
        or not presumed
        or 100 * (attended - presumed) >= needed[tenant_id] * attended
    }
    known: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for (tenant_id, measure), (part, whole) in told.items():
        if whole:
            known[measure].append((sizes[tenant_id], part / whole))
    found = []
    for (tenant_id, measure), (part, whole) in told.items():
        if not whole:
            continue
        size = sizes[tenant_id]
        rates = [rate for other, rate in known[measure] if size <= 3 * other and other <= 3 * size]
        is_shown = len(rates) >= PEERS_FROM
        found.append({
            "tenant_id": tenant_id,
            "measure": measure,
            "part_count": part,
            "whole_count": whole,
            **describe_rate(part, whole),
            "peers_count": len(rates) if is_shown else None,
            "peers_median_rate": round_rate(Decimal(median(rates))) if is_shown else None,
        })  # fmt: skip
    return found
