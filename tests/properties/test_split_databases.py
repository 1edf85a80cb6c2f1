"""Salons share nothing: spread over two databases they have the rows that they have in one (DESIGN, many machines)."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from uuid import UUID

from tests.oracle.records import World
from tests.properties.comparing import find_difference
from tests.properties.histories import keep_keys
from tests.properties.moments import AS_OF_DAYS
from tests.properties.raw_tables import change_raw_tables
from tests.properties.worlds import TENANTS, draw_world, name_tenant
from tests.support.marts import MARTS, Workshop
from tests.support.options import Examples


def test_salons_in_two_databases_have_the_rows_that_they_have_in_one(
    make_workshop: Callable[[], Workshop], examples: Examples
) -> None:
    random = Random(f"{examples.seed} split")
    as_of = random.choice(AS_OF_DAYS).isoformat()
    worlds = [draw_world(random, number) for number in range(examples.count)]
    first = {name_tenant(number * TENANTS) for number in range(examples.count)}
    others = {tenant.id for world in worlds for tenant in world.tenants} - first
    together = [keep_keys(world) for world in worlds]
    published = []
    for part in (together, *([take_tenants(world, chosen) for world in worlds] for chosen in (first, others))):
        workshop = make_workshop()
        change_raw_tables(workshop.url, World(), part)
        workshop.gather_statistics()
        workshop.build(as_of=as_of)
        published.append(workshop.read_marts())
    for name in MARTS:
        if name in ("dashboard.peers", "dashboard.return_rates"):
            continue  # looks across salons, so that it is not the sum of its parts
        both = published[1][name] + published[2][name]
        assert len(both) == len(published[0][name]), f"{name} is not the sum of its parts"
        assert find_difference(name, published[0][name], both) is None


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
