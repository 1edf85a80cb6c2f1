"""Raw histories that hypothesis draws: everything that the standard's tables let a bot write."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.oracle.records import Client, Memory, Message, Session, Tenant, Wish, World
from tests.properties.moments import (
    AS_OF_DAYS,
    SCENES,
    TIMEZONES,
    jitters,
    minutes,
    moments_around,
    scenes_of_worlds,
    starts_around,
)
from tests.support.marts import make_id

TENANTS, CLIENTS = 4, 3
CHANNELS = ("telegram", "telegram", "telegram", "telegram", "telegram", "whatsapp", "unknown", "whatsapp:+79161234567")
ROLES = ("user", "assistant", "user", "assistant", "user", "system")
SERVICES: tuple[object, ...] = (
    ["one"], ["one"], ["two", "one"], [], "one", " ", 7, None, {"one": 1}, True, [None], [7], [["one"]],
)  # fmt: skip
STAFF = ("4844805", "4844805", "7", "", 4844805, None, ["4844805"], False)
STATUSES = (
    "confirmed", "confirmed", "confirmed", "confirmed", None, "cancelled", "cancelled", "CANCELLED", " canceled ",
    "no_show", "arrived", "created", " ", "-1", "confirmed, 89161234567",
)  # fmt: skip
VISIT_STATUSES = (None, None, "arrived", "NO_SHOW", 1, -1, "missed ", "late", "", {"arrived": 1}, True)
INTENTS = (None, "booking", "booking", "cancel", "reschedule", " Cancel ", "Reschedule", "info", "call 89161234567")
CONSENTS: tuple[object, ...] = (
    {}, {"consent": {"marketing": True}}, {"consent": True}, {"marketing_consent": "YES "}, {"marketing_consent": 0},
    {"consent": " no"}, {"consent": {"marketing": None}, "marketing_consent": "1"},
    {"consent": {"marketing": "perhaps"}, "marketing_consent": True}, {"consent": {"email": True}},
    {"consent": [True]}, [True], "yes", None,
)  # fmt: skip
SETTINGS: tuple[dict[str, object], ...] = (
    {}, {}, {"loss_period_days": 30}, {"loss_period_days": "45", "late_cancellation_hours": 1},
    {"late_cancellation_hours": 48}, {"loss_period_days": 0, "late_cancellation_hours": "soon"},
    {"loss_period_days": 1.5, "late_cancellation_hours": -2}, {"loss_period_days": True},
)  # fmt: skip
TITLES: tuple[object, ...] = (
    "Маникюр", " Стрижка ", "Брови", "", None, 7, {"ru": "Маникюр"}, True, "Анна +7 (916) 123-45-67",
)  # fmt: skip
TEXTS = (
    "до 18:00", "мой номер 8 (916) 123-45-67, жду", "+7\u00a0916\u00a0123\u00a045\u00a067", "anna@mail.example пишите",
    "31.01.2026 в 10:00", "2026-01-31 10:00", "цена 12 500 ₽ или 1 500 000", "карта 4111 1111 1111 1111",
    "карта 4111-1111-1111-1111, бронь 123456789", "пароль: куку12 вот", "89161234567 и 8.916.123.45.67",
    "00000000-0000-4000-8000-00000000000a",
)  # fmt: skip
"""What people write: some of it is how to reach them, some only looks so."""
TIMES = ("2025-01-15T10:00:00", "", None, 1736935200)
STAGES = (
    "service_selection", "staff_selection", "time_selection", "confirmation", "", None, 3, ["staff_selection"],
)  # fmt: skip


def name_tenant(number: int) -> UUID:
    """Return the id of a salon by its number."""
    return make_id(f"tenant {number}")


def name_client(number: int) -> UUID:
    """Return the id of a client by its number; the first ones live in the first salon."""
    return make_id(f"client {number}")


def name_session(number: int) -> UUID:
    """Return the id of a session by its number."""
    return make_id(f"session {number}")


def booking_ids(client: int) -> st.SearchStrategy[str | None]:
    """Draw a booking: few of the client's own, one that all clients of all salons name, or none."""
    own = [f"{client}{letter}" for letter in "abcdef"]
    return st.sampled_from((*own, *own, f" {own[0]} ", "17", "17", None, None, "", "  "))


def named_bookings(client: int) -> st.SearchStrategy[object]:
    """Draw which booking `meta` names: seldom one, of the client or a neighbour, known or unknown, in any shape."""
    own = [f"{client}{letter}" for letter in "abcdef"]
    return st.sampled_from((*[None] * 5, *own, f" {own[1]}", "17", f"{client + 1}a", 99, "", {"id": 1}))


def visit_times(started_at: datetime) -> st.SearchStrategy[datetime | None]:
    """Draw the time of a visit: where days end or some days before, soon after the dialogue, or none."""
    soon = st.sampled_from((-60, 0, 60, 24 * 60 - 1, 24 * 60, 24 * 60 + 61, 48 * 60, 14_400))
    near = soon.map(lambda number: started_at + timedelta(minutes=number))
    return st.one_of(ends_of_days(), ends_of_days(), near, st.none())


