"""A figure that was shown stays known as it was first shown, and what changes it later is told (issue 6)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from agentp.errors import BuildError
from agentp.settings import Settings
from tests.support.marts import Workshop

KEPT = "select * from dashboard.figures_shown order by tenant_id, day, currency, version"
KEY = ("tenant_id", "day", "measure", "currency", "restated_at")


@pytest.fixture(scope="module")
def built_salon(make_database: Callable[[str | None], str], built_template: str, home: Path) -> str:
    """The name of a database with a salon, one dialogue of three messages and a booking on 1 February, built."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url))
    workshop.add_tenant()
    workshop.add_client()
    workshop.add_session(
        "visit", "2026-02-01 10:00+00", "2026-02-01 10:20+00", booking_id="81", booking_status="confirmed",
        booking_amount=1500, booking_currency="RUB",
    )  # fmt: skip
    workshop.add_message(1, "2026-02-01 10:00+00", session="visit")
    workshop.add_message(2, "2026-02-01 10:00:04+00", session="visit", role="assistant")
    workshop.add_message(3, "2026-02-01 10:01+00", session="visit")
    workshop.build()
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def salon(open_database: Callable[[str | None], str], built_salon: str, home: Path) -> Workshop:
    """Such a salon of the test's own."""
    url = open_database(built_salon)
    return Workshop(url=url, settings=Settings(home=home, database_url=url))


def read_restatements(workshop: Workshop) -> dict[str, dict[str, Any]]:
    """Return the restatements, one a measure and currency; fail where there are two of one."""
    rows = workshop.execute("select * from dashboard.restatements")
    found = {f"{row['measure']} {row['currency']}".strip(): row for row in rows}
    assert len(found) == len(rows)
    return found


def test_what_is_shown_first_is_kept_and_is_no_restatement(salon: Workshop) -> None:
    [day, revenue] = salon.execute(
        "select currency, version, figures, shown_at = (select min(shown_at) from dashboard.figures_shown) as is_first "
        "from dashboard.figures_shown where day = '2026-02-01' order by currency"
    )
    assert (day["figures"]["dialogs_started"], day["figures"]["messages"], day["version"]) == (1, 3, 1)
    assert (revenue["currency"], revenue["figures"]["kept_amount"], revenue["is_first"]) == ("RUB", 1500, True)
    assert read_restatements(salon) == {}


def test_a_late_message_restates_the_days_figures_and_says_by_how_much(salon: Workshop) -> None:
    salon.add_message(4, "2026-02-01 10:01:08+00", session="visit", role="assistant")
    salon.build()
    found = read_restatements(salon)
    assert set(found) == {"messages", "agent_messages", "avg_response_ms", "median_response_ms", "p90_response_ms"}
    messages = found["messages"]
    assert (messages["first_value"], messages["previous_value"], messages["value"], messages["change"]) == (3, 3, 4, 1)
    assert found["avg_response_ms"]["change"] == Decimal(2000)
    assert {row["reason"] for row in found.values()} == {"late_rows"}
    assert all(row["is_current"] and row["first_shown_at"] < row["restated_at"] for row in found.values())


@pytest.mark.parametrize("full_refresh", [False, True])
def test_a_build_that_finds_nothing_changed_adds_nothing(salon: Workshop, full_refresh: bool) -> None:
    salon.add_message(4, "2026-02-01 10:01:08+00", session="visit", role="assistant")
    salon.build()
    before = salon.execute(KEPT)
    salon.build(full_refresh=full_refresh)
    assert salon.execute(KEPT) == before


def test_each_change_is_a_row_and_the_last_is_current(salon: Workshop) -> None:
    for amount in ("1700.50", "0.10", "1500"):
        salon.execute("update conversation_sessions_v2 set booking_amount = %s", (amount,))
        salon.build()
    measures = salon.execute("select distinct measure from dashboard.restatements order by measure")
    assert [row["measure"] for row in measures] == ["booked_amount", "kept_amount"]
    rows = salon.execute("select * from dashboard.restatements where measure = 'kept_amount' order by restated_at")
    assert [(row["previous_value"], row["value"], row["is_current"]) for row in rows] == [
        (Decimal(1500), Decimal("1700.50"), False),
        (Decimal("1700.50"), Decimal("0.10"), False),
        (Decimal("0.10"), Decimal(1500), True),
    ]
    assert {(row["measure"], row["first_value"], row["reason"]) for row in rows} == {
        ("kept_amount", Decimal(1500), "changed_rows")
    }
    assert len({tuple(row[column] for column in KEY) for row in rows}) == 3


def test_a_full_refresh_keeps_what_was_first_shown(salon: Workshop) -> None:
    salon.execute("delete from recent_history_v2 where id = 3")
    salon.build(full_refresh=True)
    found = read_restatements(salon)
    assert (found["messages"]["first_value"], found["messages"]["value"]) == (3, 2)
    assert {row["reason"] for row in found.values()} == {"removed_rows"}


def test_a_changed_definition_is_told_from_changed_rows(salon: Workshop) -> None:
    for number, minute in ((5, 0), (6, 40)):
        salon.add_message(number, f"2026-02-03 10:{minute:02}+00")
    salon.build()
    assert {row["reason"] for row in read_restatements(salon).values()} == {"late_rows"}
    salon.settings = salon.settings.model_copy(update={"session_gap_minutes": 45})
    salon.build()
    rows = salon.execute("select * from dashboard.restatements where reason = 'definition'")
    assert [(row["measure"], row["previous_value"], row["value"]) for row in rows] == [("inferred_sessions", 2, 1)]


