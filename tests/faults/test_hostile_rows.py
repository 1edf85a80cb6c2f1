"""Rows that bots, imports and people write one day: none of them breaks a build or vanishes."""

from __future__ import annotations

from pathlib import Path

from agentp.pipeline import check_marts, score
from reports.audiences import Audience
from reports.site import write_site
from tests.support.marts import Workshop, make_id

MANY_SESSIONS = """
insert into conversation_sessions_v2
    (session_id, tenant_id, user_id, channel, started_at, ended_at, final_status)
select md5(n::text)::uuid, %(tenant)s, %(client)s, 'telegram',
    timestamptz '2026-01-05 00:00+00' + n * interval '1 minute',
    timestamptz '2026-01-05 00:00+00' + (n + 30) * interval '1 minute', 'abandoned'
from generate_series(1, 8000) as n
"""
MANY_MESSAGES = """
insert into recent_history_v2 (id, tenant_id, user_id, role, channel, message, created_at)
select n, %(tenant)s, %(client)s, 'user', 'telegram', 'hi',
    timestamptz '2026-01-05 00:00+00' + n * interval '13 seconds'
from generate_series(1, 36000) as n
"""
EXTREMES = (
    "-infinity", "4714-11-24 00:00+00 BC", "0001-01-01 00:00+00", "1970-01-01 00:00+00", "9999-12-31 23:59+00",
    "20261-03-05 10:00+00", "294276-12-31 23:59:59+00", "infinity",
)  # fmt: skip
DEEP = "[" * 5000 + "]" * 5000


def add_extreme_times(workshop: Workshop, tenant: str, timezone: str) -> None:
    """A salon with a session, a booking and messages at each of the moments that Postgres knows and others do not."""
    workshop.add_tenant(tenant, timezone=timezone)
    for number, moment in enumerate(EXTREMES):
        client = workshop.add_client(tenant, f"{tenant} {number}")
        session = workshop.add_session(
            f"{tenant} {number}", moment, "infinity" if number % 2 else "-infinity", tenant=tenant,
            client=f"{tenant} {number}", booking_id=str(number), booking_status="confirmed", booking_datetime=moment,
        )  # fmt: skip
        workshop.insert("recent_history_v2", [
            {
                "id": client.int % 10**12 + place, "tenant_id": make_id(tenant), "user_id": client, "role": role,
                "session_id": session if place < 2 else None, "channel": "telegram", "message": "hi",
                "created_at": moment,
            }
            for place, role in enumerate(("user", "assistant", "user"))
        ])  # fmt: skip


def test_extreme_times_are_published_and_make_no_endless_calendar(workshop: Workshop) -> None:
    add_extreme_times(workshop, "salon", "Europe/Moscow")
    for _ in range(2):
        workshop.build()
    assert len(workshop.sessions_of_messages()) == 3 * len(EXTREMES)
    assert len(workshop.execute("select 1 from dashboard.sessions where not is_inferred")) == len(EXTREMES)
    assert workshop.execute("select count(*) as days from intermediate.int_tenant_days")[0]["days"] < 100
    past = workshop.execute(
        "select day::text, dialogs_started from dashboard.metrics_dailies where dialogs_started > 0"
    )
    assert sorted(row["day"] for row in past) == ["-infinity", "0001-01-01", "1970-01-01", "4714-11-24 BC"]


def test_extreme_times_stop_neither_data_tests_nor_scores_nor_reports(workshop: Workshop, tmp_path: Path) -> None:
    for timezone in ("America/New_York", "Asia/Vladivostok"):
        add_extreme_times(workshop, timezone, timezone)
    workshop.build()
    assert check_marts(workshop.settings, workshop.url, as_of="2026-02-28") > 40
    assert {report.kind for report in score(workshop.url)} == {"churn", "booking"}
    for audience in Audience:
        site = write_site(workshop.url, tmp_path / audience, audience=audience, processes=1)
        assert (site.salons, site.rendered) == (2, 2)


