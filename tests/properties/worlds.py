"""Raw data drawn at random: all that the standard's tables let a bot write, in few places, so that edges meet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.oracle.records import Client, Memory, Message, Session, Tenant, Wish, World
from tests.properties.moments import (
    AS_OF_DAYS,
    SCENES,
    TIMEZONES,
    draw_jitter,
    draw_minutes,
    draw_moment,
    draw_scenes,
    draw_start,
)
from tests.support.marts import make_id

TENANTS, CLIENTS, ROWS = 2, 5, 1000
"""Salons of a world, clients of a salon, and how far apart the numbers of two worlds' rows lie."""
CHANNELS = ("telegram", "telegram", "telegram", "telegram", "telegram", "whatsapp", "unknown", "whatsapp:+79161234567")
ROLES = ("user", "assistant", "user", "assistant", "user", "system")
SERVICES: tuple[object, ...] = (
    ["one"], ["one"], ["two", "one"], [], "one", " ", 7, None, {"one": 1}, True, [None], [7], [["one"]],
)  # fmt: skip
STAFF = ("4844805", "4844805", "7", "", 4844805, None, ["4844805"], False)
STATUSES = (
    "confirmed", "confirmed", "confirmed", "confirmed", None, "cancelled", "cancelled", "CANCELLED", " canceled ",
    "no_show", "arrived", "created", " ", "-1", "confirmed, 89161234567", "No Show", "cancelled_by_user", "Отменена",
    "ОТМЕНЕНА-КЛИЕНТОМ", "\tCancelled\n", "no-show ", "не пришёл", "Подтверждена", "перенесена", "2", "paid",
    "-", "Завершён.",
)  # fmt: skip
VISIT_STATUSES = (
    None, None, "arrived", "NO_SHOW", 1, -1, "missed ", "late", "", {"arrived": 1}, True, "Did not come", "пришла",
)  # fmt: skip
INTENTS = (
    None, None, "booking", "booking", "Booking ", "BOOK", "запись", "", "  ", "cancel", "reschedule", " Cancel ",
    "Reschedule", "info", "bookings", "call 89161234567",
)  # fmt: skip
CONSENTS: tuple[object, ...] = (
    {}, {"consent": {"marketing": True}}, {"consent": True}, {"marketing_consent": "YES "}, {"marketing_consent": 0},
    {"consent": " no"}, {"consent": {"marketing": None}, "marketing_consent": "1"},
    {"consent": {"marketing": "perhaps"}, "marketing_consent": True}, {"consent": {"email": True}},
    {"consent": [True]}, [True], "yes", None,
)  # fmt: skip
NAMES = ("Мария", "Мария", "  МАРИЯ Иванова", None, None, "", "Анна", "client")
PHONES = (
    None, "", " +7 999 123-45-67", "89991234567", "+7(999)1234567", "0079991234567", "8 701 000 00 01", "+77010000001",
    "+8 701 000 00 01", "12345", "7999123456789012", "нет",
)  # fmt: skip
"""Two phones in many spellings, and what is another or none: clients of a salon share them under names."""
SETTINGS: tuple[dict[str, object], ...] = (
    {}, {}, {"loss_period_days": 30}, {"loss_period_days": "45", "late_cancellation_hours": 1},
    {"late_cancellation_hours": 48}, {"loss_period_days": 0, "late_cancellation_hours": "soon"},
    {"loss_period_days": 1.5, "late_cancellation_hours": -2}, {"loss_period_days": True},
    {"reply_timeout_hours": 1}, {"reply_timeout_hours": "48"}, {"reply_timeout_hours": "1.5"},
    {"recorded_attendance_percent": 0}, {"recorded_attendance_percent": "100"}, {"recorded_attendance_percent": 101},
)  # fmt: skip
LATER = (
    *[timedelta(0)] * 12,
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=1, microseconds=1),
    timedelta(days=3),
)
"""How much later than the rest of its dialogue a message comes: some replies too late to answer."""
TITLES: tuple[object, ...] = (
    "Маникюр", " Стрижка ", "Брови", "", None, 7, {"ru": "Маникюр"}, True, "Анна +7 (916) 123-45-67",
)  # fmt: skip
TEXTS = (
    "до 18:00", "мой номер 8 (916) 123-45-67, жду", "+7\u00a0916\u00a0123\u00a045\u00a067", "anna@mail.example пишите",
    "31.01.2026 в 10:00", "2026-01-31 10:00", "цена 12 500 ₽ или 1 500 000", "карта 4111 1111 1111 1111",
    "карта 4111-1111-1111-1111, бронь 123456789", "пароль: куку12 вот", "89161234567 и 8.916.123.45.67",
    "00000000-0000-4000-8000-00000000000a", "067 123-45-67 звоните", "8/916/123-45-67", "8916\n1234567",
    "с 10.05.2025 12:30 до 13:30", "заказ 012345678", "3 050 000 000 руб", "тел. 06 58 01 42 43",
)  # fmt: skip
"""What people write: some of it is how to reach them, some only looks so."""
TIMES = ("2025-01-15T10:00:00", "", None, 1736935200)
STAGES = (
    "service_selection", "staff_selection", "time_selection", "confirmation", "", None, 3, ["staff_selection"],
)  # fmt: skip


