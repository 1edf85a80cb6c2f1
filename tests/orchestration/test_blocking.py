"""What a failure stops: all that is downstream of it when it is critical, and only that; nothing when a warning."""

from __future__ import annotations

from tests.support.jobs import run_job
from tests.support.marts import Workshop, make_id


def test_a_table_that_cannot_be_built_from_stops_what_reads_it_and_only_that_until_it_is_mended(
    built_salons: Workshop,
) -> None:
    built_salons.execute("alter table wishlist_v2 rename column item_id to thing_id")
    built_salons.execute("update conversation_sessions_v2 set booking_amount = 1700 where booking_id = 'far-9'")
    built_salons.execute("update conversation_sessions_v2 set booking_status = 'cancelled' where booking_id = 'far-10'")
    built_salons.execute("update recent_history_v2 set role = 'robot' where id = 118")
    run = run_job(built_salons)
    assert not run.success
    built = run.find_materializations()
    assert built.keys() >= {
        "dashboard.sessions",
        "dashboard.metrics_dailies",
        "dashboard.visits",
        "scoring.client_scores",
    }
    assert built.keys().isdisjoint({
        "staging.stg_agent_p__wishes", "dashboard.waitlist", "dashboard.slot_offers", "dashboard.risky_slots",
        "dashboard.freed_slots", "dashboard.row_accounts",
    })  # fmt: skip
    [session] = built_salons.execute("select booking_amount from dashboard.sessions where booking_id = 'far-9'")
    assert session["booking_amount"] == 1700
    [history] = built_salons.execute("select outcome, error from quality.job_runs order by started_at desc limit 1")
    assert (history["outcome"], history["error"]) == (
        "failed", "checks failed: agent_p.wishlist_v2 can_be_built_from",
    )  # fmt: skip
    # Rows of other tables are judged meanwhile.
    [check] = built_salons.execute(
        "select has_passed from quality.latest_checks where check_name = 'messages__role_known'"
    )
    assert check == {"has_passed": False}

    # What was stopped is made up for by the next build.
    built_salons.execute("alter table wishlist_v2 rename column thing_id to item_id")
    assert run_job(built_salons, assets=["quality.rules"]).success
    built_salons.build()
    made_up = built_salons.read_marts()
    cancelled = [visit["booking_id"] for visit in made_up["dashboard.visits"] if visit["outcome"] == "cancelled"]
    assert cancelled == ["far-10"]
    built_salons.build(full_refresh=True)
    assert built_salons.read_marts() == made_up


def test_a_missing_column_that_all_hangs_on_stops_every_mart_and_no_more(built_salons: Workshop) -> None:
    before = built_salons.read_marts()
    built_salons.execute("alter table conversation_sessions_v2 rename column started_at to begun_at")
    run = run_job(built_salons)
    assert not run.success
    assert built_salons.read_marts() == before
    assert "scores" not in run.find_steps("STEP_START")
    assert "staging.stg_quality__rules" in run.find_materializations()


def test_a_critical_data_test_stops_what_is_downstream_of_its_mart_and_only_that(built_salons: Workshop) -> None:
    built_salons.execute("update dashboard.visits set outcome = 'lost' where booking_id = 'far-9'")
    above, below = ("dialogs", "sessions"), ("clients", "win_back", "metrics_dailies", "funnel_daily")
    run = run_job(built_salons, assets=["scoring.client_scores", *(f"+dashboard.{name}" for name in (*above, *below))])
    assert not run.success
    failed = built_salons.execute(
        "select asset, check_name from quality.check_results where run_id = %s and is_blocking and not has_passed",
        [run.run_id],
    )
    assert {row["asset"] for row in failed} == {"dashboard.visits"}
    built = run.find_materializations()
    # Of visits clients are made, then scores, and what shows scores; and days, by which money is told.
    assert built.keys() >= {"dashboard.dialogs", "dashboard.sessions", "dashboard.visits"}
    assert built.keys().isdisjoint({"scoring.client_scores", *(f"dashboard.{name}" for name in below)})
    assert "scores" not in run.find_steps("STEP_START")


def test_a_critical_data_test_of_days_stops_nothing_that_days_are_made_of(built_salons: Workshop) -> None:
    # A day that nobody computed: whole builds would take it out, what changed does not touch it.
    built_salons.execute(
        "delete from dashboard.metrics_dailies where tenant_id = %s and day = '2026-02-11'", [make_id("salon")]
    )
    run = run_job(built_salons, assets=["+dashboard.metrics_dailies", "+dashboard.funnel_daily", "+dashboard.kpis"])
    assert not run.success
    failed = built_salons.execute(
        "select asset, check_name from quality.check_results where run_id = %s and is_blocking and not has_passed",
        [run.run_id],
    )
    assert {row["asset"] for row in failed} == {"dashboard.metrics_dailies"}
    built = run.find_materializations()
    # Of daily metrics nothing is made.
    assert built.keys() >= {
        "dashboard.funnel_daily", "dashboard.metrics_dailies", "dashboard.dialogs", "dashboard.visits",
    }  # fmt: skip
    assert "dashboard.kpis" not in built


def test_a_rule_that_rows_break_is_shown_and_stops_nothing_be_it_critical_or_a_warning(built_salons: Workshop) -> None:
    built_salons.execute("update recent_history_v2 set session_id = null where id = 18")
    built_salons.execute("update recent_history_v2 set role = 'robot' where id = 19")
    built_salons.execute("alter table wishlist_v2 add column mood text")
    run = run_job(built_salons, assets=["quality.rules", "+dashboard.dialogs", "+dashboard.waitlist"])
    assert run.success
    found = run.find_failed_checks()
    assert found["messages__role_known"].severity.value == "ERROR"
    assert found["messages__role_known"].metadata["examples"].value == ["19"]
    [check] = built_salons.execute(
        "select severity, has_passed from quality.check_results where check_name = 'wishes__no_new_columns' "
        "and run_id = %s",
        [run.run_id],
    )
    assert check == {"severity": "warning", "has_passed": False}
    assert run.find_materializations().keys() >= {"dashboard.dialogs", "dashboard.waitlist"}


def test_a_deployment_may_let_a_rule_stop_what_reads_its_table(built_salons: Workshop) -> None:
    wish = {"tenant_id": make_id("far"), "user_id": make_id("far client"), "item_type": "service", "item_id": ""}
    built_salons.insert("wishlist_v2", [wish])
    built_salons.settings = built_salons.settings.model_copy(update={"blocking_rules": "wishes.item_present"})
    run = run_job(built_salons, assets=["quality.rules", "dashboard.waitlist", "dashboard.metrics_dailies"])
    assert not run.success
    assert "dashboard.waitlist" not in run.find_materializations()
    assert "dashboard.metrics_dailies" in run.find_materializations()
