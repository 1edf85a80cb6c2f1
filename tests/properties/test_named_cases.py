"""The ways of arriving that the requirements name, one each (REQUIREMENTS D3): the same marts as one build."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.oracle.records import Client, Message, Row, Session, Tenant, World
from tests.properties.comparing import assert_marts_are_right, assert_nothing_changes
from tests.properties.raw_tables import change_raw_tables
from tests.support.marts import Workshop, make_id

NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
AS_OF = date(2026, 2, 10)
SALON = Tenant(make_id("salon"), {"settings": {"timezone": "Europe/Moscow"}}, True, datetime(2026, 1, 20, tzinfo=UTC))
OTHER_SALON = replace(SALON, id=make_id("other salon"))
CLIENT = Client(make_id("client"), SALON.id, "Анна")
VISIT = Session(
    make_id("visit"), SALON.id, CLIENT.id, "telegram", NOON, NOON + timedelta(minutes=20),
    booking_id="17", booking_status="confirmed", booking_amount=Decimal("1500"), booking_currency="RUB", meta={},
)  # fmt: skip


def say(number: int, minute: int, role: str = "user") -> Message:
    """Return a message so many minutes after noon."""
    sent_at = NOON + timedelta(minutes=minute)
    return Message(number, SALON.id, CLIENT.id, None, None, role, "telegram", f"message {number}", sent_at)


ASKED, ANSWERED = say(1, 5), say(2, 8, "assistant")
WORLD = World((SALON,), (CLIENT,), (VISIT,), (ASKED, ANSWERED))


def build_through(workshop: Workshop, *worlds: World) -> list[dict[int, tuple[UUID, str]]]:
    """Build after each of these worlds; every build must be right, and one from nothing change no row of the last.

    Return the sessions of the messages after each build.
    """
    before, found = World(), []
    for world in worlds:
        change_raw_tables(workshop.url, before, world)
        workshop.build(as_of=AS_OF.isoformat())
        assert_marts_are_right(workshop, world, AS_OF)
        found.append(workshop.sessions_of_messages())
        before = world
    assert_nothing_changes(workshop, AS_OF, full_refresh=True)
    return found


def read_metrics(workshop: Workshop, day: date, tenant: Tenant = SALON) -> Row:
    """Return a tenant's measures of one day."""
    (row,) = workshop.execute(
        "select * from dashboard.metrics_dailies where tenant_id = %s and day = %s", [tenant.id, day]
    )
    return row


def test_sessions_that_arrive_after_their_messages_take_them(workshop: Workshop) -> None:
    named = replace(ASKED, legacy_session_id=VISIT.session_id, created_at=NOON - timedelta(hours=3))
    messages = (named, ANSWERED)
    alone, together = build_through(
        workshop, replace(WORLD, sessions=(), messages=messages), replace(WORLD, messages=messages)
    )
    assert {source for _, source in alone.values()} == {"inferred"}
    assert together == {1: (VISIT.session_id, "recorded"), 2: (VISIT.session_id, "matched")}


def test_a_late_message_joins_two_inferred_sessions(workshop: Workshop) -> None:
    world = World((SALON,), (CLIENT,), (), (say(1, 0), say(2, 60)))
    apart, joined = build_through(workshop, world, replace(world, messages=(*world.messages, say(3, 30))))
    assert apart[1] != apart[2]
    assert joined == dict.fromkeys((1, 2, 3), apart[1])


def test_a_booking_cancelled_months_later_leaves_the_day_of_its_dialogue(workshop: Workshop) -> None:
    old = replace(VISIT, started_at=NOON - timedelta(days=150), ended_at=NOON - timedelta(days=150))
    cancelled = replace(old, booking_status="cancelled")
    build_through(workshop, replace(WORLD, sessions=(old,)), replace(WORLD, sessions=(cancelled,)))
    (row,) = workshop.execute("select * from dashboard.revenue_daily")
    assert row["day"] == (NOON - timedelta(days=150)).date()
    assert (row["kept_bookings"], row["kept_amount"]) == (0, 0)
    assert (row["cancelled_bookings"], row["cancelled_amount"]) == (1, 1500)


def test_a_client_moved_between_salons_leaves_nothing_behind(workshop: Workshop) -> None:
    world = replace(WORLD, tenants=(SALON, OTHER_SALON))
    moved = World(
        world.tenants,
        (replace(CLIENT, tenant_id=OTHER_SALON.id),),
        (replace(VISIT, tenant_id=OTHER_SALON.id),),
        (replace(ASKED, tenant_id=OTHER_SALON.id), replace(ANSWERED, tenant_id=OTHER_SALON.id)),
    )
    build_through(workshop, world, moved)
    assert read_metrics(workshop, NOON.date())["messages"] == 0
    assert read_metrics(workshop, NOON.date(), OTHER_SALON)["messages"] == 2