def name_tenant(number: int) -> UUID:
    """Return the id of a salon by its number; those of a world follow each other, `TENANTS` a world."""
    return make_id(f"tenant {number}")


def number_world(tenant_id: UUID) -> int | None:
    """Return whose world a salon is of; None when it is of none of the first ten thousand."""
    return next((n // TENANTS for n in range(10_000 * TENANTS) if name_tenant(n) == tenant_id), None)


def name_client(number: int) -> UUID:
    """Return the id of a client by its number; the first ones live in the first salon."""
    return make_id(f"client {number}")


def name_session(number: int) -> UUID:
    """Return the id of a session by its number."""
    return make_id(f"session {number}")


def draw_booking_id(random: Random, client: int) -> str | None:
    """Draw a booking: few of the client's own, one that all clients of all salons name, or none."""
    own = [f"{client}{letter}" for letter in "abcdef"]
    return random.choice((*own, *own, f" {own[0]} ", "17", "17", None, None, "", "  "))


def draw_named_booking(random: Random, client: int) -> object:
    """Draw which booking `meta` names: seldom one, of the client or a neighbour, known or unknown, in any shape."""
    own = [f"{client}{letter}" for letter in "abcdef"]
    return random.choice((*[None] * 5, *own, f" {own[1]}", "17", f"{client + 1}a", 99, "", {"id": 1}))


def draw_visit_time(random: Random, started_at: datetime) -> datetime | None:
    """Draw the time of a visit: where days end or some days before, soon after the dialogue, or none."""
    match random.randrange(4):
        case 0 | 1:
            return draw_end_of_day(random)
        case 2:
            soon = random.choice((-60, 0, 60, 24 * 60 - 1, 24 * 60, 24 * 60 + 61, 48 * 60, 14_400))
            return started_at + timedelta(minutes=soon)
    return None


def draw_end_of_day(random: Random) -> datetime:
    """Draw the end of a day as of which builds are, or so many days before that clients are due, late or lost."""
    days = random.choice((0, 0, 1, 2, 14, 15, 20, 21, 29, 30, 31, 39, 45, 60, 89, 90, 91, 120))
    moved = timedelta(microseconds=random.choice((0, 0, -1, 400, -400, 36_000_000_000)))
    return end_day(random.choice(AS_OF_DAYS), random.choice(TIMEZONES[:3])) - timedelta(days=days) + moved


def end_day(day: date, zone: object) -> datetime:
    """Return the end of a day in a zone."""
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(str(zone))).astimezone(UTC)


def draw_meta(random: Random, client: int) -> object:
    """Draw what a bot leaves in a session's `meta`, the standard's shape or another."""
    if random.random() < 1 / 3:
        chosen = {"services_selected": ["one"], "staff_id": "1", "selected_datetime": "2025-01-15"}
        return random.choice((chosen, chosen, {"staff_id": {"id": 1}, "drop_off_stage": {}}, None, [], "meta", 1))
    parts: dict[str, object] = {
        "services_selected": random.choice(SERVICES),
        "staff_id": random.choice(STAFF),
        "selected_datetime": random.choice(TIMES),
        "drop_off_stage": random.choice(STAGES),
        "visit_status": random.choice(VISIT_STATUSES),
        "cancelled_booking_id": draw_named_booking(random, client),
        "rescheduled_from": draw_named_booking(random, client),
    }
    return {name: value for name, value in parts.items() if random.random() < 0.5}


def draw_metadata(random: Random) -> object:
    """Draw a salon's settings, most with a time zone, some that no one understands."""
    if random.random() < 1 / 3:
        return random.choice(({}, [], None, {"settings": []}, {"settings": "Europe/Berlin"}))
    return {"settings": {"timezone": random.choice(TIMEZONES), **random.choice(SETTINGS)}}


def draw_tenant(random: Random, number: int, scenes: list[datetime]) -> Tenant:
    """Draw a salon."""
    created_at = random.choice((SCENES[0] - timedelta(days=20), draw_moment(random, scenes)))
    return Tenant(name_tenant(number), draw_metadata(random), random.choice((True, True, False)), created_at)


def draw_client(random: Random, number: int) -> Client:
    """Draw a client; its number says in which salon it lives."""
    return Client(
        name_client(number),
        name_tenant(number // CLIENTS),
        full_name=random.choice(NAMES),
        phone=random.choice(PHONES),
        telegram_chat_id=random.choice((None, 100 + number)),
        whatsapp_id=random.choice((None, "", f"wa{number}")),
        meta=random.choice(CONSENTS),
        created_at=random.choice(SCENES),
    )


def draw_memory(random: Random, number: int) -> Memory:
    """Draw what the bot remembers of a client."""
    preferred = random.choice((None, "", " ", "7", " 4844805 "))
    return Memory(
        name_client(number), name_tenant(number // CLIENTS), preferred, random.choice(({}, {"likes": "tea"}, None, []))
    )


def draw_wish(random: Random, number: int, first: int, sessions: tuple[Session, ...]) -> Wish:
    """Draw a wish, most for the day and service of some booking, made before or after it was freed."""
    client = draw_client_number(random, first)
    slots = [session.booking_datetime for session in sessions if session.booking_datetime]
    moment = random.choice(slots or [SCENES[0]])
    day = moment.astimezone(ZoneInfo(str(random.choice(TIMEZONES[:3])))).date().isoformat()
    created_at = moment - timedelta(days=random.choice((0, 1, 3, 30)))
    return Wish(
        id=number,
        tenant_id=name_tenant(client // CLIENTS),
        user_id=name_client(client),
        item_id=random.choice(("service_one", "service_7", "one", "")),
        created_at=created_at,
        meta={
            "date": random.choice((day, day, day, "2026-02-30", None)),
            "service_id": random.choice(("one", "one", "two", " one ", "", None, 7)),
            "service_title": random.choice(TITLES),
            "staff_id": random.choice(STAFF),
            "staff_name": random.choice(TITLES),
            "time_preference": random.choice((None, "morning", "afternoon", "evening", " Evening", "night")),
        },
        processed_at=random.choice((None, None, created_at + timedelta(days=1))),
    )


def draw_end(random: Random, started_at: datetime) -> datetime | None:
    """Draw an end: some time later, at once, before the start, or none."""
    if random.random() < 2 / 3:
        return started_at + draw_minutes(random) + draw_jitter(random)
    return random.choice((None, started_at, started_at - timedelta(minutes=10)))


def draw_session(random: Random, number: int, first: int, scenes: list[datetime]) -> Session:
    """Draw an archived session of a client of the world whose first client is named."""
    client, started_at = draw_client_number(random, first), draw_start(random, scenes)
    return Session(
        session_id=name_session(number),
        tenant_id=name_tenant(client // CLIENTS),
        user_id=name_client(client),
        channel=random.choice(CHANNELS),
        started_at=started_at,
        ended_at=draw_end(random, started_at),
        duration_sec=random.choice((None, 600, 1800, 0, -5)),
        final_status=random.choice(("auto_closed", "done", "abandoned", "other")),
        final_intent=random.choice(INTENTS),
        final_summary=random.choice((None, "a summary", *TEXTS)),
        booking_id=draw_booking_id(random, client),
        booking_source=random.choice((None, "", "bot", "manual", "call 89161234567")),
        booking_status=random.choice(STATUSES),
        booking_datetime=draw_visit_time(random, started_at),
        booking_amount=random.choice((None, Decimal("1500"), Decimal("0.10"), Decimal("99.999"))),
        booking_currency=random.choice((None, "RUB", " rub", "KZT", "xxx", " ")),
        messages_count=random.choice((None, 0, 1, 2, 4)),
        agent_messages_count=random.choice((None, 1)),
        user_messages_count=random.choice((None, 1)),
        meta=draw_meta(random, client),
    )


def draw_regular_visit(random: Random, number: int, first: int, scenes: list[datetime]) -> Session:
    """Draw a confirmed booking of one of two clients who come often; else it is like any session."""
    client = first + random.choice((0, 0, 0, CLIENTS))
    return replace(
        draw_session(random, number, first, scenes),
        tenant_id=name_tenant(client // CLIENTS),
        user_id=name_client(client),
        booking_id=f"{client}, visit {number}",
        booking_status="confirmed",
        booking_datetime=draw_end_of_day(random),
    )


def draw_retelling(random: Random, number: int, first: int, scenes: list[datetime]) -> list[Session]:
    """Draw a booking that up to five dialogues tell: at several times, in any state, moved to a new id and back."""
    client = first + random.choice((0, 0, CLIENTS))
    made = draw_session(random, number, first, scenes)
    ids = [f"{client}, told {number}", f"{client}, moved {number}"]
    slots = [draw_end_of_day(random), draw_end_of_day(random), None]
    started_at, told = made.started_at, []
    for turn in range(random.randint(2, 5)):
        booking_id, meta = random.choice((ids[0], ids[0], ids[0], ids[1])), draw_meta(random, client)
        if random.random() < 0.3:
            meta = {"rescheduled_from": ids[booking_id == ids[0]], "staff_id": random.choice(STAFF)}
        told.append(
            replace(
                draw_session(random, number + turn, first, scenes),
                tenant_id=name_tenant(client // CLIENTS),
                user_id=name_client(client),
                started_at=started_at,
                booking_id=booking_id,
                booking_status=random.choice(STATUSES),
                booking_datetime=random.choice(slots),
                meta=meta,
            )
        )
        started_at += random.choice((timedelta(0), timedelta(minutes=30), timedelta(days=1), timedelta(days=3)))
    return told


def draw_message(
    random: Random, number: int, first: int, scenes: list[datetime], sessions: tuple[Session, ...]
) -> Message:
    """Draw a message that names a session of its client, its salon or anyone, one not archived, or none."""
    client = draw_client_number(random, first)
    tenant_id, user_id = name_tenant(client // CLIENTS), name_client(client)
    own = [session.session_id for session in sessions if session.user_id == user_id]
    near = [session.session_id for session in sessions if session.tenant_id == tenant_id]
    groups = [ids for ids in (own, near, [session.session_id for session in sessions]) if ids]
    named = random.choice(random.choice(groups))
    return Message(
        id=number,
        tenant_id=tenant_id,
        user_id=user_id,
        session_id=random.choice((None, named)),
        legacy_session_id=random.choice((None, name_session(-1 - first), random.choice(random.choice(groups)))),
        role=random.choice(ROLES),
        channel=random.choice(CHANNELS),
        message=random.choice((f"message {number}", f"message {number}", *TEXTS)),
        created_at=draw_moment(random, scenes) + random.choice(LATER),
    )


def draw_client_number(random: Random, first: int) -> int:
    """Draw a client of a world, those of lower number more often, so that their sessions crowd."""
    crowded: list[int] = [*[0] * 8, *[CLIENTS] * 4, *range(TENANTS * CLIENTS)]
    return first + random.choice(crowded)


def draw_world(random: Random, number: int) -> World:
    """Draw what two salons with three clients each have written; worlds of different numbers share no row."""
    scenes, first, row = draw_scenes(random), number * TENANTS * CLIENTS, number * ROWS
    archived = tuple(draw_session(random, row + n, first, scenes) for n in range(random.randint(3, 20)))
    regular = range(row + len(archived), row + len(archived) + random.randint(0, 8))
    archived += tuple(draw_regular_visit(random, n, first, scenes) for n in regular)
    for _ in range(random.choice((0, 0, 1, 2))):
        archived += tuple(draw_retelling(random, row + len(archived), first, scenes))
    people = range(first, first + TENANTS * CLIENTS)
    return World(
        tenants=tuple(draw_tenant(random, number * TENANTS + n, scenes) for n in range(TENANTS)),
        clients=tuple(draw_client(random, n) for n in people),
        sessions=archived,
        messages=tuple(draw_message(random, row + n, first, scenes, archived) for n in range(random.randint(10, 70))),
        memories=tuple(draw_memory(random, n) for n in people[::2]),
        wishes=tuple(draw_wish(random, row + n, first, archived) for n in range(random.randint(0, 6))),
    )
