"""The daily run, in process, on the embedded server: what it builds, tells and leaves behind."""

from __future__ import annotations

import pytest

from orchestration.tags import HOURLY
from tests.support.jobs import JobRun, run_job
from tests.support.marts import Workshop

STEPS = ["data_standard", "marts", "reports__site", "scores", "views_of_messages", "views_of_scores"]


def test_a_daily_run_builds_what_the_commands_build(built_salons: Workshop, first_run: JobRun) -> None:
    assert first_run.success
    built = built_salons.read_marts()
    changes = built_salons.build(full_refresh=True)
    assert {mart: change.updated for mart, change in changes.items() if change.updated} == {}
    assert built_salons.read_marts() == built
    assert len(built["dashboard.metrics_dailies"]) == 3 * 59


def test_materializations_carry_row_counts_and_changes(built_salons: Workshop, first_run: JobRun) -> None:
    first = first_run.find_materializations()
    assert first["dashboard.sessions"]["dagster/row_count"].value == 6
    assert first["dashboard.sessions"]["rows_inserted"].value == 6
    built_salons.execute("update conversation_sessions_v2 set booking_amount = 1700 where booking_id = 'far-9'")
    built_salons.execute("delete from recent_history_v2 where id in (120, 121)")
    built_salons.execute("delete from conversation_sessions_v2 where booking_id = 'far-10'")
    found = run_job(built_salons, assets=["+dashboard.sessions", "dashboard.waitlist"]).find_materializations()
    second = found["dashboard.sessions"]
    assert (second["rows_updated"].value, second["rows_deleted"].value, second["rows_inserted"].value) == (1, 1, 0)
    assert found["dashboard.waitlist"]["dagster/row_count"].value == 0


def test_a_run_its_steps_and_its_checks_stand_in_quality(built_salons: Workshop, first_run: JobRun) -> None:
    [history] = built_salons.execute("select * from quality.run_history")
    assert (history["run_id"], history["job"], history["outcome"]) == (first_run.run_id, "daily", "succeeded")
    assert history["duration_seconds"] > 0
    steps = built_salons.execute("select step, outcome, attempt from quality.job_steps order by step")
    assert steps == [{"step": step, "outcome": "succeeded", "attempt": 1} for step in STEPS]
    checks = built_salons.execute("select asset, check_name, has_passed from quality.check_results")
    assert {check["asset"].split(".")[0] for check in checks} == {"agent_p", "dashboard", "staging"}
    evaluated = [event for event in first_run.events if event.event_type_value == "ASSET_CHECK_EVALUATION"]
    assert len(checks) == len(evaluated) > 150


def test_raw_tables_are_observed_with_their_rows_and_last_arrival(first_run: JobRun) -> None:
    observed = {
        event.asset_key.path[-1]: event.asset_observation_data.asset_observation.metadata
        for event in first_run.events
        if event.event_type_value == "ASSET_OBSERVATION" and event.asset_key
    }
    assert observed["recent_history_v2"]["dagster/row_count"].value == 12
    assert observed["recent_history_v2"]["dagster/last_updated_timestamp"].value == pytest.approx(1_770_724_860)
    assert len(observed) == 7


def test_the_hourly_run_scores_bookings_ahead_leaves_churn_alone_and_ends_days_where_the_salon_lives(
    early_salons: Workshop,
) -> None:
    # 01:00 of the 28th in Moscow is 08:00 in Vladivostok, and 17:00 of the 27th in New York.
    early_salons.build(as_of="2026-02-27T22:00:00+00:00")
    final = early_salons.execute(
        "select tenants.name, max(day) filter (where is_final)::text as last_final, max(day)::text as last_day "
        "from dashboard.metrics_dailies join tenants_v2 as tenants on tenants.id = tenant_id group by 1"
    )
    assert {row["name"]: (row["last_final"], row["last_day"]) for row in final} == {
        "salon": ("2026-02-27", "2026-02-28"),
        "far": ("2026-02-27", "2026-02-28"),
        "west": ("2026-02-26", "2026-02-27"),
    }
    early_salons.execute(
        "insert into scoring.client_scores select tenant_id, client_id, 0.123, 30, 30, 1, '2026-02-27' "
        "from dashboard.clients"
    )
    early_salons.execute(
        "update conversation_sessions_v2 set booking_datetime = '2026-03-05 12:00+00' where booking_id = 'far-10'"
    )
    assert run_job(early_salons, HOURLY, tags={"agentp/as_of": "2026-02-28T05:30:00+00:00"}).success
    [prediction] = early_salons.execute("select booking_id from dashboard.predictions")
    assert prediction["booking_id"] == "far-10"
    scores = early_salons.execute("select distinct churn_probability from scoring.client_scores")
    assert [score["churn_probability"] for score in scores] == [0.123]
    west = early_salons.execute(
        "select is_final from dashboard.metrics_dailies join tenants_v2 as tenants on tenants.id = tenant_id "
        "where tenants.name = 'west' and day = '2026-02-27'"
    )
    assert west == [{"is_final": True}]