@pytest.mark.server
@pytest.mark.parametrize("database", ["workshop", "untracked_workshop"])
def test_a_salon_that_changes_its_time_zone_has_its_days_cut_anew(
    request: pytest.FixtureRequest, database: str
) -> None:
    workshop: Workshop = request.getfixturevalue(database)
    night = replace(VISIT, started_at=NOON.replace(hour=23), ended_at=None)
    world = replace(WORLD, sessions=(night,))
    moved = replace(SALON, metadata={"settings": {"timezone": "America/New_York"}})
    build_through(workshop, world, replace(world, tenants=(moved,)))
    assert read_metrics(workshop, NOON.date())["dialogs_started"] == 1
    assert read_metrics(workshop, NOON.date() + timedelta(days=1))["dialogs_started"] == 0


@pytest.mark.server
@pytest.mark.parametrize("database", ["workshop", "untracked_workshop"])
def test_a_salon_that_waits_no_longer_has_its_replies_timed_anew(request: pytest.FixtureRequest, database: str) -> None:
    workshop: Workshop = request.getfixturevalue(database)
    late = replace(ANSWERED, session_id=VISIT.session_id, created_at=ASKED.created_at + timedelta(hours=2))
    world = replace(WORLD, messages=(ASKED, late))
    hasty = replace(SALON, metadata={"settings": {"timezone": "Europe/Moscow", "reply_timeout_hours": 1}})
    build_through(workshop, world)
    assert read_metrics(workshop, NOON.date())["avg_response_ms"] == 7_200_000
    change_raw_tables(workshop.url, world, replace(world, tenants=(hasty,)))
    workshop.build(as_of=AS_OF.isoformat())
    assert_marts_are_right(workshop, replace(world, tenants=(hasty,)), AS_OF)
    assert read_metrics(workshop, NOON.date())["response_count"] == 0


def test_a_deleted_message_takes_its_reply_time_along(workshop: Workshop) -> None:
    build_through(workshop, WORLD, replace(WORLD, messages=(ANSWERED,)))
    day = read_metrics(workshop, NOON.date())
    assert (day["messages"], day["avg_response_ms"], day["response_count"]) == (1, None, 0)


def test_a_salon_that_leaves_keeps_its_days_up_to_the_last_message(workshop: Workshop) -> None:
    build_through(workshop, WORLD, replace(WORLD, tenants=(replace(SALON, is_active=False),)))
    (row,) = workshop.execute("select max(day) as last_day from dashboard.metrics_dailies")
    assert row["last_day"] == NOON.date()


def test_a_second_build_on_unchanged_data_changes_no_row(workshop: Workshop) -> None:
    build_through(workshop, WORLD)
    assert_nothing_changes(workshop, AS_OF)


PHONE = "+7 916 123-45-67"
TELEGRAM = replace(CLIENT, phone=PHONE, telegram_chat_id=1)
WHATSAPP = Client(make_id("on whatsapp"), SALON.id, "анна Иванова", phone="8 (916) 1234567", whatsapp_id="79161234567")
SECOND = replace(
    VISIT, session_id=make_id("second visit"), user_id=WHATSAPP.id, channel="whatsapp",
    started_at=NOON + timedelta(days=2), booking_id="18", booking_datetime=NOON + timedelta(days=3), ended_at=None,
)  # fmt: skip
TWO_CHANNELS = World(
    (SALON,), (TELEGRAM, replace(WHATSAPP, created_at=TELEGRAM.created_at + timedelta(days=1))),
    (replace(VISIT, booking_datetime=NOON + timedelta(days=1)), SECOND),
)  # fmt: skip


def read_persons(workshop: Workshop) -> list[tuple[UUID, int, int, str]]:
    """Return each person with how many clients they are, how often they came, and where they stand."""
    rows = workshop.execute("select * from dashboard.persons order by first_visit_at, person_id")
    return [(row["person_id"], row["clients_count"], row["visits_count"], row["lifecycle"]) for row in rows]


def change_second(world: World, **values: Any) -> World:
    """Return the world with the second client changed."""
    return replace(world, clients=(world.clients[0], replace(world.clients[1], **values)))


