"""The watch counts what the raw tables hold, judges each day once, and again when rows came late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from expectations.activity import SILENCE, Activity, read_activity, read_tenants, watch_activity
from expectations.schema import prepare_store
from expectations.standard import get_standard
from expectations.verdicts import Finding
from systems.registry import get_main_system
from tests.support.marts import Workshop, make_id

PRESENT = datetime(2026, 4, 14, 3, tzinfo=UTC)
"""A Tuesday; 6 o'clock in Moscow."""
YESTERDAY = date(2026, 4, 13)
ZONE = "Europe/Moscow"

Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(workshop: Workshop) -> Iterator[Connection]:
    """A connection to a database with raw tables and the gate's store."""
    with psycopg.connect(workshop.url) as connection:
        prepare_store(connection)
        connection.commit()
        yield connection


def read(connection: Connection, *, present: datetime = PRESENT, default_timezone: str = ZONE) -> Activity:
    """Read what the watch reads."""
    tenants = read_tenants(connection, get_main_system(), present=present, default_timezone=default_timezone)
    activity = read_activity(connection, get_standard().watched, tenants=tenants, present=present)
    connection.commit()
    return activity


def watch(connection: Connection, *, run_id: int = 1, present: datetime = PRESENT) -> list[Finding]:
    """Watch and commit, as the gate does."""
    found = watch_activity(connection, run_id=run_id, present=present, default_timezone=ZONE)
    connection.commit()
    return found


def count(activity: Activity, measure: str, tenant: str = "salon") -> dict[str, int]:
    """Return a salon's counts by day."""
    return {
        row.day.isoformat(): row.count
        for row in activity.counts
        if row.tenant_id == make_id(tenant) and row.measure == measure and row.count
    }


def list_silences(activity: Activity, tenant: str = "salon") -> dict[str, float]:
    """Return a salon's longest silences by day, in hours."""
    return {row.day.isoformat(): row.hours for row in activity.silences if row.tenant_id == make_id(tenant)}


def add_rhythm(
    workshop: Workshop, tenant: str = "salon", *, dialogs: int = 20, days: int = 50, until: date = YESTERDAY,
    bookings: int = 5,
) -> None:  # fmt: skip
    """Give a salon so many sessions of two messages a day, from 9 o'clock in Moscow on, every half hour."""
    workshop.add_tenant(tenant)
    workshop.add_client(tenant, f"{tenant}'s client")
    scope = {
        "tenant": make_id(tenant), "client": make_id(f"{tenant}'s client"), "dialogs": dialogs, "bookings": bookings,
        "first": until - timedelta(days=days - 1), "until": until, "zone": ZONE,
    }  # fmt: skip
    begun = (
        "(select (day + time '09:00' + dialog * interval '30 minutes') at time zone %(zone)s as at, dialog "
        "from generate_series(%(first)s::timestamp, %(until)s, interval '1 day') as day, "
        "generate_series(0, %(dialogs)s - 1) as dialog) as begun"
    )
    workshop.execute(
        "insert into recent_history_v2 (tenant_id, user_id, role, channel, message, created_at) "
        "select %(tenant)s, %(client)s, role, 'telegram', 'hello', at + wait from "
        f"{begun}, (values ('user', interval '0'), ('assistant', interval '1 minute')) as turns (role, wait)",
        scope,
    )
    workshop.execute(
        "insert into conversation_sessions_v2 "
        "(session_id, tenant_id, user_id, channel, started_at, final_status, booking_id) "
        "select gen_random_uuid(), %(tenant)s, %(client)s, 'telegram', at, 'done', "
        f"case when dialog < %(bookings)s then 'b' || dialog end from {begun}",
        scope,
    )


def read_volumes(workshop: Workshop, where: str = "true") -> list[dict[str, Any]]:
    """Return what stands in `quality.volumes`."""
    return workshop.execute(f"select * from quality.volumes where {where} order by tenant_id, day, measure")


def test_messages_count_on_the_day_where_the_salon_is(workshop: Workshop, connection: Connection) -> None:
    for tenant, zone in (("salon", ZONE), ("far salon", "America/New_York")):
        workshop.add_tenant(tenant, timezone=zone)
        workshop.add_client(tenant, f"{tenant}'s client")
    for number, tenant in enumerate(["salon", "far salon"]):
        workshop.add_message(number, "2026-04-01 22:30+00", tenant=tenant, client=f"{tenant}'s client")
        workshop.add_message(10 + number, "2026-04-02 03:30+00", tenant=tenant, client=f"{tenant}'s client")
    activity = read(connection)
    assert count(activity, "messages") == {"2026-04-02": 2}
    assert count(activity, "messages", "far salon") == {"2026-04-01": 2}
    assert {row.day.isoformat() for row in activity.last_messages} == {"2026-04-01", "2026-04-02"}


