"""What `agentp score` reads and keeps (REQUIREMENTS C11; seed 02, feature 1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from psycopg.conninfo import conninfo_to_dict

from activation.ledger import find_salon_moments, find_scoring_moment, read_ledger
from activation.scores import ScoreReport, score
from agentp.database import open_connection
from agentp.errors import AgentpError
from agentp.settings import Settings
from tests.support.marts import Workshop

AS_OF = "2026-03-01"
SEEDS_TABLE = {
    "id": ("bigint", "nextval('dashboard.predictions_id_seq'::regclass)"),
    "tenant_id": ("uuid", None),
    "booking_id": ("text", None),
    "risk_score": ("numeric", None),
    "risk_factors": ("jsonb", None),
    "predicted_at": ("timestamp without time zone", "now()"),
}

# Two salons of sixty clients, each with a cycle of two to six weeks, most gone at some time; the longer ahead a booking
# is made, the likelier it is cancelled; a third of the clients have one ahead.
FILL = """
select setseed(0.25);
create temporary table people as
select number, md5('salon' || number %% 2)::uuid as tenant_id, md5('person' || number)::uuid as client_id,
    14 + number %% 29 as cycle, 3 + (random() * 12)::integer as bookings
from generate_series(1, 120) as number;
insert into tenants_v2 (id, name, metadata, created_at)
select md5('salon' || number)::uuid, 'salon ' || number,
    jsonb_build_object('settings', jsonb_build_object(
        'timezone', case number when 0 then 'Europe/Moscow' else 'Asia/Vladivostok' end
    )), '2025-01-01'
from generate_series(0, 1) as number;
insert into clients_v2 (id, tenant_id, telegram_chat_id, full_name)
select client_id, tenant_id, number, 'person ' || number from people;
insert into conversation_sessions_v2 (
    session_id, tenant_id, user_id, channel, started_at, ended_at, final_status, final_intent,
    booking_id, booking_status, booking_datetime, booking_amount, booking_currency, meta
)
select md5('dialogue' || number || '/' || nth)::uuid, tenant_id, client_id, 'telegram',
    visit_at - lead * interval '1 day', visit_at - lead * interval '1 day', 'done', 'booking', number || '/' || nth,
    case when random() < 0.04 + lead / 60.0 then 'cancelled' else 'confirmed' end, visit_at, 1000, 'RUB', '{}'::jsonb
from people
cross join lateral generate_series(0, bookings) as nth
cross join lateral (
    select timestamptz '2025-06-01 10:00+00' + (number %% 13 + nth * cycle * (0.8 + 0.4 * random())) * interval '1 day'
        as visit_at, (random() * 20)::integer as lead
) as drawn
where visit_at < '2026-03-01'
union all
select md5('ahead' || number)::uuid, tenant_id, client_id, 'telegram', '2026-02-20', '2026-02-20', 'done', 'booking',
    'ahead ' || number, 'confirmed', timestamptz '2026-03-05 10:00+00' + number * interval '1 hour', 1000, 'RUB', '{}'