@pytest.mark.server
@pytest.mark.parametrize("database", ["workshop", "untracked_workshop"])
def test_who_writes_from_two_channels_with_one_phone_is_one_person_who_came_twice(
    request: pytest.FixtureRequest, database: str
) -> None:
    workshop: Workshop = request.getfixturevalue(database)
    build_through(workshop, TWO_CHANNELS)
    assert read_persons(workshop) == [(TELEGRAM.id, 2, 2, "returning")]
    visits = workshop.execute("select booking_id, visit_number from dashboard.visits order by visit_number")
    assert [tuple(row.values()) for row in visits] == [("17", 1), ("18", 2)]
    first, later = (read_metrics(workshop, (NOON + timedelta(days=days)).date()) for days in (0, 2))
    assert [(day["new_clients"], day["new_persons"]) for day in (first, later)] == [(1, 1), (1, 0)]
    [new] = workshop.execute("select clients_count from dashboard.retention where measure = 'second_visit_90d'")
    assert new["clients_count"] == 1


@pytest.mark.server
@pytest.mark.parametrize("database", ["workshop", "untracked_workshop"])
def test_a_phone_or_a_name_that_changes_makes_one_person_of_two_and_two_of_one(
    request: pytest.FixtureRequest, database: str
) -> None:
    workshop: Workshop = request.getfixturevalue(database)
    apart = [(TELEGRAM.id, 1, 1, "new"), (WHATSAPP.id, 1, 1, "new")]
    together = [(TELEGRAM.id, 2, 2, "returning")]
    steps = [
        (change_second(TWO_CHANNELS, phone=None), apart),
        (TWO_CHANNELS, together),
        (change_second(TWO_CHANNELS, phone="+7 916 123-45-68"), apart),
        (change_second(TWO_CHANNELS, full_name=None), together),
        (change_second(TWO_CHANNELS, full_name="Мария"), apart),
        (
            change_second(TWO_CHANNELS, created_at=TELEGRAM.created_at - timedelta(days=1)),
            [(WHATSAPP.id, 2, 2, "returning")],
        ),
    ]  # fmt: skip
    before = World()
    for world, persons in steps:
        change_raw_tables(workshop.url, before, world)
        workshop.build(as_of=AS_OF.isoformat())
        assert_marts_are_right(workshop, world, AS_OF)
        assert read_persons(workshop) == persons
        before = world


def test_the_fourth_client_of_a_phone_makes_it_nobodys_and_one_who_goes_makes_it_somebodys_again(
    workshop: Workshop,
) -> None:
    more = tuple(replace(WHATSAPP, id=make_id(f"more {n}"), full_name=None) for n in range(2))
    crowd = replace(TWO_CHANNELS, clients=(*TWO_CHANNELS.clients, *more))
    gone = replace(TWO_CHANNELS, clients=TWO_CHANNELS.clients[1:], sessions=(SECOND,))
    build_through(workshop, replace(crowd, clients=crowd.clients[:3]), crowd, TWO_CHANNELS, gone)
    assert read_persons(workshop) == [(WHATSAPP.id, 1, 1, "new")]


def test_a_client_who_moves_to_another_salon_is_nobody_else_there(workshop: Workshop) -> None:
    world = replace(TWO_CHANNELS, tenants=(SALON, OTHER_SALON))
    moved = replace(
        change_second(world, tenant_id=OTHER_SALON.id),
        sessions=(world.sessions[0], replace(SECOND, tenant_id=OTHER_SALON.id)),
    )
    build_through(workshop, world, moved, world)
    assert read_persons(workshop) == [(TELEGRAM.id, 2, 2, "returning")]


@pytest.mark.parametrize(
    ("phone", "key"),
    [
        ("+7 (916) 123-45-67", "79161234567"),
        ("8-916-123-45-67", "79161234567"),
        ("tel:+7916\u20111234567", "79161234567"),
        ("\u202a+79161234567\u202c", "79161234567"),
        ("007 916 123 45 67", "79161234567"),
        ("8 701 000 00 01", "77010000001"),
        ("٠٠٧٧٠١٠٠٠٠٠٠١", "77010000001"),
        ("+81 3 1234 5678", "81312345678"),
        ("+49 1512 3456789", "4915123456789"),
        ("0000000000", None),
        ("123456789", None),
        ("+7 916 123-45-67, +7 916 123-45-68", None),
        ("нет", None),
        (None, None),
    ],
)
def test_a_phone_is_compared_by_its_digits_from_the_country_on(
    workshop: Workshop, phone: str | None, key: str | None
) -> None:
    workshop.add_tenant()
    workshop.add_client(phone=phone)
    [row] = workshop.execute("select phone_key from staging.stg_agent_p__clients")
    assert row["phone_key"] == key
