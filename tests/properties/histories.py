"""Ways in which raw data comes: in pieces and out of order, corrected, moved, deleted and written again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TypeVar

from tests.oracle.records import Client, Message, Session, Tenant, World
from tests.properties.moments import TIMEZONES
from tests.properties.worlds import CHANNELS, ROLES, SERVICES, STAFF

Operation = Callable[[Random, World, World], World]
Record = TypeVar("Record")


def draw_steps(random: Random, now: World, target: World, length: int) -> list[World]:
    """Return the worlds that some operations lead through, one after the other."""
    steps = []
    for _ in range(length):
        now = keep_keys(random.choice(OPERATIONS)(random, now, target))
        steps.append(now)
    return steps


def keep_keys(world: World) -> World:
    """Take out what foreign keys forbid; a message keeps the session it may not name as its legacy one."""
    tenants = {tenant.id for tenant in world.tenants}
    clients = tuple(client for client in world.clients if client.tenant_id in tenants)
    people = {client.id for client in clients}
    sessions = tuple(s for s in world.sessions if s.tenant_id in tenants and s.user_id in people)
    archived = {session.session_id for session in sessions}
    messages = tuple(
        m
        if m.session_id in archived
        else replace(m, session_id=None, legacy_session_id=m.session_id or m.legacy_session_id)
        for m in world.messages
        if m.tenant_id in tenants and m.user_id in people
    )
    return World(world.tenants, clients, sessions, messages)


def arrive(random: Random, now: World, target: World) -> World:
    """Some rows come that are not there yet, in whatever order, with the salons and clients they need."""
    share = random.choice((0.1, 0.3, 1.0))
    order = random.choice(("messages", "sessions", "both"))
    messages = [m for m in missing_messages(now, target) if order != "sessions" and random.random() < share]
    sessions = [s for s in missing_sessions(now, target) if order != "messages" and random.random() < share]
    people = {m.user_id for m in messages} | {s.user_id for s in sessions}
    people -= {client.id for client in now.clients}
    clients = [client for client in target.clients if client.id in people]
    needed = {m.tenant_id for m in messages} | {s.tenant_id for s in sessions} | {c.tenant_id for c in clients}
    needed -= {tenant.id for tenant in now.tenants}
    tenants = [tenant for tenant in target.tenants if tenant.id in needed]
    return World(
        (*now.tenants, *tenants),
        (*now.clients, *clients),
        (*now.sessions, *sessions),
        (*now.messages, *messages),
    )


def missing_messages(now: World, target: World) -> list[Message]:
    """Return the target's messages that are not there."""
    known = {message.id for message in now.messages}
    return [message for message in target.messages if message.id not in known]


def missing_sessions(now: World, target: World) -> list[Session]:
    """Return the target's sessions that are not there."""
    known = {session.session_id for session in now.sessions}
    return [session for session in target.sessions if session.session_id not in known]


def link_messages(random: Random, now: World, target: World) -> World:
    """Messages name the sessions that they gave up, or forget those that they name."""
    archived = [session.session_id for session in now.sessions]

    def change(message: Message) -> Message:
        match random.choice(("link", "forget", "name another", "as told")):
            case "link" if message.legacy_session_id in archived:
                return replace(message, session_id=message.legacy_session_id, legacy_session_id=None)
            case "forget":
                return replace(message, session_id=None)
            case "name another" if archived:
                return replace(message, session_id=random.choice(archived))
        return next((told for told in target.messages if told.id == message.id), message)

    return replace(now, messages=change_some(random, now.messages, change))


def correct_messages(random: Random, now: World, target: World) -> World:
    """Messages turn out to be of another time, role, channel or client of the same salon."""

    def change(message: Message) -> Message:
        match random.choice(("time", "role", "channel", "client", "text")):
            case "time":
                return replace(message, created_at=random.choice(target.messages or now.messages).created_at)
            case "role":
                return replace(message, role=random.choice(ROLES))
            case "channel":
                return replace(message, channel=random.choice(CHANNELS))
            case "client":
                siblings = [c.id for c in now.clients if c.tenant_id == message.tenant_id]
                return replace(message, user_id=random.choice([*siblings, message.user_id]))
        return replace(message, message=f"{message.message}, corrected")

    return replace(now, messages=change_some(random, now.messages, change))


