"""Raw histories that hypothesis draws: everything that the standard's tables let a bot write."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st

from tests.oracle.records import Client, Message, Session, Tenant, World
from tests.properties.moments import (
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
CHANNELS = ("telegram", "telegram", "telegram", "telegram", "whatsapp", "unknown")
ROLES = ("user", "assistant", "user", "assistant", "user", "system")
SERVICES: tuple[object, ...] = (["one"], [], "one", " ", 7, None, {"one": 1}, True, [None])
STAFF = ("4844805", "", 4844805, None, ["4844805"], False)
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


def metas() -> st.SearchStrategy[object]:
    """Draw what a bot leaves in a session's `meta`, the standard's shape or another."""
    parts: dict[str, st.SearchStrategy[object]] = {
        "services_selected": st.sampled_from(SERVICES),
        "staff_id": st.sampled_from(STAFF),
        "selected_datetime": st.sampled_from(TIMES),
        "drop_off_stage": st.sampled_from(STAGES),
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
    zoned = st.sampled_from(TIMEZONES).map(lambda name: {"settings": {"timezone": name}})
    odd: list[object] = [{}, [], None, {"settings": []}, {"settings": "Europe/Berlin"}]
    return st.one_of(zoned, zoned, st.sampled_from(odd))


def tenants(number: int, scenes: list[datetime]) -> st.SearchStrategy[Tenant]:
    """Draw a salon."""
    created = st.just(SCENES[0] - timedelta(days=20)) | moments_around(scenes)
    return st.builds(Tenant, st.just(name_tenant(number)), metadata(), st.sampled_from((True, True, False)), created)


def clients(number: int) -> st.SearchStrategy[Client]:
    """Draw a client; its number says in which salon it lives."""
    names = st.sampled_from((f"client {number}", None, "", "Мария"))
    return st.builds(Client, st.just(name_client(number)), st.just(name_tenant(number // CLIENTS)), names)


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
        final_intent=draw(st.sampled_from((None, "booking", "cancel"))),
        final_summary=draw(st.sampled_from((None, "a summary"))),
        booking_id=draw(st.sampled_from((None, "17", "", "  ", " 18 "))),
        booking_source=draw(st.sampled_from((None, "bot", "manual"))),
        booking_status=draw(st.sampled_from((None, "confirmed", "cancelled"))),
        booking_datetime=draw(st.sampled_from((None, *SCENES[:2]))),
        booking_amount=draw(st.sampled_from((None, Decimal("1500"), Decimal("0.10"), Decimal("99.999")))),
        booking_currency=draw(st.sampled_from((None, "RUB", " rub", "KZT", " "))),
        messages_count=draw(st.sampled_from((None, 0, 1, 2, 4))),
        agent_messages_count=draw(st.sampled_from((None, 1))),
        user_messages_count=draw(st.sampled_from((None, 1))),
        meta=draw(metas()),
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
        message=f"message {number}",
        created_at=draw(moments_around(scenes)),
    )


def client_numbers() -> st.SearchStrategy[int]:
    """Draw a client, those of lower number more often, so that their sessions crowd."""
    return st.sampled_from([*[0] * 8, *[3] * 4, *range(TENANTS * CLIENTS)])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw what four salons with three clients each have written."""
    scenes = draw(scenes_of_worlds())
    numbers = range(draw(st.integers(20, 50)))
    archived = tuple(draw(sessions(number, scenes)) for number in numbers)
    return World(
        tenants=tuple(draw(tenants(number, scenes)) for number in range(TENANTS)),
        clients=tuple(draw(clients(number)) for number in range(TENANTS * CLIENTS)),
        sessions=archived,
        messages=tuple(draw(messages(n, scenes, archived)) for n in range(draw(st.integers(60, 140)))),
    )