@pytest.mark.parametrize(
    "metadata",
    [
        "{}", "null", "[]", '"Asia/Tokyo"', '{"settings": null}', '{"settings": ["timezone"]}', '{"settings": "x"}',
        '{"settings": {"timezone": 9}}', '{"settings": {"timezone": {"name": "Asia/Tokyo"}}}',
        '{"settings": {"timezone": "Mars/Olympus"}}', '{"settings": {"timezone": "posix/Asia/Tokyo"}}',
        '{"settings": {"timezone": "%s''; drop table x"}}',
    ],
)  # fmt: skip
def test_where_metadata_names_no_zone_the_default_one_holds(
    workshop: Workshop, connection: Connection, metadata: str
) -> None:
    workshop.add_tenant()
    workshop.add_client()
    workshop.execute("update tenants_v2 set metadata = %s::jsonb", (metadata,))
    workshop.add_message(1, "2026-04-01 20:30+00")
    workshop.add_message(2, "2026-04-01 21:30+00")
    assert count(read(connection, default_timezone=ZONE), "messages") == {"2026-04-01": 1, "2026-04-02": 1}
    assert count(read(connection, default_timezone="UTC"), "messages") == {"2026-04-01": 2}


def test_days_of_23_and_25_hours_are_days_and_their_silences_are_hours_that_passed(
    workshop: Workshop, connection: Connection
) -> None:
    workshop.add_tenant(timezone="Europe/Berlin")
    workshop.add_client()
    for number, moment in enumerate(["2026-03-29 00:30+01", "2026-03-29 23:30+02", "2026-03-30 00:30+02"]):
        workshop.add_message(number, moment)
    spring = read(connection)
    assert count(spring, "messages") == {"2026-03-29": 2, "2026-03-30": 1}
    assert list_silences(spring) == {"2026-03-29": 22.0}
    workshop.execute("delete from recent_history_v2")
    for number, moment in enumerate(["2026-10-25 00:30+02", "2026-10-25 23:30+01", "2026-10-26 00:30+01"]):
        workshop.add_message(number, moment)
    autumn = read(connection, present=datetime(2026, 11, 1, tzinfo=UTC))
    assert count(autumn, "messages") == {"2026-10-25": 2, "2026-10-26": 1}
    assert list_silences(autumn) == {"2026-10-25": 24.0}


def test_sessions_count_when_they_began_and_as_booked_when_a_booking_is_named(
    workshop: Workshop, connection: Connection
) -> None:
    workshop.add_tenant()
    workshop.add_client()
    for number, booking in enumerate([None, "", "  \n", "b1"]):
        workshop.add_session(f"session {number}", "2026-04-01 20:00+00", "2026-04-01 22:00+00", booking_id=booking)
    activity = read(connection)
    assert count(activity, "sessions") == {"2026-04-01": 4}
    assert count(activity, "bookings") == {"2026-04-01": 1}


def test_only_complete_days_of_the_window_count_and_nothing_after_the_present(
    workshop: Workshop, connection: Connection
) -> None:
    workshop.add_tenant()
    workshop.add_client()
    moments = [
        "2026-02-14 12:00+00",  # before the window
        "2026-02-15 12:00+00",  # on the day that the window cuts
        "2026-02-16 12:00+00",
        "2026-04-13 20:59+00",
        "2026-04-14 02:00+00",  # today
        "2026-04-14 03:01+00",  # the future
        "infinity", "-infinity",
    ]  # fmt: skip
    for number, moment in enumerate(moments):
        workshop.add_message(number, moment)
        workshop.add_session(f"session {number}", moment, None)
    activity = read(connection)
    assert count(activity, "messages") == count(activity, "sessions") == {"2026-02-16": 1, "2026-04-13": 1}
    (last,) = activity.last_messages
    assert last.sent_at == datetime(2026, 4, 14, 2, tzinfo=UTC)


def test_a_silence_runs_to_the_salons_own_next_message(workshop: Workshop, connection: Connection) -> None:
    for tenant in ("salon", "other salon"):
        workshop.add_tenant(tenant)
        workshop.add_client(tenant, f"{tenant}'s client")
    for number, (tenant, moment) in enumerate(
        [
            ("salon", "2026-04-01 09:00+03"), ("other salon", "2026-04-01 10:00+03"), ("salon", "2026-04-01 12:00+03"),
            ("salon", "2026-04-02 01:30+03"), ("salon", "2026-04-02 01:30+03"), ("other salon", "2026-04-05 10:00+03"),
        ]
    ):  # fmt: skip
        workshop.add_message(number, moment, tenant=tenant, client=f"{tenant}'s client")
    activity = read(connection)
    assert list_silences(activity) == {"2026-04-01": 13.5, "2026-04-02": 0.0}
    assert list_silences(activity, "other salon") == {"2026-04-01": 96.0}


def test_a_steady_salon_raises_no_alarm(workshop: Workshop, connection: Connection) -> None:
    add_rhythm(workshop)
    assert watch(connection) == []
    kept = read_volumes(workshop)
    assert {row["measure"] for row in kept} == {"messages", "sessions", "bookings", SILENCE}
    assert len(kept) == 7 * 3 + 1
    (volume,) = read_volumes(workshop, f"day = '{YESTERDAY}' and measure = 'messages'")
    assert (volume["observed"], volume["expected"]) == (40, pytest.approx(40, rel=0.02))
    assert volume["lower_bound"] < 40 < volume["upper_bound"]
    (silence,) = read_volumes(workshop, f"measure = '{SILENCE}'")
    assert silence["day"] == date(2026, 4, 14)
    assert silence["observed"] == pytest.approx(11 + 29 / 60)
    assert silence["expected"] == pytest.approx(14 + 29 / 60)
    assert silence["upper_bound"] > silence["expected"]