from people where number %% 3 = 0
"""


@pytest.fixture(scope="module")
def _chain(make_database: Callable[[str | None], str], built_template: str, home: Path) -> str:
    """The name of a database with the two salons, built once for the module."""
    url = make_database(built_template)
    chain = Workshop(url=url, settings=Settings(home=home, database_url=url))
    with open_connection(url) as connection:
        for statement in FILL.split(";\n"):
            connection.execute(statement, {})
        connection.commit()
    chain.build(as_of=AS_OF)
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def chain(open_database: Callable[[str | None], str], _chain: str, home: Path) -> Workshop:
    """A copy of it."""
    url = open_database(_chain)
    return Workshop(url=url, settings=Settings(home=home, database_url=url))


def read_scores(chain: Workshop) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return (
        chain.execute("select * from dashboard.predictions order by tenant_id, booking_id"),
        chain.execute("select * from scoring.client_scores order by tenant_id, client_id"),
    )


def by_kind(reports: tuple[ScoreReport, ...]) -> dict[str, ScoreReport]:
    return {report.kind: report for report in reports}


def test_predictions_are_the_seeds_table(chain: Workshop) -> None:
    columns = chain.execute(
        "select column_name, data_type, column_default, is_nullable from information_schema.columns "
        "where table_schema = 'dashboard' and table_name = 'predictions'"
    )
    assert {row["column_name"]: (row["data_type"], row["column_default"]) for row in columns} == SEEDS_TABLE
    required = {row["column_name"] for row in columns if row["is_nullable"] == "NO"}
    assert required == {"id", "tenant_id", "booking_id", "risk_score"}
    keys = chain.execute(
        "select pg_get_constraintdef(oid) as key from pg_constraint where conrelid = 'dashboard.predictions'::regclass "
        "and contype in ('p', 'u')"
    )
    assert {row["key"] for row in keys} == {"PRIMARY KEY (id)", "UNIQUE (tenant_id, booking_id)"}


def test_every_booking_ahead_and_every_visitor_is_scored(chain: Workshop) -> None:
    reports = by_kind(score(chain.url))
    predictions, clients = read_scores(chain)
    ahead = chain.execute(
        "select tenant_id, booking_id from dashboard.visits where outcome = 'upcoming' order by tenant_id, booking_id"
    )
    assert [(row["tenant_id"], row["booking_id"]) for row in predictions] == [tuple(row.values()) for row in ahead]
    assert len(predictions) == reports["booking"].rows == 40
    assert all(0 <= row["risk_score"] <= 1 for row in predictions)
    assert all(
        set(row["risk_factors"]) == {"days_since_last_visit", "cancel_rate", "lead_time_days", "is_new_client"}
        for row in predictions
    )
    visitors = chain.execute("select count(*) from dashboard.clients where visits_count > 0")[0]["count"]
    assert len(clients) == reports["churn"].rows == visitors
    assert all(0 <= row["churn_probability"] <= 1 and row["cycle_days"] > 0 for row in clients)
    # Of the day the marts were built for, where each salon lives.
    ends = {"Europe/Moscow": datetime(2026, 3, 1, 21, 0), "Asia/Vladivostok": datetime(2026, 3, 1, 14, 0)}  # noqa: DTZ001
    zones = {row["tenant_id"]: row["timezone"] for row in chain.execute("select * from dashboard.tenant_settings")}
    assert {(row["tenant_id"], row["predicted_at"]) for row in predictions} == {
        (tenant_id, ends[zone]) for tenant_id, zone in zones.items()
    }
    assert {(row["tenant_id"], row["scored_at"].replace(tzinfo=None)) for row in clients} == {
        (tenant_id, ends[zone]) for tenant_id, zone in zones.items()
    }


def test_factors_are_what_the_marts_knew_three_days_before(chain: Workshop) -> None:
    # The last three days' outcomes are not settled yet (METRICS, "Cancel / no-show risk"), visits are.
    score(chain.url)
    rows = chain.execute(
        """
        select predictions.risk_factors, visits.lead_time_days, clients.visits_count,
            floor(extract(epoch from predicted_at at time zone 'UTC' - last_visit_at) / 86400) as days,
            earlier.missed, earlier.settled
        from dashboard.predictions
        join dashboard.visits using (tenant_id, booking_id)
        join dashboard.clients using (tenant_id, client_id)
        cross join lateral (
            select count(*) as settled, count(*) filter (where outcome <> 'arrived') as missed
            from dashboard.visits as earlier
            where earlier.tenant_id = visits.tenant_id and earlier.client_id = visits.client_id
            and earlier.visit_at <= predicted_at at time zone 'UTC' - interval '3 days'
        ) as earlier
        """
    )
    assert len(rows) == 40
    for row in rows:
        factors = row["risk_factors"]
        assert factors["lead_time_days"] == row["lead_time_days"]
        assert factors["is_new_client"] == (row["visits_count"] == 0)
        assert factors["days_since_last_visit"] == (row["days"] if row["visits_count"] else None)
        assert factors["cancel_rate"] == (round(row["missed"] / row["settled"], 4) if row["settled"] else None)


def test_a_salon_is_scored_for_the_end_of_its_own_day_whoever_else_is_in_the_chain(chain: Workshop) -> None:
    """The other salon's day ends seven hours earlier; of an instant, both are scored for it."""
    score(chain.url)
    moscow = "tenant_id = (select tenant_id from dashboard.tenant_settings where timezone = 'Europe/Moscow')"
    beside = chain.execute(f"select * from dashboard.predictions where {moscow} order by booking_id")
    days = "select client_id, days_since_last_visit as days from dashboard.win_back"
    shown = {row["client_id"]: row["days"] for row in chain.execute(f"{days} where {moscow}")}
    owners = chain.execute(f"select booking_id, client_id from dashboard.visits where {moscow}")
    client_of = {row["booking_id"]: row["client_id"] for row in owners}
    told = {row["booking_id"]: row["risk_factors"]["days_since_last_visit"] for row in beside}
    assert told == {booking: shown.get(client_of[booking]) for booking in told}
    assert any(told.values())
    chain.build(as_of="2026-03-01T21:00:00+00:00")
    score(chain.url)
    predicted = chain.execute("select distinct predicted_at from dashboard.predictions")
    assert [row["predicted_at"] for row in predicted] == [datetime(2026, 3, 1, 21, 0)]  # noqa: DTZ001
    alone = chain.execute(f"select * from dashboard.predictions where {moscow} order by booking_id")
    assert [row["risk_factors"] for row in alone] == [row["risk_factors"] for row in beside]


