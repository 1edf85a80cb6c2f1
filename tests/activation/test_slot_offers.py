"""Offers of freed slots: to whom in turn, one at a time, until when, and what withdraws one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.activation.conftest import NEXT_DAY, NOON, Salon
from tests.activation.test_win_back import count_left
from tests.support.marts import make_id


def statuses(salon: Salon) -> dict[str, str]:
    return {name: row["status"] for name, row in salon.outbox("slot_offer").items()}


def set_status(salon: Salon, client: str, status: str) -> None:
    salon.execute("update dashboard.outbox set status = %s where client_id = %s", [status, make_id(client)])


def test_a_slot_is_offered_to_who_waits_longest_and_to_nobody_else(salon: Salon) -> None:
    report = salon.activate()
    assert statuses(salon) == {"first waiting": "pending"}
    offer = salon.outbox()["first waiting"]
    assert (offer["message_key"], offer["booking_id"], offer["wish_id"]) == ("slot_offer:freed:1", "freed", 1)
    assert offer["message_text"] == (
        "Здравствуйте, first waiting! Освободилось время на услугу «Стрижка» в «salon»: четверг, 5 марта, 14:00. "
        "Записать вас? Ответьте на это сообщение."
    )
    assert offer["payload"]["visit_at"] == "2026-03-05T11:00:00+00:00"
    assert count_left(report, kind="slot_offer") == {"awaits turn": 1}


@pytest.mark.parametrize(("status", "is_next"), [("sent", False), ("held_out", False), ("failed", True)])
def test_the_next_in_turn_waits_for_an_open_offer(salon: Salon, status: str, is_next: bool) -> None:
    salon.activate()
    set_status(salon, "first waiting", status)
    salon.activate(NOON + timedelta(hours=1))
    assert ("second waiting" in statuses(salon)) == is_next


@pytest.mark.parametrize("status", ["pending", "sent", "held_out"])
def test_an_offer_that_expired_passes_to_the_next_in_turn(salon: Salon, status: str) -> None:
    salon.activate()
    set_status(salon, "first waiting", status)
    salon.activate(NEXT_DAY)
    ended = "expired" if status == "pending" else status
    assert statuses(salon) == {"first waiting": ended, "second waiting": "pending"}
    salon.activate(NEXT_DAY)
    assert len(salon.execute("select * from dashboard.outbox where kind = 'slot_offer'")) == 2


def test_an_offer_lasts_a_day_but_not_beyond_two_hours_before_the_visit(salon: Salon) -> None:
    salon.activate()
    assert salon.outbox()["first waiting"]["expires_at"] == NEXT_DAY
    salon.execute("truncate dashboard.outbox")
    salon.execute("update build.runs set as_of = '2026-03-04'")
    salon.activate(datetime(2026, 3, 5, 8, 59, tzinfo=UTC))
    assert salon.outbox()["first waiting"]["expires_at"] == datetime(2026, 3, 5, 9, tzinfo=UTC)
    salon.execute("truncate dashboard.outbox")
    report = salon.activate(datetime(2026, 3, 5, 9, tzinfo=UTC))
    assert salon.outbox("slot_offer") == {}
    assert count_left(report, kind="slot_offer") == {"too late": 2}


def test_a_slot_before_the_end_of_quiet_hours_is_not_offered(salon: Salon) -> None:
    salon.execute("update build.runs set as_of = '2026-03-04'")
    salon.set_settings(quiet_from="21:00", quiet_until="12:30")
    salon.activate(datetime(2026, 3, 4, 19, tzinfo=UTC))
    assert salon.outbox("slot_offer") == {}
    salon.set_settings(quiet_until="11:30")
    salon.activate(datetime(2026, 3, 4, 19, tzinfo=UTC))
    assert salon.outbox()["first waiting"]["send_after"] == datetime(2026, 3, 5, 8, 30, tzinfo=UTC)


def test_a_wish_has_one_offer_at_a_time_and_the_other_slot_goes_to_the_next(salon: Salon) -> None:
    salon.execute(
        "insert into dashboard.freed_slots select (jsonb_populate_record(freed, %s::jsonb)).* "
        "from dashboard.freed_slots as freed",
        ['{"booking_id": "freed too", "staff_id": "m2", "visit_at": "2026-03-05T12:00:00Z"}'],
    )
    salon.activate()
    offers = {name: row["booking_id"] for name, row in salon.outbox("slot_offer").items()}
    assert offers == {"first waiting": "freed", "second waiting": "freed too"}


def test_who_wished_twice_is_offered_a_slot_once(salon: Salon) -> None:
    salon.wish("first waiting", 5, "2026-03-05", "2026-02-21 11:00+00")
    salon.activate()
    set_status(salon, "first waiting", "failed")
    salon.activate(NEXT_DAY)
    assert statuses(salon) == {"first waiting": "failed", "second waiting": "pending"}


def test_a_wish_needs_no_consent_but_a_refusal_counts(salon: Salon) -> None:
    salon.execute("update clients_v2 set meta = '{\"consent\": \"no\"}' where full_name = 'first waiting'")
    report = salon.activate()
    assert statuses(salon) == {"second waiting": "pending"}
    assert count_left(report, kind="slot_offer") == {"refused": 1}


def test_who_cannot_be_reached_is_passed_over(salon: Salon) -> None:
    salon.execute("update clients_v2 set telegram_chat_id = null where full_name = 'first waiting'")
    report = salon.activate()
    assert statuses(salon) == {"second waiting": "pending"}
    assert count_left(report, kind="slot_offer") == {"no channel": 1}


@pytest.mark.parametrize(
    ("change", "passes_on"),
    [
        ("update wishlist_v2 set status = 'converted' where id = 1", True),
        ("update clients_v2 set meta = '{\"consent\": \"no\"}' where full_name = 'first waiting'", True),
        ("delete from wishlist_v2 where id = 1", True),
        ("update tenants_v2 set is_active = false where name = 'salon'", False),
    ],
)
def test_an_offer_that_is_not_true_any_more_is_withdrawn(salon: Salon, change: str, passes_on: bool) -> None:
    salon.activate()
    salon.execute(change)
    salon.activate(NOON + timedelta(hours=1))
    assert statuses(salon) == {"first waiting": "withdrawn"} | ({"second waiting": "pending"} if passes_on else {})


def test_an_offer_is_withdrawn_when_the_slot_is_taken(salon: Salon) -> None:
    salon.activate()
    salon.book(
        "fresh", "taken", "2026-03-05 11:00+00", started_at="2026-03-01 09:30+00",
        meta={"services_selected": ["s1"], "staff_id": "m1"},
    )  # fmt: skip
    salon.activate(NOON + timedelta(hours=1))
    assert statuses(salon) == {"first waiting": "withdrawn"}


def test_a_wish_is_met_by_a_booking_of_that_day_made_after_it(salon: Salon) -> None:
    salon.book("first waiting", "earlier", "2026-03-05 15:00+00", started_at="2026-02-20 09:00+00")
    salon.book("second waiting", "later", "2026-03-05 15:00+00", started_at="2026-02-28 09:00+00")
    report = salon.activate()
    assert statuses(salon) == {"first waiting": "pending"}
    assert count_left(report, kind="slot_offer") == {"booked": 1}
