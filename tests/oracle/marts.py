"""All marts of the worlds of one database, by the names of their relations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from tests.oracle.clients import compute_clients, compute_persons
from tests.oracle.dailies import compute_funnel, compute_metrics, compute_revenue
from tests.oracle.dialogs import compute_dialogs
from tests.oracle.kpis import compute_kpis
from tests.oracle.persons import compute_person_days, count_persons, identify_persons
from tests.oracle.records import Row, Tenant, World
from tests.oracle.redaction import redact_world
from tests.oracle.retention import compute_peers, compute_retention, compute_visit_rates
from tests.oracle.returns import compute_return_rates
from tests.oracle.sessions import compute_sessions
from tests.oracle.slots import compute_freed_slots
from tests.oracle.tenant_days import add_timezones, compute_tenant_days
from tests.oracle.traffic import compute_traffic
from tests.oracle.visits import compute_visits
from tests.oracle.visits_monthly import compute_visits_monthly


def compute_marts(worlds: Sequence[World], as_of: date) -> dict[str, list[Row]]:
    """Return what one build from nothing must publish, `as_of` the end of a day where each tenant lives.

    The worlds have no salon in common. Each is computed by itself, but for what compares salons.
    """
    marts: dict[str, list[Row]] = defaultdict(list)
    tenants: list[Tenant] = []
    for world in worlds:
        tenants += world.tenants
        for name, rows in compute_world(world, as_of).items():
            marts[name] += rows
    marts["dashboard.peers"] = compute_peers(
        tenants, marts["dashboard.persons"], marts["dashboard.retention"], marts["dashboard.visit_rates"], as_of
    )
    marts["dashboard.return_rates"] = compute_return_rates(tenants, marts["dashboard.visits"], as_of)
    return marts


def compute_world(world: World, as_of: date) -> dict[str, list[Row]]:
    """Return the marts of salons that are not compared with others."""
    world = redact_world(world)
    dialogs = compute_dialogs(world)
    sessions = compute_sessions(world, dialogs)
    people = identify_persons(world.clients)
    person_days = compute_person_days(people, sessions)
    visits = compute_visits(world, people, as_of)
    days = compute_tenant_days(world, visits, as_of)
    clients = compute_clients(world, visits, people, as_of)
    return {
        "dashboard.dialogs": dialogs,
        "dashboard.sessions": sessions,
        "intermediate.int_tenant_days": add_timezones(world, days),
        "intermediate.int_person_days": person_days,
        "dashboard.metrics_dailies": count_persons(compute_metrics(days, sessions, dialogs, visits), person_days),
        "dashboard.funnel_daily": compute_funnel(days, sessions),
        "dashboard.revenue_daily": compute_revenue(days, visits),
        "dashboard.kpis": compute_kpis(world, days, sessions, dialogs, visits, person_days, as_of),
        "dashboard.traffic_hourly": compute_traffic(world, days, sessions, dialogs),
        "dashboard.visits": visits,
        "dashboard.visits_monthly": compute_visits_monthly(world, visits, as_of),
        "dashboard.clients": clients,
        "dashboard.persons": compute_persons(world, clients, visits, as_of),
        "dashboard.freed_slots": compute_freed_slots(world, visits, people, as_of),
        "dashboard.retention": compute_retention(visits, as_of),
        "dashboard.visit_rates": compute_visit_rates(world, visits, as_of),
    }