def test_a_message_of_many_megabytes_is_cut_and_any_other_text_kept_to_the_letter(workshop: Workshop) -> None:
    workshop.add_tenant()
    workshop.add_client()
    texts = ["x" * 20_000_000, "", "\\N", "'; drop table clients_v2; --", "🦄 \u202e \x01 \n\t", "{{ 7 * 7 }}"]
    for number, text in enumerate(texts):
        workshop.add_message(number, f"2026-02-01 10:0{number}+00", message=text)
    workshop.build()
    rows = workshop.execute("select message_text from dashboard.dialogs order by message_id")
    assert [row["message_text"] for row in rows] == [text[:1_000_000] for text in texts]


def test_metadata_of_any_shape_is_no_obstacle(workshop: Workshop) -> None:
    shapes = [
        "null", "[]", "3", '"text"', '{"settings": null}', '{"settings": []}', '{"settings": {"timezone": {}}}',
        '{"settings": {"timezone": ""}}', '{"settings": {"timezone": "UTC; drop table x"}}',
        '{"settings": {"timezone": "UTC", "timezone": "Europe/Berlin"}}', DEEP, '{"a": "' + "y" * 1_000_000 + '"}',
    ]  # fmt: skip
    for number, shape in enumerate(shapes):
        tenant = f"salon {number}"
        workshop.add_tenant(tenant)
        workshop.execute("update tenants_v2 set metadata = %s where id = %s", (shape, make_id(tenant)))
        workshop.add_client(tenant, f"client {number}")
        workshop.add_session(
            f"s{number}", "2026-02-01 21:30+00", "2026-02-01 21:40+00", tenant=tenant, client=f"client {number}"
        )
        workshop.execute(
            "update conversation_sessions_v2 set meta = %s where session_id = %s", (shape, make_id(f"s{number}"))
        )
    workshop.build()
    days = workshop.execute(
        "select started_day::text as day, count(*) as n from dashboard.sessions group by 1 order by 1"
    )
    assert days == [{"day": "2026-02-01", "n": 1}, {"day": "2026-02-02", "n": len(shapes) - 1}]
    stages = workshop.execute("select distinct drop_off_stage, drop_off_stage_source from dashboard.sessions")
    assert stages == [{"drop_off_stage": "service_selection", "drop_off_stage_source": "inferred"}]


def test_amounts_keep_every_digit_and_strange_numbers_break_nothing(workshop: Workshop) -> None:
    workshop.add_tenant()
    workshop.add_client()
    for number, amount in enumerate(["0.1", "0.2", "12345678901234567890.123456789", "-5", "NaN", "Infinity"]):
        booking = {"booking_id": str(number), "booking_amount": amount}
        booking["booking_currency"] = "RUB" if number < 3 else f"C{number}"
        workshop.add_session(f"s{number}", "2026-02-01 10:00+00", None, **booking)
    workshop.build()
    rows = workshop.execute("select currency, booked_amount::text as amount from dashboard.revenue_daily order by 1")
    assert [(row["currency"], row["amount"]) for row in rows] == [
        ("C3", "-5"), ("C4", "NaN"), ("C5", "Infinity"), ("RUB", "12345678901234567890.423456789"),
    ]  # fmt: skip


def test_one_client_with_very_many_overlapping_sessions_and_messages_is_built(workshop: Workshop) -> None:
    workshop.add_tenant()
    workshop.add_client()
    workshop.execute(MANY_SESSIONS, {"tenant": make_id("salon"), "client": make_id("client")})
    workshop.execute(MANY_MESSAGES, {"tenant": make_id("salon"), "client": make_id("client")})
    workshop.gather_statistics()
    workshop.build()
    counts = workshop.execute("select session_source, count(*) as n from dashboard.dialogs group by 1 order by 1")
    assert counts == [{"session_source": "inferred", "n": 4}, {"session_source": "matched", "n": 35996}]
