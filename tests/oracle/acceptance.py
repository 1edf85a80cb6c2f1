"""Which raw rows the marts may be made of once the gate has looked at them (REQUIREMENTS B3, B5)."""

from __future__ import annotations

from dataclasses import replace

from tests.oracle.records import Memory, Message, Session, Wish, World


def accept_rows(world: World) -> World:
    """Return the world without rows that belong to two salons at once."""
    homes = {client.id: client.tenant_id for client in world.clients}
    salons = {session.session_id: session.tenant_id for session in world.sessions}

    def is_at_home(row: Session | Message | Memory | Wish) -> bool:
        return homes.get(row.user_id) == row.tenant_id

    return replace(
        world,
        sessions=tuple(session for session in world.sessions if is_at_home(session)),
        messages=tuple(
            message
            for message in world.messages
            if is_at_home(message)
            and (message.session_id is None or salons.get(message.session_id) == message.tenant_id)
        ),
        memories=tuple(memory for memory in world.memories if is_at_home(memory)),
        wishes=tuple(wish for wish in world.wishes if is_at_home(wish)),
    )