def test_a_second_run_scores_the_same_and_adds_nothing(chain: Workshop) -> None:
    score(chain.url)
    first = read_scores(chain)
    score(chain.url)
    second = read_scores(chain)
    assert len(second[0]) == len(first[0])
    assert [row["id"] for row in second[0]] == [row["id"] for row in first[0]]
    for before, after in zip(first[1], second[1], strict=True):
        assert abs(before["churn_probability"] - after["churn_probability"]) < 0.02


def test_every_run_keeps_its_models_with_window_and_quality(chain: Workshop) -> None:
    score(chain.url)
    runs = chain.execute("select * from scoring.model_runs order by run_id")
    assert [run["kind"] for run in runs] == ["churn", "booking"]
    for run in runs:
        assert run["reason"].endswith(".")
        assert run["rows_scored"] > 0
        if run["is_replaced"]:
            assert run["trained_from"] < run["trained_until"] <= run["as_of"] == datetime(2026, 3, 1, 14, tzinfo=UTC)
            assert run["training_rows"] > 0
        if run["quality"] is not None:
            assert {"n", "brier", "auc", "ece", "base_brier"} <= set(run["quality"])


def test_models_remember_salons_by_their_ids(chain: Workshop) -> None:
    score(chain.url)
    (model,) = chain.execute("select model from scoring.model_runs where kind = 'churn'")
    salons = {str(row["id"]) for row in chain.execute("select id from tenants_v2")}
    assert all(salon in str(model) for salon in salons)


def test_a_new_installation_predicts_by_the_prior_and_says_so(workshop: Workshop) -> None:
    workshop.add_tenant()
    workshop.add_client()
    workshop.add_session(
        "books", "2026-02-20 10:00+00", "2026-02-20 10:05+00", booking_id="1", booking_status="confirmed",
        booking_datetime="2026-03-05 10:00+00",
    )  # fmt: skip
    workshop.build()
    reports = by_kind(score(workshop.url))
    assert not reports["churn"].is_replaced
    assert not reports["booking"].is_replaced
    assert "too few" in reports["booking"].reason
    (prediction,) = read_scores(workshop)[0]
    assert 0.02 < prediction["risk_score"] < 0.6
    assert prediction["risk_factors"]["is_new_client"] is True
    workshop.execute("delete from dashboard.visits")
    assert [report.rows for report in score(workshop.url)] == [0, 0]


def test_nothing_is_scored_before_a_build(raw_workshop: Workshop) -> None:
    with pytest.raises(AgentpError, match="Nothing has been built"):
        score(raw_workshop.url)