def correct_sessions(random: Random, now: World, target: World) -> World:
    """Sessions are booked, cancelled, prolonged, moved to another time, channel or client of the same salon."""

    def change(session: Session) -> Session:
        match random.choice(("book", "cancel", "times", "end", "meta", "channel", "client", "status", "count")):
            case "book":
                return replace(session, booking_id="19", booking_amount=Decimal("700.5"), booking_currency="RUB")
            case "cancel":
                return replace(session, booking_status="cancelled")
            case "times":
                started_at = random.choice(target.sessions or now.sessions).started_at
                return replace(session, started_at=started_at, ended_at=started_at + timedelta(minutes=30))
            case "end":
                ended_at = session.started_at + timedelta(minutes=random.choice((0, 10, 60)))
                return replace(session, ended_at=random.choice((None, ended_at)))
            case "meta":
                meta = {"services_selected": random.choice(SERVICES), "staff_id": random.choice(STAFF)}
                return replace(session, meta=meta)
            case "count":
                return replace(session, messages_count=random.choice((None, 0, 1, 2, 4)))
            case "channel":
                return replace(session, channel=random.choice(CHANNELS))
            case "client":
                siblings = [c.id for c in now.clients if c.tenant_id == session.tenant_id]
                return replace(session, user_id=random.choice([*siblings, session.user_id]))
        return replace(session, final_status=random.choice(("done", "abandoned")), booking_id=None)

    return replace(now, sessions=change_some(random, now.sessions, change))


def rename_clients(random: Random, now: World, target: World) -> World:
    """Clients get another name."""

    def change(client: Client) -> Client:
        return replace(client, full_name=random.choice((None, "", "Анна", "Ольга")))

    return replace(now, clients=change_some(random, now.clients, change))


def change_tenants(random: Random, now: World, target: World) -> World:
    """Salons move to another time zone, leave, come back, or turn out to be older."""

    def change(tenant: Tenant) -> Tenant:
        match random.choice(("zone", "zone", "active", "created")):
            case "zone":
                return replace(tenant, metadata={"settings": {"timezone": random.choice(TIMEZONES)}})
            case "active":
                return replace(tenant, is_active=not tenant.is_active)
        return replace(tenant, created_at=tenant.created_at - timedelta(days=random.choice((-30, 1, 5))))

    return replace(now, tenants=change_some(random, now.tenants, change))


def move_client(random: Random, now: World, target: World) -> World:
    """One client moves to another salon: with its rows, or only its sessions, its messages, its name."""
    if not now.clients or not now.tenants:
        return now
    client, home = random.choice(now.clients).id, random.choice(now.tenants).id
    goes = {kind: random.random() < 0.7 for kind in ("client", "sessions", "messages")}
    return World(
        now.tenants,
        tuple(replace(c, tenant_id=home) if c.id == client and goes["client"] else c for c in now.clients),
        tuple(replace(s, tenant_id=home) if s.user_id == client and goes["sessions"] else s for s in now.sessions),
        tuple(replace(m, tenant_id=home) if m.user_id == client and goes["messages"] else m for m in now.messages),
    )


def delete_rows(random: Random, now: World, target: World) -> World:
    """Messages, sessions, a client, now and then a salon with all it has, are deleted."""
    match random.choice(("messages", "messages", "sessions", "sessions", "client", "tenant", "all messages")):
        case "messages":
            return replace(now, messages=tuple(m for m in now.messages if random.random() > 0.1))
        case "sessions":
            return replace(now, sessions=tuple(s for s in now.sessions if random.random() > 0.2))
        case "client" if now.clients:
            gone = random.choice(now.clients)
            return replace(now, clients=tuple(client for client in now.clients if client != gone))
        case "tenant" if random.random() < 0.3:
            return replace(now, tenants=now.tenants[1:])
        case "all messages" if now.clients:
            silent = random.choice(now.clients).id
            return replace(now, messages=tuple(m for m in now.messages if m.user_id != silent))
    return now


def change_some(random: Random, rows: tuple[Record, ...], change: Callable[[Record], Record]) -> tuple[Record, ...]:
    """Change a few rows, at least one where there are any."""
    share, certain = random.choice((0.0, 0.1, 0.4)), random.choice(range(len(rows) or 1))
    return tuple(
        change(row) if number == certain or random.random() < share else row for number, row in enumerate(rows)
    )


OPERATIONS: tuple[Operation, ...] = (
    arrive, arrive, arrive, link_messages, correct_messages, correct_sessions, correct_sessions,
    rename_clients, change_tenants, move_client, delete_rows,
)  # fmt: skip