def ends_of_days() -> st.SearchStrategy[datetime]:
    """Draw the end of a day as of which builds are, or so many days before that clients are due, late or lost."""
    cycles = st.sampled_from((0, 0, 1, 2, 14, 15, 20, 21, 29, 30, 31, 39, 45, 60, 89, 90, 91, 120)).map(timedelta)
    jitter = st.sampled_from((0, 0, -1, 400, -400, 36_000_000_000)).map(lambda number: timedelta(microseconds=number))
    return st.builds(
        lambda day, zone, days, moved: end_day(day, zone) - days + moved,
        st.sampled_from(AS_OF_DAYS), st.sampled_from(TIMEZONES[:3]), cycles, jitter,
    )  # fmt: skip


def end_day(day: date, zone: object) -> datetime:
    """Return the end of a day in a zone."""
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(str(zone))).astimezone(UTC)


def metas(client: int) -> st.SearchStrategy[object]:
    """Draw what a bot leaves in a session's `meta`, the standard's shape or another."""
    parts: dict[str, st.SearchStrategy[object]] = {
        "services_selected": st.sampled_from(SERVICES),
        "staff_id": st.sampled_from(STAFF),
        "selected_datetime": st.sampled_from(TIMES),
        "drop_off_stage": st.sampled_from(STAGES),
        "visit_status": st.sampled_from(VISIT_STATUSES),
        "cancelled_booking_id": named_bookings(client),
        "rescheduled_from": named_bookings(client),
    }
    shaped = st.fixed_dictionaries({}, optional=parts)
    chosen: dict[str, object] = {
        "services_selected": ["one"], "staff_id": "1", "selected_datetime": "2025-01-15"
    }  # fmt: skip
    wrong: dict[str, object] = {"staff_id": {"id": 1}, "drop_off_stage": {}}
    odd: list[object] = [chosen, chosen, wrong, None, [], "meta", 1]
    return st.one_of(shaped, shaped, st.sampled_from(odd))


def metadata() -> st.SearchStrategy[object]:
    """Draw a salon's settings, most with a time zone, some that no one understands."""
    zoned = st.builds(
        lambda name, more: {"settings": {"timezone": name, **more}},
        st.sampled_from(TIMEZONES), st.sampled_from(SETTINGS),
    )  # fmt: skip
    odd: list[object] = [{}, [], None, {"settings": []}, {"settings": "Europe/Berlin"}]
    return st.one_of(zoned, zoned, st.sampled_from(odd))


def tenants(number: int, scenes: list[datetime]) -> st.SearchStrategy[Tenant]:
    """Draw a salon."""
    created = st.just(SCENES[0] - timedelta(days=20)) | moments_around(scenes)
    return st.builds(Tenant, st.just(name_tenant(number)), metadata(), st.sampled_from((True, True, False)), created)


