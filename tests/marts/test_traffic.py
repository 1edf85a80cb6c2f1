"""Hours as salons read them off their clocks (docs/decisions.md, "Days and metrics"), one claim a test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from agentp.settings import Settings
from tests.support.marts import Workshop, make_id


@pytest.fixture(scope="module")
def built_salon(make_database: Callable[[str | None], str], built_template: str, home: Path) -> str:
    """The name of a database with a salon in Moscow and one client, who wrote at noon UTC and an hour later, built."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))
    workshop.add_tenant()
    workshop.add_client()
    workshop.add_session("visit", "2026-02-01 12:00+00", "2026-02-01 12:20+00", booking_id="17")
    workshop.add_message(1, "2026-02-01 12:05+00", session="visit")
    workshop.add_message(2, "2026-02-01 13:05+00", session="visit")
    workshop.build()
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def salon(open_database: Callable[[str | None], str], built_salon: str, home: Path) -> Workshop:
    """Such a salon of the test's own."""
    url = open_database(built_salon)
    return Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))


def read_hours(workshop: Workshop) -> list[tuple[Any, ...]]:
    rows = workshop.execute("select * from dashboard.traffic_hourly order by tenant_id, day, hour")
    return [
        (row["day"].isoformat(), row["hour"], row["sessions_started"], row["bookings"], row["user_messages"])
        for row in rows
    ]


def test_a_salon_that_changes_its_zone_within_the_day_has_its_hours_read_anew(salon: Workshop) -> None:
    assert read_hours(salon) == [("2026-02-01", 15, 1, 1, 1), ("2026-02-01", 16, 0, 0, 1)]
    settings = json.dumps({"settings": {"timezone": "America/New_York"}})
    salon.execute("update tenants_v2 set metadata = %s where id = %s", (settings, make_id("salon")))
    assert not salon.build(select="+traffic_hourly")["traffic_hourly"].was_full
    assert read_hours(salon) == [("2026-02-01", 7, 1, 1, 1), ("2026-02-01", 8, 0, 0, 1)]


def test_a_deleted_message_takes_its_hour_along(salon: Workshop) -> None:
    salon.execute("delete from recent_history_v2 where id = 2")
    assert salon.build(select="+traffic_hourly")["traffic_hourly"].deleted == 1
    assert read_hours(salon) == [("2026-02-01", 15, 1, 1, 1)]


def test_a_message_of_tomorrow_waits_for_its_day(salon: Workshop) -> None:
    salon.add_message(3, "2026-03-01 09:00+00", session="visit")
    assert salon.build()["traffic_hourly"].inserted == 0
    assert salon.build(as_of="2026-03-01")["traffic_hourly"].inserted == 1
    assert read_hours(salon)[-1] == ("2026-03-01", 12, 0, 0, 1)
