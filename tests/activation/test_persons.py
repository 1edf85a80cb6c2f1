"""One person, one message: whoever is several clients is asked once, and not after booking as another of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.activation.conftest import NEXT_DAY, NOON, Salon
from tests.activation.test_win_back import ASKED, count_left
from tests.support.marts import AS_OF, make_id

PHONE = "+7 916 123-45-67"


def meet_again(salon: Salon, client: str = "regular", name: str = "on whatsapp", **columns: Any) -> None:
    """Give a client a phone, and the salon another client with it."""
    salon.execute("update clients_v2 set phone = %s where id = %s", [PHONE, make_id(client)])
    salon.add_client("salon", name, **{"phone": "8 916 1234567", "whatsapp_id": "w", "full_name": client, **columns})


def rebuild(salon: Salon) -> None:
    salon.build(as_of=AS_OF)
    salon.execute("truncate scoring.client_scores")
    salon.execute(
        "insert into scoring.client_scores select tenant_id, person_id, 0.5, 30, 30, 1, '2026-02-28' "
        "from dashboard.persons where visits_count > 0"
    )


def read_candidates(salon: Salon) -> dict[Any, dict[str, Any]]:
    rows = salon.execute("select * from dashboard.win_back where tenant_id = %s", [make_id("salon")])
    return {row["person_id"]: row for row in rows}


@pytest.mark.parametrize("is_built", [True, False])
def test_who_booked_as_another_client_two_days_ago_is_not_asked_back(salon: Salon, is_built: bool) -> None:
    meet_again(salon)
    salon.book("on whatsapp", "again", "2026-03-08 10:00+00", started_at="2026-02-27 10:00+00")
    if is_built:
        rebuild(salon)
        assert not read_candidates(salon)[make_id("regular")]["is_candidate"]
    report = salon.activate()
    assert {row["client_id"] for row in salon.outbox("win_back").values()} == {
        make_id(name) for name in ASKED - {"regular"}
    }
    assert count_left(report)["booked"] == 2


def test_a_message_that_waits_is_withdrawn_when_she_books_as_another_client(salon: Salon) -> None:
    salon.activate()
    meet_again(salon)
    salon.book("on whatsapp", "again", "2026-03-08 10:00+00", started_at="2026-03-01 10:00+00")
    salon.activate(NEXT_DAY)
    statuses = {row["client_id"]: row["status"] for row in salon.outbox("win_back").values()}
    assert statuses[make_id("regular")] == "withdrawn"
    assert statuses[make_id("once")] == "pending"


def test_a_visit_as_another_client_ends_the_message_about_the_last_one(salon: Salon) -> None:
    salon.activate()
    meet_again(salon)
    salon.book("on whatsapp", "again", "2026-02-20 10:00+00")
    rebuild(salon)
    salon.activate(NEXT_DAY)
    assert {row["client_id"]: row["status"] for row in salon.outbox("win_back").values()}[
        make_id("regular")
    ] == "withdrawn"


@pytest.mark.parametrize("is_built", [True, False])
def test_of_two_clients_who_are_due_and_one_person_one_is_asked(salon: Salon, is_built: bool) -> None:
    meet_again(salon)
    salon.execute("update clients_v2 set phone = %s, full_name = 'Regular too' where full_name = 'once'", [PHONE])
    salon.execute("delete from clients_v2 where id = %s", [make_id("on whatsapp")])
    if is_built:
        rebuild(salon)
        person = read_candidates(salon)[min(make_id("regular"), make_id("once"))]
        assert (person["visits_count"], person["client_id"]) == (3, make_id("regular"))
    report = salon.activate()
    asked = [
        row["client_id"] for row in salon.execute("select client_id from dashboard.outbox where kind = 'win_back'")
    ]
    assert make_id("regular") in asked
    assert make_id("once") not in asked
    assert count_left(report).get("same person", 0) == (0 if is_built else 1)
    rebuild(salon)
    assert not [message for message in salon.activate(NEXT_DAY).outbox.messages if message.kind == "win_back"]


def test_who_was_asked_as_one_client_is_not_asked_again_as_another(salon: Salon) -> None:
    salon.execute("update clients_v2 set telegram_chat_id = null, whatsapp_id = null where full_name = 'once'")
    salon.activate()
    salon.execute("delete from dashboard.outbox where client_id <> %s", [make_id("regular")])
    salon.execute("update dashboard.outbox set status = 'sent', sent_at = created_at - interval '9 days'")
    # The same last visit under a younger client who can be reached, where the old one no longer can.
    meet_again(salon)
    salon.execute("update clients_v2 set telegram_chat_id = null where id = %s", [make_id("regular")])
    rebuild(salon)
    assert read_candidates(salon)[min(make_id("regular"), make_id("on whatsapp"))]["client_id"] == make_id(
        "on whatsapp"
    )
    assert count_left(salon.activate())["queued before"] == 1


def test_a_refusal_as_one_client_is_one_as_every_client(salon: Salon) -> None:
    meet_again(salon, meta={"consent": False})
    report = salon.activate()
    assert count_left(report)["refused"] == 2


def test_memories_of_both_clients_tell_of_the_person(salon: Salon) -> None:
    meet_again(salon)
    salon.book("on whatsapp", "again", "2026-02-20 10:00+00")
    rebuild(salon)
    salon.activate(NOON)
    rows = salon.execute(
        "select last_visit_date::date::text as day, avg_visit_interval, churn_risk_score from user_ltm_v2 "
        "where user_id = any(%s)",
        [[make_id("regular"), make_id("on whatsapp")]],
    )
    assert len(rows) == 2
    assert {tuple(row.values()) for row in rows} == {("2026-02-20", 25, rows[0]["churn_risk_score"])}