def clients(number: int) -> st.SearchStrategy[Client]:
    """Draw a client; its number says in which salon it lives."""
    return st.builds(
        Client,
        st.just(name_client(number)),
        st.just(name_tenant(number // CLIENTS)),
        full_name=st.sampled_from((f"client {number}", None, "", "Мария")),
        phone=st.sampled_from((None, "", " +7 999 123-45-67")),
        telegram_chat_id=st.sampled_from((None, 100 + number)),
        whatsapp_id=st.sampled_from((None, "", f"wa{number}")),
        meta=st.sampled_from(CONSENTS),
        created_at=st.sampled_from(SCENES),
    )


def memories(number: int) -> st.SearchStrategy[Memory]:
    """Draw what the bot remembers of a client."""
    preferred = st.sampled_from((None, "", " ", "7", " 4844805 "))
    data: st.SearchStrategy[object] = st.sampled_from(({}, {"likes": "tea"}, None, []))
    return st.builds(Memory, st.just(name_client(number)), st.just(name_tenant(number // CLIENTS)), preferred, data)


@st.composite
def wishes(draw: st.DrawFn, number: int, sessions: tuple[Session, ...]) -> Wish:
    """Draw a wish, most for the day and service of some booking, made before or after it was freed."""
    client = draw(client_numbers())
    slots = [session.booking_datetime for session in sessions if session.booking_datetime]
    moment = draw(st.sampled_from(slots or [SCENES[0]]))
    day = moment.astimezone(ZoneInfo(draw(st.sampled_from(TIMEZONES[:3])))).date().isoformat()
    service = draw(st.sampled_from(("one", "one", "two", " one ", "", None, 7)))
    created_at = moment - timedelta(days=draw(st.sampled_from((0, 1, 3, 30))))
    return Wish(
        id=number,
        tenant_id=name_tenant(client // CLIENTS),
        user_id=name_client(client),
        item_id=draw(st.sampled_from(("service_one", "service_7", "one", ""))),
        created_at=created_at,
        meta={
            "date": draw(st.sampled_from((day, day, day, "2026-02-30", None))),
            "service_id": service,
            "service_title": draw(st.sampled_from(TITLES)),
            "staff_id": draw(st.sampled_from(STAFF)),
            "staff_name": draw(st.sampled_from(TITLES)),
            "time_preference": draw(st.sampled_from((None, "morning", "afternoon", "evening", " Evening", "night"))),
        },
        processed_at=draw(st.sampled_from((None, None, created_at + timedelta(days=1)))),
    )


def ends(started_at: datetime) -> st.SearchStrategy[datetime | None]:
    """Draw an end: some time later, at once, before the start, or none."""
    later = st.builds(lambda length, jitter: started_at + length + jitter, minutes, jitters)
    return later | later | st.sampled_from((None, started_at, started_at - timedelta(minutes=10)))


@st.composite
def sessions(draw: st.DrawFn, number: int, scenes: list[datetime]) -> Session:
    """Draw an archived session."""
    client, started_at = draw(client_numbers()), draw(starts_around(scenes))
    return Session(
        session_id=name_session(number),
        tenant_id=name_tenant(client // CLIENTS),
        user_id=name_client(client),
        channel=draw(st.sampled_from(CHANNELS)),
        started_at=started_at,
        ended_at=draw(ends(started_at)),
        duration_sec=draw(st.sampled_from((None, 600, 1800, 0, -5))),
        final_status=draw(st.sampled_from(("auto_closed", "done", "abandoned", "other"))),
        final_intent=draw(st.sampled_from(INTENTS)),
        final_summary=draw(st.sampled_from((None, "a summary", *TEXTS))),
        booking_id=draw(booking_ids(client)),
        booking_source=draw(st.sampled_from((None, "", "bot", "manual", "call 89161234567"))),
        booking_status=draw(st.sampled_from(STATUSES)),
        booking_datetime=draw(visit_times(started_at)),
        booking_amount=draw(st.sampled_from((None, Decimal("1500"), Decimal("0.10"), Decimal("99.999")))),
        booking_currency=draw(st.sampled_from((None, "RUB", " rub", "KZT", "xxx", " "))),
        messages_count=draw(st.sampled_from((None, 0, 1, 2, 4))),
        agent_messages_count=draw(st.sampled_from((None, 1))),
        user_messages_count=draw(st.sampled_from((None, 1))),
        meta=draw(metas(client)),
    )


@st.composite
def regular_visits(draw: st.DrawFn, number: int, scenes: list[datetime]) -> Session:
    """Draw a confirmed booking of one of two clients who come often; else it is like any session."""
    client = draw(st.sampled_from((0, 0, 0, 3)))
    return replace(
        draw(sessions(number, scenes)),
        tenant_id=name_tenant(client // CLIENTS),
        user_id=name_client(client),
        booking_id=f"{client}, visit {number}",
        booking_status="confirmed",
        booking_datetime=draw(ends_of_days()),
    )


@st.composite
def messages(draw: st.DrawFn, number: int, scenes: list[datetime], sessions: tuple[Session, ...]) -> Message:
    """Draw a message that names a session of its client, its salon or anyone, one not archived, or none."""
    client = draw(client_numbers())
    tenant_id, user_id = name_tenant(client // CLIENTS), name_client(client)
    own = [session.session_id for session in sessions if session.user_id == user_id]
    near = [session.session_id for session in sessions if session.tenant_id == tenant_id]
    named = st.one_of(*(st.sampled_from(ids) for ids in (own, near, [s.session_id for s in sessions]) if ids))
    return Message(
        id=number,
        tenant_id=tenant_id,
        user_id=user_id,
        session_id=draw(st.one_of(st.none(), named)),
        legacy_session_id=draw(st.one_of(st.none(), st.just(name_session(-1)), named)),
        role=draw(st.sampled_from(ROLES)),
        channel=draw(st.sampled_from(CHANNELS)),
        message=draw(st.sampled_from((f"message {number}", f"message {number}", *TEXTS))),
        created_at=draw(moments_around(scenes)),
    )


def client_numbers() -> st.SearchStrategy[int]:
    """Draw a client, those of lower number more often, so that their sessions crowd."""
    return st.sampled_from([*[0] * 8, *[3] * 4, *range(TENANTS * CLIENTS)])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw what four salons with three clients each have written."""
    scenes = draw(scenes_of_worlds())
    numbers = range(draw(st.integers(15, 40)))
    archived = tuple(draw(sessions(number, scenes)) for number in numbers)
    regular = range(len(archived), len(archived) + draw(st.integers(0, 12)))
    archived += tuple(draw(regular_visits(number, scenes)) for number in regular)
    return World(
        tenants=tuple(draw(tenants(number, scenes)) for number in range(TENANTS)),
        clients=tuple(draw(clients(number)) for number in range(TENANTS * CLIENTS)),
        sessions=archived,
        messages=tuple(draw(messages(n, scenes, archived)) for n in range(draw(st.integers(60, 140)))),
        memories=tuple(draw(memories(number)) for number in range(0, TENANTS * CLIENTS, 2)),
        wishes=tuple(draw(wishes(number, archived)) for number in range(draw(st.integers(0, 8)))),
    )