def test_a_bot_that_stopped_is_found_by_its_counts_and_by_its_silence(
    workshop: Workshop, connection: Connection
) -> None:
    add_rhythm(workshop, until=YESTERDAY - timedelta(days=1))
    add_rhythm(workshop, "other salon")
    found = watch(connection)
    assert {finding.tenant_name for finding in found} == {"salon"}
    assert {finding.tenant_id for finding in found} == {str(make_id("salon"))}
    by_measure = {finding.measure: finding for finding in found}
    assert by_measure["messages"].day == by_measure["sessions"].day == YESTERDAY
    assert by_measure["messages"].observed == 0 < by_measure["messages"].lower
    assert by_measure[SILENCE].observed > by_measure[SILENCE].upper


def test_a_burst_is_found(workshop: Workshop, connection: Connection) -> None:
    add_rhythm(workshop)
    flood(workshop, YESTERDAY)
    (found,) = watch(connection)
    assert (found.measure, found.day, found.observed) == ("messages", YESTERDAY, 440)
    assert found.is_unusual
    assert found.lower < found.expected < found.upper < 440


def flood(workshop: Workshop, day: date, *, messages: int = 400) -> None:
    """Add messages within a day of the salon."""
    workshop.execute(
        "insert into recent_history_v2 (tenant_id, user_id, role, channel, message, created_at) "
        "select %s, %s, 'user', 'telegram', 'again', %s::date + time '12:00' + number * interval '1 second' "
        "from generate_series(1, %s) as number",
        (make_id("salon"), make_id("salon's client"), day, messages),
    )


def test_watching_twice_changes_nothing_and_says_the_same(workshop: Workshop, connection: Connection) -> None:
    add_rhythm(workshop)
    flood(workshop, YESTERDAY)
    found = watch(connection, run_id=1)
    kept = read_volumes(workshop)
    assert watch(connection, run_id=2) == found
    assert read_volumes(workshop) == kept


def test_a_day_that_was_judged_keeps_its_verdict_whatever_its_history_becomes(
    workshop: Workshop, connection: Connection
) -> None:
    add_rhythm(workshop)
    watch(connection, run_id=1)
    kept = read_volumes(workshop, f"measure <> '{SILENCE}'")
    flood(workshop, YESTERDAY - timedelta(days=20))
    assert watch(connection, run_id=2) == []
    assert read_volumes(workshop, f"measure <> '{SILENCE}'") == kept


def test_rows_that_came_late_have_their_day_judged_anew(workshop: Workshop, connection: Connection) -> None:
    add_rhythm(workshop)
    late = YESTERDAY - timedelta(days=3)
    workshop.execute("delete from recent_history_v2 where created_at::date = %s", (late,))
    before = watch(connection, run_id=1)
    assert [(finding.measure, finding.day, finding.observed) for finding in before] == [("messages", late, 0)]
    flood(workshop, late, messages=40)
    assert watch(connection, run_id=2) == []
    judged_anew = read_volumes(workshop, "run_id = 2 and measure = 'messages'")
    assert [(row["day"], row["observed"], row["is_unusual"]) for row in judged_anew] == [(late, 40, False)]


def test_rows_later_than_a_week_are_history_alone(workshop: Workshop, connection: Connection) -> None:
    add_rhythm(workshop)
    watch(connection, run_id=1)
    flood(workshop, YESTERDAY - timedelta(days=7))
    assert watch(connection, run_id=2) == []


def test_a_week_later_only_new_days_are_judged_and_old_alarms_are_not_repeated(
    workshop: Workshop, connection: Connection
) -> None:
    add_rhythm(workshop, until=YESTERDAY + timedelta(days=2))
    flood(workshop, YESTERDAY)
    assert len(watch(connection, run_id=1)) == 1
    assert watch(connection, run_id=2, present=PRESENT + timedelta(days=2)) == []
    assert {row["day"] for row in read_volumes(workshop, f"run_id = 2 and measure <> '{SILENCE}'")} == {
        YESTERDAY + timedelta(days=1), YESTERDAY + timedelta(days=2),
    }  # fmt: skip


def test_a_salon_that_is_not_active_is_not_judged(workshop: Workshop, connection: Connection) -> None:
    add_rhythm(workshop, until=YESTERDAY - timedelta(days=5))
    workshop.execute("update tenants_v2 set is_active = false")
    assert watch(connection) == []
    assert read_volumes(workshop) == []


def test_nothing_is_judged_where_nothing_is(workshop: Workshop, connection: Connection) -> None:
    assert watch(connection) == []
    workshop.add_tenant()
    workshop.add_client()
    assert watch(connection) == []
    workshop.add_message(1, PRESENT - timedelta(hours=1))
    assert watch(connection) == []
    assert read_volumes(workshop) == []