def test_a_forgotten_booking_takes_its_prediction_along(chain: Workshop) -> None:
    score(chain.url)
    chain.execute("delete from dashboard.visits where booking_id = 'ahead 3'")
    score(chain.url)
    assert "ahead 3" not in {row["booking_id"] for row in read_scores(chain)[0]}
    assert chain.execute("select * from scoring.booking_scores where booking_id = 'ahead 3'") == []


def test_a_booking_whose_time_came_keeps_what_was_predicted(chain: Workshop) -> None:
    score(chain.url)
    chain.execute("update dashboard.visits set outcome = 'arrived', is_visit = true where booking_id = 'ahead 3'")
    score(chain.url, as_of="2026-03-06")
    predictions = {row["booking_id"]: row for row in read_scores(chain)[0]}
    assert predictions["ahead 3"]["predicted_at"] == datetime(2026, 3, 1, 14, 0)  # noqa: DTZ001
    assert predictions["ahead 120"]["predicted_at"] == datetime(2026, 3, 6, 21, 0)  # noqa: DTZ001


def test_the_ledger_is_the_mart(chain: Workshop) -> None:
    with open_connection(chain.url) as connection:
        ledger = read_ledger(connection)
    rows = chain.execute("select * from dashboard.visits order by tenant_id, client_id, visit_at, booking_id")
    assert len(ledger.bookings) == len(rows)
    booked = ledger.bookings["booked_at"].dt.tz_localize("UTC")
    assert [moment.to_pydatetime() for moment in booked] == [row["booked_at"] for row in rows]
    assert list(ledger.bookings["tenant_id"]) == [str(row["tenant_id"]) for row in rows]
    clients = [bytes(ledger.client_ids[code]) for code in ledger.bookings["client_id"]]
    assert clients == [row["client_id"].bytes for row in rows]
    assert len(ledger.visits) == sum(row["is_visit"] for row in rows)
    assert set(ledger.upcoming_ids.values()) == {row["booking_id"] for row in rows if row["outcome"] == "upcoming"}
    assert np.isfinite(ledger.bookings["amount"]).all()


def test_a_day_is_over_where_it_ends_first(chain: Workshop) -> None:
    day, instant = "2026-03-01", "2026-03-01T10:00:00+03:00"
    with open_connection(chain.url) as connection:
        of_day, of_instant = find_salon_moments(connection, day), find_salon_moments(connection, instant)
    assert find_scoring_moment(of_day, day) == datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
    assert find_scoring_moment(of_instant, instant) == datetime(2026, 3, 1, 7, 0, tzinfo=UTC)


def test_risky_slots_and_matches_follow_a_score_at_once(chain: Workshop) -> None:
    score(chain.url)
    (slot,) = chain.execute("select * from dashboard.risky_slots where booking_id = 'ahead 3'")
    assert slot["client_name"] == "person 3"
    chain.execute("update conversation_sessions_v2 set booking_status = 'cancelled' where booking_id = 'ahead 3'")
    assert chain.execute("select 1 from dashboard.risky_slots where booking_id = 'ahead 3'") == []


def test_a_wish_is_matched_the_moment_it_is_written(chain: Workshop) -> None:
    score(chain.url)
    (slot,) = chain.execute(
        "update dashboard.visits set service_id = 's1' where booking_id = 'ahead 3' returning tenant_id, visit_day"
    )
    (waiting,) = chain.execute(
        "select id from clients_v2 where tenant_id = %s and full_name <> 'person 3' order by id limit 1",
        [slot["tenant_id"]],
    )
    wish = {
        "id": 1, "tenant_id": slot["tenant_id"], "user_id": waiting["id"], "item_type": "slot_waiting",
        "item_id": "service_s1", "meta": {"date": slot["visit_day"].isoformat()}, "created_at": "2026-02-28",
    }  # fmt: skip
    chain.insert("wishlist_v2", [wish])
    (match,) = chain.execute("select * from dashboard.waitlist_matches")
    assert (match["wish_id"], match["booking_id"], match["place"]) == (1, "ahead 3", 1)
    chain.execute("update wishlist_v2 set status = 'cancelled', processed_at = '2026-03-01'")
    assert chain.execute("select * from dashboard.waitlist_matches") == []
    assert chain.execute("select * from dashboard.waitlist") == []
