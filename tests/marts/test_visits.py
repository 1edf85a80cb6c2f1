"""Bookings, visits and clients as people meet them (docs/decisions.md, "Visits"), one claim a test."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from jinja2 import Environment

from agentp.settings import DBT_PROJECT
from tests.oracle.clients import calculate_churn_risk
from tests.support.marts import Workshop, make_id

VISITS = "+visits +clients"
"""What is built where one build says it all; what several say hangs on what complete builds leave behind."""


@pytest.fixture
def salon(workshop: Workshop) -> Workshop:
    """A salon in Moscow with one client."""
    workshop.add_tenant()
    workshop.add_client()
    return workshop


def add_booking(workshop: Workshop, booking: str | None, said_at: str, visit_at: str | None, **columns: Any) -> None:
    """Add a dialogue that names a booking, confirmed unless told otherwise."""
    name = f"{booking} said at {said_at}"
    told = {"booking_id": booking, "booking_datetime": visit_at, "booking_status": "confirmed", **columns}
    workshop.add_session(name, said_at, None, **told)


def read_visit(workshop: Workshop, booking: str) -> dict[str, Any]:
    (row,) = workshop.execute("select * from dashboard.visits where booking_id = %s", [booking])
    return row


def read_client(workshop: Workshop, client: str = "client") -> dict[str, Any]:
    (row,) = workshop.execute("select * from dashboard.clients where client_id = %s", [make_id(client)])
    return row


def assert_full_build_changes_nothing(workshop: Workshop, as_of: str) -> None:
    changes = workshop.build(as_of=as_of, full_refresh=True)
    assert {(c.inserted, c.updated, c.deleted) for c in changes.values()} == {(0, 0, 0)}


def test_another_time_for_the_same_booking_is_counted_and_makes_no_second_row(salon: Workshop) -> None:
    add_booking(salon, "17", "2026-02-01 10:00+00", "2026-02-10 10:00+00")
    add_booking(salon, "17", "2026-02-03 10:00+00", "2026-02-12 10:00+00", final_intent="reschedule")
    salon.build(select=VISITS)
    visit = read_visit(salon, "17")
    assert (visit["visit_at"], visit["times_moved"]) == (datetime(2026, 2, 12, 10, tzinfo=UTC), 1)
    assert (visit["outcome"], visit["booked_at"]) == ("arrived", datetime(2026, 2, 1, 10, tzinfo=UTC))
    assert read_client(salon)["moves_count"] == 1


def test_a_booking_that_took_the_place_of_another_says_so(salon: Workshop) -> None:
    add_booking(salon, "17", "2026-02-01 10:00+00", "2026-02-10 10:00+00")
    add_booking(salon, "18", "2026-02-09 11:00+00", "2026-02-12 10:00+00", meta={"rescheduled_from": "17"})
    salon.build(select=VISITS)
    moved = read_visit(salon, "17")
    assert (moved["outcome"], moved["outcome_source"], moved["moved_to_booking_id"]) == ("moved", "recorded", "18")
    assert (moved["released_at"], moved["is_released_late"]) == (datetime(2026, 2, 9, 11, tzinfo=UTC), True)
    assert read_client(salon)["visits_count"] == 1


def test_a_dialogue_about_moving_moves_the_booking_made_last_that_is_ahead(salon: Workshop) -> None:
    add_booking(salon, "15", "2026-01-20 10:00+00", "2026-02-20 10:00+00")
    add_booking(salon, "16", "2026-01-21 10:00+00", "2026-02-20 12:00+00")
    add_booking(salon, "17", "2026-01-22 10:00+00", "2026-01-25 10:00+00")
    add_booking(salon, "18", "2026-02-01 10:00+00", "2026-02-21 10:00+00", final_intent="reschedule")
    salon.build(select=VISITS)
    found = salon.execute("select booking_id, outcome, outcome_source from dashboard.visits order by booking_id")
    assert [tuple(row.values()) for row in found] == [
        ("15", "arrived", "presumed"), ("16", "moved", "inferred"),
        ("17", "arrived", "presumed"), ("18", "arrived", "presumed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said_at", "is_late"),
    [("2026-02-08 10:00+00", False), ("2026-02-09 10:00+00", False), ("2026-02-09 10:01+00", True)],
)
def test_a_cancellation_within_a_day_of_the_visit_is_late(salon: Workshop, said_at: str, is_late: bool) -> None:
    add_booking(salon, "17", "2026-02-01 10:00+00", "2026-02-10 10:00+00", booking_status="cancelled")
    add_booking(salon, None, said_at, None, booking_status=None, final_intent="cancel")
    salon.build(select=VISITS)
    visit = read_visit(salon, "17")
    assert (visit["outcome"], visit["is_released_late"]) == ("cancelled", is_late)
    assert visit["released_at"] == datetime.fromisoformat(said_at)


def test_nobody_knows_when_a_booking_was_cancelled_that_no_dialogue_cancels(salon: Workshop) -> None:
    add_booking(salon, "17", "2026-02-01 10:00+00", "2026-02-10 10:00+00", booking_status="cancelled")
    salon.build(select=VISITS)
    visit = read_visit(salon, "17")
    assert (visit["outcome"], visit["released_at"], visit["is_released_late"]) == ("cancelled", None, None)


def test_a_salon_may_set_its_own_late_hours(workshop: Workshop) -> None:
    workshop.add_tenant(metadata={"settings": {"timezone": "Europe/Moscow", "late_cancellation_hours": "48"}})
    workshop.add_client()
    add_booking(workshop, "17", "2026-02-01 10:00+00", "2026-02-10 10:00+00", booking_status="cancelled")
    add_booking(workshop, None, "2026-02-08 11:00+00", None, meta={"cancelled_booking_id": "17"})
    workshop.build(select=VISITS)
    assert read_visit(workshop, "17")["is_released_late"]


@pytest.mark.parametrize(
    ("status", "visit_status", "outcome"),
    [
        ("confirmed", None, ("arrived", "presumed")),
        ("confirmed", "1", ("arrived", "recorded")),
        ("arrived", None, ("arrived", "recorded")),
        ("confirmed", "no_show", ("no_show", "recorded")),
        ("no_show", "late", ("no_show", "recorded")),
        (None, None, ("unknown", None)),
        ("created", None, ("unknown", None)),
    ],
)
def test_a_past_booking_is_what_was_recorded_or_else_presumed(
    salon: Workshop, status: str | None, visit_status: str | None, outcome: tuple[str, str | None]
) -> None:
    meta = {"visit_status": visit_status} if visit_status else {}
    add_booking(salon, "17", "2026-02-01 10:00+00", "2026-02-10 10:00+00", booking_status=status, meta=meta)
    salon.build(select=VISITS)
    visit = read_visit(salon, "17")
    assert (visit["outcome"], visit["outcome_source"]) == outcome


def test_a_booking_comes_due_by_the_clock_alone_and_is_ahead_again_for_an_earlier_day(salon: Workshop) -> None:
    salon.add_client(name="other")
    add_booking(salon, "17", "2026-02-01 10:00+00", "2026-02-10 10:00+00")
    salon.build(as_of="2026-02-09")
    assert (read_visit(salon, "17")["outcome"], read_client(salon)["lifecycle"]) == ("upcoming", "prospect")

    due = salon.build(as_of="2026-02-10")
    assert not due["visits"].was_full
    assert (due["visits"].updated, due["clients"].updated) == (1, 1)
    assert (read_visit(salon, "17")["outcome"], read_client(salon)["lifecycle"]) == ("arrived", "new")
    assert salon.execute("select * from build.touched_visitors") == []

    back = salon.build(as_of="2026-02-09")
    assert not back["visits"].was_full
    assert (read_visit(salon, "17")["outcome"], read_client(salon)["lifecycle"]) == ("upcoming", "prospect")
    assert_full_build_changes_nothing(salon, "2026-02-09")


def test_a_client_is_at_risk_and_lost_by_the_clock_alone(salon: Workshop) -> None:
    add_booking(salon, "17", "2026-01-01 10:00+00", "2026-01-10 10:00+00")
    found = []
    for day in ("2026-02-07", "2026-02-09", "2026-02-18", "2026-02-24", "2026-04-09", "2026-04-10"):
        changes = salon.build(as_of=day)
        found.append((read_client(salon)["lifecycle"], float(read_client(salon)["churn_risk_score"])))
    assert not changes["clients"].was_full
    assert found == [("new", 0.0), ("new", 0.3), ("new", 0.6), ("new", 0.9), ("new", 0.9), ("lost", 0.9)]
    assert_full_build_changes_nothing(salon, "2026-04-10")


def test_who_was_lost_and_came_is_won_back_until_the_next_visit_day(salon: Workshop) -> None:
    add_booking(salon, "17", "2025-10-01 10:00+00", "2025-10-10 10:00+00")
    salon.build(as_of="2026-01-20")
    assert read_client(salon)["lifecycle"] == "lost"
    add_booking(salon, "18", "2026-01-21 10:00+00", "2026-01-30 10:00+00")
    salon.build(as_of="2026-01-29")
    assert read_client(salon)["lifecycle"] == "new"
    salon.build(as_of="2026-01-30")
    assert read_client(salon)["lifecycle"] == "won_back"
    add_booking(salon, "19", "2026-02-01 10:00+00", "2026-02-10 10:00+00")
    salon.build(as_of="2026-02-10")
    assert read_client(salon)["lifecycle"] == "returning"


def test_whom_the_bot_remembers_as_preferred_counts_before_the_visits(salon: Workshop) -> None:
    add_booking(salon, "17", "2026-02-01 10:00+00", "2026-02-10 10:00+00", meta={"staff_id": "7"})
    memory = {"user_id": make_id("client"), "tenant_id": make_id("salon")}
    salon.insert("user_ltm_v2", [{**memory, "preferred_staff_id": " "}])
    salon.build()
    assert (read_client(salon)["favourite_staff_id"], read_client(salon)["favourite_staff_source"]) == ("7", "visits")
    salon.execute("update user_ltm_v2 set preferred_staff_id = '8'")
    changes = salon.build()
    assert (changes["clients"].was_full, changes["clients"].updated) == (False, 1)
    assert (read_client(salon)["favourite_staff_id"], read_client(salon)["favourite_staff_source"]) == ("8", "memory")


def test_churn_figures_written_back_to_memory_rebuild_nobody(salon: Workshop) -> None:
    memory = {"user_id": make_id("client"), "tenant_id": make_id("salon"), "preferred_staff_id": "8"}
    salon.insert("user_ltm_v2", [memory])
    salon.build()
    salon.execute('update user_ltm_v2 set churn_risk_score = 0.9, ltm_data = \'{"likes": "tea"}\'')
    assert salon.execute("select * from change_tracking.changed_clients") == []


def test_clients_who_share_a_booking_are_built_together(salon: Workshop) -> None:
    salon.add_client(name="husband")
    salon.add_client(name="child")
    add_booking(salon, "17", "2026-02-01 10:00+00", "2026-02-10 10:00+00")
    add_booking(salon, "17", "2026-02-02 10:00+00", "2026-02-10 10:00+00", client="husband")
    add_booking(salon, "18", "2026-02-03 10:00+00", "2026-02-11 10:00+00", client="husband")
    add_booking(salon, "18", "2026-02-04 10:00+00", "2026-02-11 10:00+00", client="child")
    salon.build()
    assert read_visit(salon, "17")["client_id"] == make_id("husband")
    assert read_visit(salon, "18")["client_id"] == make_id("child")

    # The first dialogue takes another time: it is the husband's row that changes, though none of his dialogues did.
    salon.execute(
        "update conversation_sessions_v2 set started_at = '2026-02-05 10:00+00' where session_id = %s",
        [make_id("17 said at 2026-02-01 10:00+00")],
    )
    assert not salon.build()["visits"].was_full
    assert read_visit(salon, "17")["client_id"] == make_id("client")
    assert (read_client(salon)["visits_count"], read_client(salon, "husband")["visits_count"]) == (1, 0)

    salon.execute("delete from conversation_sessions_v2 where user_id = %s", [make_id("child")])
    salon.build()
    assert read_visit(salon, "18")["client_id"] == make_id("husband")
    assert_full_build_changes_nothing(salon, "2026-02-28")


def test_a_search_for_part_of_a_name_or_phone_uses_the_trigram_indexes(workshop: Workshop) -> None:
    workshop.add_tenant()
    workshop.execute(
        "insert into clients_v2 (tenant_id, full_name, phone) "
        "select %s, 'client ' || md5(n::text), '+7 9' || lpad((n * 7919 %% 1000000000)::text, 9, '0') "
        "from generate_series(1, 20000) as n",
        [make_id("salon")],
    )
    workshop.build(select="+clients", full_refresh=True)
    for column, part in (("client_name", "c4ca4238"), ("phone", "0007919")):
        plan = workshop.execute(
            f"explain select * from dashboard.clients where tenant_id = %s and {column} ilike %s",
            [make_id("salon"), f"%{part}%"],
        )
        assert f"clients_search_{column}" in "\n".join(row["QUERY PLAN"] for row in plan)


def test_the_steps_of_risk_are_those_of_the_seed(workshop: Workshop) -> None:
    """The macro over a grid in Postgres beside the seed's Python: visits ahead or none, interval nothing or none."""
    macros = (DBT_PROJECT / "macros" / "agent_p" / "churn.sql").read_text(encoding="utf-8")
    template = Environment(extensions=["jinja2.ext.do"]).from_string(
        macros + "{{ step_churn_risk('days', 'interval_days') }}",
        globals={"var": {"default_visit_interval_days": 30}.__getitem__},
    )
    rows = workshop.execute(
        f"select days, interval_days, {template.render()} as score "
        "from (select generate_series(-40, 140)::bigint as days union all select null) as idle "
        "cross join (select generate_series(0, 120) as interval_days union all select null) as intervals"
    )
    found = {(row["days"], row["interval_days"]): row["score"] for row in rows}
    assert found.keys() == set(product([*range(-40, 141), None], [*range(121), None]))
    wrong = {grid: score for grid, score in found.items() if score != calculate_churn_risk(*grid)}
    assert wrong == {}
