"""Win-back messages: who gets one, who does not and why, each once, and what ends one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from activation.outbox import OutboxPlan, write_outbox
from activation.runs import ActivationReport
from agentp.errors import SetupError
from tests.activation.conftest import NEXT_DAY, NOON, Salon
from tests.support.marts import Workshop, make_id

ASKED = {"regular", "once", "whatsapp", "twin seen last", "stranger"}


def count_left(report: ActivationReport, tenant: str = "salon", kind: str = "win_back") -> dict[str, int]:
    found = [left for left in report.outbox.left_out if (left.tenant_id, left.kind) == (str(make_id(tenant)), kind)]
    return {left.reason: left.count for left in found}


def test_who_is_due_and_can_be_reached_gets_one_message(salon: Salon) -> None:
    report = salon.activate()
    assert set(salon.outbox("win_back")) == ASKED
    queues = {(queue.tenant_id, queue.kind): (queue.queued, queue.held_out) for queue in report.outbox.queues}
    assert queues[str(make_id("salon")), "win_back"] == (4, 0)


def test_of_everyone_else_the_report_says_why(salon: Salon) -> None:
    assert count_left(salon.activate(dry=True)) == {
        "booked": 1, "refused": 1, "no channel": 1, "same chat": 1, "long gone": 1,
    }  # fmt: skip


def test_who_came_once_is_asked_later_than_regulars(salon: Salon) -> None:
    salon.activate(one_visit_risk="0.3")
    assert "once lately" in salon.outbox("win_back")
    assert "fresh" not in salon.outbox()


def test_the_channel_is_that_of_the_last_dialogue_where_it_is_known(salon: Salon) -> None:
    salon.execute("update clients_v2 set telegram_chat_id = null, whatsapp_id = 'w1' where full_name = 'regular'")
    salon.activate()
    messages = salon.outbox("win_back")
    assert messages["whatsapp"]["channel"] == "whatsapp"
    assert messages["regular"]["channel"] == "whatsapp", "talked on Telegram, where no chat is known any more"
    assert messages["once"]["channel"] == "telegram"


def test_a_second_run_adds_nothing(salon: Salon) -> None:
    salon.activate()
    before = salon.outbox()
    for moment in (NOON, NOON + timedelta(hours=5), NOON - timedelta(hours=2)):
        assert salon.activate(moment).outbox.messages == ()
    assert salon.outbox() == before


def test_two_runs_at_the_same_time_queue_each_message_once(salon: Salon) -> None:
    with ThreadPoolExecutor(2) as threads:
        reports = list(threads.map(lambda _: salon.activate(), range(2)))
    assert sorted(len(report.outbox.messages) for report in reports) == [0, 6]
    assert len(salon.execute("select * from dashboard.outbox")) == 6


def test_a_refusal_or_a_booking_since_the_build_counts(salon: Salon) -> None:
    salon.execute("update clients_v2 set meta = '{\"marketing_consent\": \" NO \"}' where full_name = 'regular'")
    salon.book("once", "once 2", "2026-03-08 10:00+00", started_at="2026-03-01 08:00+00")
    salon.execute("update tenants_v2 set is_active = false where id = %s", [make_id("other")])
    report = salon.activate()
    assert set(salon.outbox("win_back")) == ASKED - {"regular", "once", "stranger"}
    assert count_left(report)["refused"] == 2
    assert count_left(report, "other") == {"inactive salon": 1}


@pytest.mark.parametrize(
    ("change", "client"),
    [
        ("update clients_v2 set meta = '{\"consent\": false}' where full_name = 'regular'", "regular"),
        ("update tenants_v2 set is_active = false where name = 'other'", "stranger"),
    ],
)
def test_a_waiting_message_is_withdrawn_when_it_may_not_be_sent(salon: Salon, change: str, client: str) -> None:
    salon.activate()
    salon.execute(change)
    report = salon.activate(NEXT_DAY)
    assert salon.outbox("win_back")[client]["status"] == "withdrawn"
    assert sum(queue.withdrawn for queue in report.outbox.queues if queue.kind == "win_back") == 1


def test_a_waiting_message_is_withdrawn_when_the_client_books(salon: Salon) -> None:
    salon.activate()
    salon.book("regular", "regular 3", "2026-03-08 10:00+00", started_at="2026-03-01 10:00+00")
    salon.activate(NEXT_DAY, dry=True)
    assert salon.outbox()["regular"]["status"] == "pending", "a dry run"
    salon.activate(NEXT_DAY)
    assert salon.outbox()["regular"]["status"] == "withdrawn"
    assert salon.outbox()["once"]["status"] == "pending"


def test_what_the_bot_sent_stays_sent_and_what_it_never_sent_expires(salon: Salon) -> None:
    salon.activate()
    salon.execute(
        "update dashboard.outbox set status = 'sent', sent_at = created_at where client_id = %s", [make_id("regular")]
    )
    salon.execute("update dashboard.outbox set expires_at = %s where kind = 'win_back'", [NEXT_DAY])
    report = salon.activate(NEXT_DAY)
    statuses = {name: row["status"] for name, row in salon.outbox("win_back").items()}
    # Nobody has written to the one chat of both twins, so that the other's turn has come.
    assert statuses == {**dict.fromkeys(ASKED, "expired"), "regular": "sent", "twin seen first": "pending"}
    assert sum(queue.expired for queue in report.outbox.queues if queue.kind == "win_back") == 4
    assert salon.activate(NEXT_DAY).outbox.messages == (), "each message once, sent or not"


def test_what_the_bot_sent_while_the_run_was_at_it_stays_sent(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    salon.activate()
    salon.execute("update clients_v2 set meta = '{\"consent\": false}' where full_name in ('regular', 'once')")

    def send_first(connection: psycopg.Connection[Any], plan: OutboxPlan) -> None:
        salon.execute("update dashboard.outbox set status = 'sent' where client_id = %s", [make_id("regular")])
        write_outbox(connection, plan)

    monkeypatch.setattr("activation.runs.write_outbox", send_first)
    salon.activate()
    statuses = {name: row["status"] for name, row in salon.outbox().items()}
    assert (statuses["regular"], statuses["once"]) == ("sent", "withdrawn")


@pytest.mark.parametrize(
    ("status", "days_ago", "is_asked"),
    [("sent", 6.9, False), ("sent", 7.1, True), ("held_out", 6.9, False), ("failed", 1, True)],
)
def test_nobody_is_written_to_twice_within_a_week(salon: Salon, status: str, days_ago: float, is_asked: bool) -> None:
    salon.activate()
    then = NOON - timedelta(days=days_ago)
    # About the lapse before, which no run would queue any more.
    salon.execute(
        "update dashboard.outbox set message_key = 'win_back:lapse before', status = %s, created_at = %s, "
        "sent_at = %s, expires_at = %s where client_id = %s",
        [status, then, then if status == "sent" else None, then + timedelta(days=1), make_id("once")],
    )
    salon.activate()
    keys = salon.execute("select message_key from dashboard.outbox where client_id = %s", [make_id("once")])
    assert (len(keys) == 2) == is_asked


def test_a_message_about_another_last_visit_gives_way_to_the_one_about_this(salon: Salon) -> None:
    salon.activate()
    salon.execute(
        "update dashboard.outbox set message_key = 'win_back:lapse before' where client_id = %s", [make_id("once")]
    )
    salon.activate()
    rows = salon.execute(
        "select status from dashboard.outbox where client_id = %s order by message_key desc", [make_id("once")]
    )
    assert rows == [{"status": "withdrawn"}, {"status": "pending"}]


def test_who_is_offered_a_slot_is_not_asked_back_as_well(salon: Salon) -> None:
    salon.wish("regular", 3, "2026-03-05", "2026-02-20 10:00+00")
    report = salon.activate()
    assert salon.outbox()["regular"]["kind"] == "slot_offer"
    assert count_left(report)["written to lately"] == 1


def test_of_two_clients_with_one_chat_the_second_waits_as_well(salon: Salon) -> None:
    salon.activate()
    assert count_left(salon.activate(NEXT_DAY))["same chat"] == 1
    assert "twin seen first" not in salon.outbox()


def test_the_same_chat_in_another_salon_is_another_matter(salon: Salon) -> None:
    salon.execute("update tenants_v2 set is_active = false where name = 'other'")
    salon.activate()
    salon.execute("update tenants_v2 set is_active = true")
    salon.activate()
    assert salon.outbox()["stranger"]["status"] == "pending"


def test_a_message_is_about_its_own_salon_alone(salon: Salon) -> None:
    salon.activate()
    for name, row in salon.outbox().items():
        tenant, stranger = ("other", "salon") if name == "stranger" else ("salon", "other")
        assert row["tenant_id"] == make_id(tenant)
        assert f"«{tenant}»" in row["message_text"]
        assert stranger not in row["message_text"].replace(name, "")
    owners = salon.execute(
        "select count(*) as n from dashboard.outbox as outbox join clients_v2 as clients on clients.id = "
        "outbox.client_id where clients.tenant_id <> outbox.tenant_id"
    )
    assert owners == [{"n": 0}]


def test_a_message_goes_out_when_quiet_hours_end_and_expires_a_week_later(salon: Salon) -> None:
    salon.set_settings("salon", quiet_from="21:00", quiet_until="11:00")
    salon.activate(datetime(2026, 3, 1, 19, 30, tzinfo=UTC))
    message = salon.outbox()["regular"]
    assert message["created_at"] == datetime(2026, 3, 1, 19, 30, tzinfo=UTC)
    assert message["send_after"] == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert message["expires_at"] == datetime(2026, 3, 9, 8, tzinfo=UTC)
    # Half past five in the morning in Vladivostok.
    assert salon.outbox()["stranger"]["send_after"] == datetime(2026, 3, 2, 0, tzinfo=UTC)


def test_a_day_as_the_present_ends_where_the_salon_is(salon: Salon) -> None:
    salon.activate(date(2026, 2, 28))
    assert salon.outbox()["regular"]["created_at"] == datetime(2026, 2, 28, 21, tzinfo=UTC)
    assert salon.outbox()["stranger"]["created_at"] == datetime(2026, 2, 28, 14, tzinfo=UTC)


def test_the_payload_tells_why_and_holds_no_phone(salon: Salon) -> None:
    salon.execute("update clients_v2 set phone = '+79161234567' where full_name = 'regular'")
    salon.activate()
    message = salon.outbox()["regular"]
    assert message["payload"] == {
        "kind": "win_back", "segment": "regular", "last_visit_at": "2026-01-15T10:00:00Z", "days_since_last_visit": 44,
        "avg_visit_interval": 14, "churn_risk_score": 0.9, "churn_probability": 0.5, "staff_id": None,
    }  # fmt: skip
    assert "9161234567" not in str(message)


def test_hostile_names_reach_the_queue_as_one_short_line(salon: Salon) -> None:
    name = "Ма\u202eрия'; drop table clients;--\n\t\"\\" + "я" * 10_000
    salon.execute("update dashboard.persons set client_name = %s where client_name = 'regular'", [name])
    salon.activate()
    text = salon.outbox()["regular"]["message_text"]
    assert text.startswith("Здравствуйте, Мария'; drop table clients;-- \"ящ"[:40])
    assert "\n" not in text
    assert "\u202e" not in text
    assert len(text) < 250


def test_marts_of_another_time_write_to_nobody(salon: Salon) -> None:
    with pytest.raises(SetupError, match=r"as of 2026-02-28, 30 days before.*agentp run"):
        salon.activate(NOON + timedelta(days=30))
    with pytest.raises(SetupError, match="after the moment"):
        salon.activate(NOON - timedelta(days=5))


def test_before_a_build_or_a_score_it_says_what_to_do(salon: Salon, raw_workshop: Workshop) -> None:
    salon.execute("truncate scoring.client_scores")
    with pytest.raises(SetupError, match="agentp score"):
        salon.activate(dry=True)
    with pytest.raises(SetupError, match="agentp run"):
        Salon(url=raw_workshop.url, settings=salon.settings).activate(dry=True)
