"""Salons share nothing: spread over two databases they have the rows that they have in one (DESIGN, many machines)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

from hypothesis import HealthCheck, given, settings

from tests.oracle.records import World
from tests.properties.comparing import find_difference
from tests.properties.examples import take_examples
from tests.properties.histories import keep_keys
from tests.properties.moments import as_of_days
from tests.properties.raw_tables import change_raw_tables
from tests.properties.worlds import TENANTS, name_tenant, worlds
from tests.support.marts import MARTS, Workshop


@settings(max_examples=take_examples(1), suppress_health_check=list(HealthCheck))
@given(world=worlds(), as_of=as_of_days)
def test_salons_in_two_databases_have_the_rows_that_they_have_in_one(
    make_workshop: Callable[[], Workshop], world: World, as_of: date
) -> None:
    low = {name_tenant(number) for number in range(TENANTS // 2)}
    parts = [take_tenants(world, low), take_tenants(world, {tenant.id for tenant in world.tenants} - low)]
    together = keep_keys(world)
    published = []
    for part in (together, *parts):
        workshop = make_workshop()
        change_raw_tables(workshop.url, World(), part)
        workshop.build(as_of=as_of.isoformat())
        published.append(workshop.read_marts())
    for name in MARTS:
        if name == "dashboard.peers":
            continue  # compares salons, so that it is not the sum of its parts
        both = published[1][name] + published[2][name]
        assert len(both) == len(published[0][name]), f"{name} is not the sum of its parts"
        difference = find_difference(name, published[0][name], both)
        assert difference is None, difference


def take_tenants(world: World, tenants: set[UUID]) -> World:
    """Return what these salons wrote; a message that names another's session names one not archived there."""
    return keep_keys(
        World(
            tuple(tenant for tenant in world.tenants if tenant.id in tenants),
            tuple(client for client in world.clients if client.tenant_id in tenants),
            tuple(session for session in world.sessions if session.tenant_id in tenants),
            tuple(message for message in world.messages if message.tenant_id in tenants),
            tuple(memory for memory in world.memories if memory.tenant_id in tenants),
            tuple(wish for wish in world.wishes if wish.tenant_id in tenants),
        )
    )
