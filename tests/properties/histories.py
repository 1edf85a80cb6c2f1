"""Ways in which raw data comes: in pieces and out of order, corrected, moved, deleted and written again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TypeVar

from tests.oracle.records import Client, Memory, Message, Session, Tenant, Wish, World
from tests.properties.moments import AS_OF_DAYS, TIMEZONES
from tests.properties.worlds import (
    CHANNELS,
    CONSENTS,
    INTENTS,
    NAMES,
    PHONES,
    ROLES,
    SERVICES,
    SETTINGS,
    STAFF,
    STATUSES,
    TEXTS,
    VISIT_STATUSES,
    end_day,
)

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
    memories = tuple(m for m in world.memories if m.tenant_id in tenants and m.user_id in people)
    wishes = tuple(w for w in world.wishes if w.tenant_id in tenants and w.user_id in people)
    return World(world.tenants, clients, sessions, messages, memories, wishes)


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
    return replace(
        now,
        tenants=(*now.tenants, *tenants),
        clients=(*now.clients, *clients),
        sessions=(*now.sessions, *sessions),
        messages=(*now.messages, *messages),
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
        return replace(message, message=random.choice((f"{message.message}, corrected", *TEXTS)))

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


def correct_bookings(random: Random, now: World, target: World) -> World:
    """Bookings get another time, status, price or staff; dialogues cancel and move them, or name somebody else's."""
    names = [session.booking_id for session in now.sessions if session.booking_id] or ["17"]

    def change(session: Session) -> Session:
        meta = session.meta if isinstance(session.meta, dict) else {}
        match random.choice(("time", "time", "status", "name", "price", "intent", "meta", "meta")):
            case "time":
                days = random.choice((0, 1, 30, 31, 90, 91))
                edge = end_day(random.choice(AS_OF_DAYS), "Europe/Moscow") - timedelta(days=days)
                return replace(session, booking_datetime=random.choice((None, edge, edge + timedelta(hours=9))))
            case "status":
                return replace(session, booking_status=random.choice(STATUSES))
            case "name":
                return replace(session, booking_id=random.choice(names))
            case "price":
                return replace(session, booking_amount=random.choice((None, Decimal("700.5"))), booking_currency="KZT")
            case "intent":
                return replace(session, final_intent=random.choice(INTENTS))
        told = {
            "visit_status": random.choice(VISIT_STATUSES),
            "cancelled_booking_id": random.choice((*names, None)),
            "rescheduled_from": random.choice((*names, None)),
            "staff_id": random.choice(STAFF),
        }
        name = random.choice(list(told))
        return replace(session, meta={**meta, name: told[name]})

    return replace(now, sessions=change_some(random, now.sessions, change))


def change_memories(random: Random, now: World, target: World) -> World:
    """The bot learns, forgets or corrects whom clients prefer, or only something that reaches no mart."""
    people = {client.id for client in now.clients}
    known = {memory.user_id for memory in now.memories}
    learned = [m for m in target.memories if m.user_id in people - known and random.random() < 0.7]

    def change(memory: Memory) -> Memory:
        if random.random() < 0.3:
            return replace(memory, ltm_data={"note": random.randrange(9)})
        return replace(memory, preferred_staff_id=random.choice((None, "", "7", "8")))

    kept = tuple(memory for memory in now.memories if random.random() > 0.1)
    return replace(now, memories=(*change_some(random, kept, change), *learned))


def change_wishes(random: Random, now: World, target: World) -> World:
    """Clients wish for slots, wishes are dealt with, some are deleted."""
    people = {client.id for client in now.clients}
    known = {wish.id for wish in now.wishes}
    made = [wish for wish in target.wishes if wish.user_id in people and wish.id not in known and random.random() < 0.7]

    def change(wish: Wish) -> Wish:
        return replace(wish, status="cancelled", processed_at=wish.created_at + timedelta(days=random.randrange(9)))

    kept = tuple(wish for wish in now.wishes if random.random() > 0.1)
    return replace(now, wishes=(*change_some(random, kept, change), *made))


def rename_clients(random: Random, now: World, target: World) -> World:
    """Clients get another name or phone, turn out to be older, or change their mind about being written to."""

    def change(client: Client) -> Client:
        match random.choice(("consent", "phone", "phone", "name", "age")):
            case "consent":
                return replace(client, meta=random.choice(CONSENTS))
            case "phone":
                return replace(client, phone=random.choice(PHONES))
            case "age":
                return replace(client, created_at=random.choice(now.clients).created_at - timedelta(days=1))
        return replace(client, full_name=random.choice(NAMES))

    return replace(now, clients=change_some(random, now.clients, change))


def change_tenants(random: Random, now: World, target: World) -> World:
    """Salons move to another time zone, set other periods, leave, come back, or turn out to be older."""

    def change(tenant: Tenant) -> Tenant:
        settings = tenant.metadata.get("settings") if isinstance(tenant.metadata, dict) else None
        kept = settings if isinstance(settings, dict) else {}
        match random.choice(("zone", "zone", "periods", "active", "created")):
            case "zone":
                return replace(tenant, metadata={"settings": {**kept, "timezone": random.choice(TIMEZONES)}})
            case "periods":
                return replace(tenant, metadata={"settings": {**kept, **random.choice(SETTINGS)}})
            case "active":
                return replace(tenant, is_active=not tenant.is_active)
        return replace(tenant, created_at=tenant.created_at - timedelta(days=random.choice((-30, 1, 5))))

    return replace(now, tenants=change_some(random, now.tenants, change))


def move_client(random: Random, now: World, target: World) -> World:
    """One client moves to another salon: with its rows, or only its sessions, its messages, its name."""
    if not now.clients or not now.tenants:
        return now
    client, home = random.choice(now.clients).id, random.choice(now.tenants).id
    goes = {kind: random.random() < 0.7 for kind in ("client", "sessions", "messages", "memory", "wishes")}
    return World(
        now.tenants,
        tuple(replace(c, tenant_id=home) if c.id == client and goes["client"] else c for c in now.clients),
        tuple(replace(s, tenant_id=home) if s.user_id == client and goes["sessions"] else s for s in now.sessions),
        tuple(replace(m, tenant_id=home) if m.user_id == client and goes["messages"] else m for m in now.messages),
        tuple(replace(m, tenant_id=home) if m.user_id == client and goes["memory"] else m for m in now.memories),
        tuple(replace(w, tenant_id=home) if w.user_id == client and goes["wishes"] else w for w in now.wishes),
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
    arrive, arrive, arrive, link_messages, correct_messages, correct_sessions, correct_bookings,
    correct_bookings, change_memories, change_wishes, rename_clients, change_tenants, move_client, delete_rows,
)  # fmt: skip