def test_rows_that_come_late_to_a_definition_that_changed_nothing_are_late_rows(salon: Workshop) -> None:
    salon.settings = salon.settings.model_copy(update={"session_gap_minutes": 45})
    salon.build()
    salon.add_message(4, "2026-02-01 10:02+00", session="visit")
    salon.build()
    assert {row["reason"] for row in read_restatements(salon).values()} == {"late_rows"}


def test_another_zone_of_the_salon_is_told_as_such(salon: Workshop) -> None:
    salon.execute('update tenants_v2 set metadata = \'{"settings": {"timezone": "Pacific/Kiritimati"}}\'')
    salon.build()
    rows = salon.execute("select * from dashboard.restatements order by day, measure")
    moved = {(str(row["day"]), row["value"]) for row in rows if row["measure"] == "messages"}
    assert moved == {("2026-02-01", Decimal(0)), ("2026-02-02", Decimal(3))}
    assert {row["reason"] for row in rows if row["currency"] == ""} == {"timezone"}
    revenue = {(str(row["day"]), row["value"], row["reason"]) for row in rows if row["measure"] == "kept_amount"}
    assert revenue == {("2026-02-01", None, "withdrawn"), ("2026-02-02", Decimal(1500), "timezone")}


def test_a_day_shown_before_it_was_over_is_not_restated(salon: Workshop) -> None:
    noon = "2026-03-01T12:00:00+03:00"
    salon.add_message(4, "2026-03-01 07:00+00")
    salon.build(as_of=noon)
    salon.add_message(5, "2026-03-01 08:00+00")
    salon.build(as_of="2026-03-01")
    assert read_restatements(salon) == {}
    [shown] = salon.execute("select version, figures from dashboard.figures_shown where day = '2026-03-01'")
    assert (shown["version"], shown["figures"]["messages"]) == (1, 2)


def test_a_build_that_looks_back_and_one_that_returns_restate_nothing(salon: Workshop) -> None:
    salon.add_tenant("closed", is_active=False)
    salon.add_client("closed", "guest")
    salon.add_message(10, "2026-02-01 10:00+00", tenant="closed", client="guest")
    salon.add_message(11, "2026-02-20 10:00+00", tenant="closed", client="guest")
    salon.build()
    before = salon.execute(KEPT)
    for as_of in ("2026-02-10", "2026-01-20T12:00:00+03:00", "2026-02-10", "2026-02-28"):
        salon.build(as_of=as_of, full_refresh=as_of == "2026-02-10")
        assert salon.execute(KEPT) == before


def test_a_row_that_is_gone_is_withdrawn_and_comes_back_as_a_restatement(salon: Workshop) -> None:
    salon.execute("update conversation_sessions_v2 set booking_id = null")
    salon.build()
    gone = read_restatements(salon)["kept_amount RUB"]
    assert (gone["reason"], gone["previous_value"], gone["value"], gone["change"]) == ("withdrawn", 1500, None, None)
    salon.build(full_refresh=True)
    assert read_restatements(salon)["kept_amount RUB"] == gone
    salon.execute("update conversation_sessions_v2 set booking_id = '81'")
    salon.build()
    [back] = salon.execute("select * from dashboard.restatements where measure = 'kept_amount' and is_current")
    assert (back["reason"], back["previous_value"], back["value"]) == ("changed_rows", None, 1500)


def test_revenue_that_turns_up_late_is_a_restatement_of_nothing(salon: Workshop) -> None:
    salon.add_session(
        "late", "2026-02-02 10:00+00", "2026-02-02 10:20+00", booking_id="82", booking_status="confirmed",
        booking_amount=900, booking_currency="KZT",
    )  # fmt: skip
    salon.build()
    late = read_restatements(salon)["kept_amount KZT"]
    assert (late["first_value"], late["previous_value"], late["value"]) == (None, None, 900)
    assert (late["reason"], late["first_shown_at"] < late["restated_at"]) == ("late_rows", True)


def test_what_goes_while_a_build_looks_back_is_withdrawn_by_the_next_that_does_not(salon: Workshop) -> None:
    salon.execute("update tenants_v2 set is_active = false")
    salon.build()
    salon.execute("delete from recent_history_v2")
    salon.execute("delete from conversation_sessions_v2")
    salon.build(as_of="2026-01-31")
    assert read_restatements(salon) == {}
    salon.build()
    found = read_restatements(salon)
    assert (found["bookings"]["previous_value"], found["bookings"]["value"]) == (1, None)
    before = salon.execute(KEPT)
    salon.build(full_refresh=True)
    assert salon.execute(KEPT) == before


def test_a_run_that_dies_between_marts_and_figures_is_made_up_for(salon: Workshop) -> None:
    salon.execute(
        "create function public.refuse() returns trigger language plpgsql as "
        "$$ begin raise exception 'the server is going away'; end $$"
    )
    salon.execute("create trigger refuse before insert on dashboard.figures_shown execute function public.refuse()")
    salon.add_message(4, "2026-02-01 10:01:08+00", session="visit", role="assistant")
    with pytest.raises(BuildError, match="figures_shown"):
        salon.build_with_dbt()
    assert salon.execute("select messages from dashboard.metrics_dailies where day = '2026-02-01'") == [{"messages": 4}]
    assert read_restatements(salon) == {}
    salon.execute("drop trigger refuse on dashboard.figures_shown")
    assert not salon.build()["figures_shown"].was_full
    assert read_restatements(salon)["messages"]["value"] == 4
