"""Slots that come free and are taken again, also by moves (docs/decisions.md, "Visits"), one claim a test."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.marts import Workshop, make_id

NINE, TEN = "2026-03-10 06:00+00", "2026-03-10 07:00+00"


@pytest.fixture
def salon(workshop: Workshop) -> Workshop:
    """A salon in Moscow with three clients."""
    workshop.add_tenant()
    for client in ("anna", "boris", "vera"):
        workshop.add_client("salon", client)
    return workshop


def book(salon: Workshop, client: str, booking: str, said_at: str, visit_at: str | None, **columns: Any) -> None:
    """Add a dialogue that names a booking with one staff member, confirmed unless told otherwise."""
    told = {
        "booking_id": booking, "booking_datetime": visit_at, "booking_status": "confirmed", "booking_amount": 1000,
        "booking_currency": "RUB", "meta": {"staff_id": "7", "services_selected": ["one"]}, **columns,
    }  # fmt: skip
    salon.add_session(f"{booking} said at {said_at}", said_at, None, client=client, **told)


def wish(salon: Workshop, client: str, made_at: str) -> None:
    """Have a client wait for the day."""
    salon.insert(
        "wishlist_v2",
        [{
            "tenant_id": make_id("salon"), "user_id": make_id(client), "item_type": "slot_waiting",
            "item_id": "service_one", "meta": {"date": "2026-03-10", "service_id": "one"}, "created_at": made_at,
            "status": "pending",
        }],
    )  # fmt: skip


def read_slots(salon: Workshop) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the freed slots by booking and hour."""
    rows = salon.execute("select *, to_char(visit_at at time zone 'UTC', 'HH24:MI') as hour from dashboard.freed_slots")
    return {(row["booking_id"], row["hour"]): row for row in rows}


def test_a_slot_taken_by_moving_a_booking_into_it_is_taken_and_offered_to_nobody(salon: Workshop) -> None:
    book(salon, "boris", "2", "2026-02-01 09:00+00", TEN)
    book(salon, "anna", "1", "2026-02-02 09:00+00", NINE)
    wish(salon, "vera", "2026-02-02 10:00+00")
    book(salon, "anna", "1", "2026-02-03 09:00+00", NINE, final_intent="cancel", booking_status="cancelled")
    salon.build()
    assert [row["booking_id"] for row in salon.execute("select * from dashboard.slot_offers")] == ["1"]
    book(salon, "boris", "2", "2026-02-04 09:00+00", NINE, final_intent="reschedule")
    # At once, before any build knows, and after one does.
    assert salon.execute("select * from dashboard.slot_offers") == []
    salon.build()
    slots = read_slots(salon)
    assert (slots["1", "06:00"]["refill_booking_id"], slots["1", "06:00"]["fill_minutes"]) == ("2", 24 * 60)
    # What the move left is free, and offered instead; nothing is lost by it.
    assert [
        (row["booking_id"], row["visit_time"].hour) for row in salon.execute("select * from dashboard.slot_offers")
    ] == [("2", 10)]
    left = slots["2", "07:00"]
    assert (left["freed_by"], left["lost_amount"], left["slot_amount"], left["refill_booking_id"]) == (
        "moved", 0, 1000, None,
    )  # fmt: skip


def test_a_slot_without_staff_and_service_is_freed_and_nobody_is_said_to_have_taken_it(salon: Workshop) -> None:
    book(salon, "anna", "1", "2026-02-02 09:00+00", NINE, meta={}, booking_status="Отменена")
    book(salon, "boris", "2", "2026-02-04 09:00+00", NINE, meta={})
    salon.build()
    slot = read_slots(salon)["1", "06:00"]
    assert (slot["freed_by"], slot["lost_amount"], slot["refill_booking_id"]) == ("cancelled", 1000, None)


def test_every_time_that_a_booking_left_is_free_once(salon: Workshop) -> None:
    book(salon, "anna", "1", "2026-02-01 09:00+00", NINE)
    book(salon, "anna", "1", "2026-02-02 09:00+00", TEN)
    book(salon, "anna", "1", "2026-02-03 09:00+00", NINE)
    book(salon, "anna", "1", "2026-02-04 09:00+00", NINE, final_intent="cancel", booking_status="cancelled")
    salon.build()
    slots = read_slots(salon)
    assert {name: (slot["freed_by"], str(slot["released_at"])[:10]) for name, slot in slots.items()} == {
        ("1", "06:00"): ("cancelled", "2026-02-04"), ("1", "07:00"): ("moved", "2026-02-03"),
    }  # fmt: skip
    before = salon.read_marts()
    salon.build(full_refresh=True)
    assert salon.read_marts() == before


def test_moves_are_no_lost_money(salon: Workshop) -> None:
    book(salon, "anna", "1", "2026-02-01 09:00+00", "2026-02-20 06:00+00")
    book(salon, "anna", "2", "2026-02-02 09:00+00", NINE, meta={"rescheduled_from": "1"})
    book(salon, "boris", "3", "2026-02-01 09:00+00", "2026-02-20 07:00+00", booking_status="canceled")
    salon.build()
    [recovery] = salon.execute("select freed_count, lost_amount from dashboard.slot_recovery")
    assert recovery == {"freed_count": 2, "lost_amount": 1000}


def test_a_booking_cancelled_confirmed_again_or_told_another_time_is_a_risky_slot_at_once(salon: Workshop) -> None:
    salon.add_client("salon", "anna elsewhere", phone="8 900 123-45-67")
    salon.execute("update clients_v2 set phone = '+79001234567' where id = %s", [make_id("anna")])
    for number in (1, 2, 3, 4, 5):
        book(salon, "anna", f"{number}", "2026-02-01 09:00+00", NINE)
    book(salon, "anna", "4", "2026-02-02 09:00+00", NINE, booking_status="Отменена")
    salon.build()
    salon.execute(
        "insert into dashboard.predictions (tenant_id, booking_id, risk_score, risk_factors) "
        "select tenant_id, booking_id, 0.5, '{}' from dashboard.visits"
    )
    salon.execute(
        "insert into scoring.booking_scores (tenant_id, booking_id, main_factor, run_id) "
        "select tenant_id, booking_id, 'none', 1 from dashboard.visits"
    )
    book(salon, "anna", "1", "2026-02-03 09:00+00", NINE, booking_status="Cancelled by user")
    book(salon, "anna", "2", "2026-02-03 09:00+00", NINE, booking_status="cancelled")
    book(salon, "anna", "2", "2026-02-04 09:00+00", NINE)
    book(salon, "anna", "3", "2026-02-04 09:00+00", TEN, final_intent="reschedule")
    book(salon, "anna", "4", "2026-02-05 09:00+00", NINE)
    book(salon, "anna elsewhere", "5", "2026-02-05 09:00+00", NINE, booking_status="cancelled")

    def read_risky() -> list[tuple[str, int]]:
        rows = salon.execute("select booking_id, visit_time from dashboard.risky_slots order by booking_id")
        return [(row["booking_id"], row["visit_time"].hour) for row in rows]

    live = read_risky()
    assert live == [("2", 9), ("3", 10), ("4", 9)]
    salon.build()
    assert read_risky() == live


def test_a_wish_is_expired_once_its_day_is_over_as_a_day_is_final(salon: Workshop) -> None:
    wish(salon, "vera", "2026-02-02 21:30+00")
    for as_of, is_expired in (("2026-03-10T20:00:00+00:00", False), ("2026-03-10", True), ("2026-03-09", False)):
        salon.build(as_of=as_of)
        assert salon.execute("select is_expired from dashboard.waitlist") == [{"is_expired": is_expired}]
