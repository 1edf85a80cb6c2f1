"""What counts as a problem, what does not, and how the ledger keeps them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from agentp.database import open_connection
from expectations.schema import prepare_store
from orchestration.problems import Changes, Problem, find_problems, sync_problems
from orchestration.schema import prepare_history
from tests.support.marts import Workshop, make_id

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def history(workshop: Workshop) -> Workshop:
    """A database with raw tables and the tables of schema `quality`, without any run."""
    with open_connection(workshop.url) as connection:
        prepare_store(connection)
        prepare_history(connection)
    return workshop


def add_run(history: Workshop, outcome: str, *, job: str = "daily", age: timedelta = HOUR, error: str = "") -> str:
    """Add a run that began that long ago and took ten minutes."""
    run_id = f"{job} {age}"
    history.execute(
        "insert into quality.job_runs (run_id, job, started_by, as_of, started_at, finished_at, outcome, error) "
        "values (%s, %s, 'schedule', '2026-02-28', %s, %s, %s, nullif(%s, ''))",
        [run_id, job, NOW - age, None if outcome == "running" else NOW - age + HOUR / 6, outcome, error],
    )
    return run_id


def add_step(history: Workshop, run_id: str, step: str, outcome: str, *, attempt: int = 1, error: str = "") -> None:
    history.execute(
        "insert into quality.job_steps (run_id, step, attempt, started_at, outcome, error) values (%s, %s, %s, %s, %s, "
        "nullif(%s, ''))",
        [run_id, step, attempt, NOW - HOUR + attempt * HOUR / 60, outcome, error],
    )


def add_check(history: Workshop, run_id: str, *, severity: str, has_passed: bool = False, rows: int | None = 3) -> None:
    history.execute(
        "insert into quality.check_results "
        "(run_id, asset, check_name, severity, is_blocking, has_passed, rows_failed, checked_at) "
        "select run_id, 'agent_p.wishlist_v2', %s || '_rule', %s, %s, %s, %s, "
        "started_at from quality.job_runs where run_id = %s",
        [severity, severity, severity == "critical", has_passed, rows, run_id],
    )


def add_silence(history: Workshop, tenant: str, day: date, *, is_unusual: bool) -> None:
    history.execute(
        "insert into quality.volumes "
        "(tenant_id, day, measure, observed, expected, lower_bound, upper_bound, is_unusual, run_id) "
        "values (%s, %s, 'silent_hours', 40, 12, 0, 30, %s, 1)",
        [make_id(tenant), day, is_unusual],
    )


def find(history: Workshop, *, present: datetime = NOW, stale_after: timedelta = 26 * HOUR) -> dict[str, Problem]:
    with open_connection(history.url) as connection:
        found = find_problems(connection, present=present, stale_after=stale_after)
    assert len({problem.key for problem in found}) == len(found)
    return {problem.key: problem for problem in found}


def sync(history: Workshop, *found: Problem, present: datetime = NOW) -> Changes:
    with open_connection(history.url) as connection:
        return sync_problems(connection, found, present=present)


def test_a_database_without_any_of_our_tables_has_no_problems(database_url: str) -> None:
    with open_connection(database_url) as connection:
        assert find_problems(connection, present=NOW, stale_after=HOUR) == []
        prepare_history(connection)
        assert find_problems(connection, present=NOW, stale_after=HOUR) == []


def test_a_job_whose_last_run_failed_is_a_problem_with_its_step_and_error(history: Workshop) -> None:
    run_id = add_run(history, "failed", job="hourly")
    add_step(history, run_id, "checks", "succeeded")
    add_step(history, run_id, "marts", "failed", error="Table dashboard.visits\nis not there.")
    problem = find(history)["run/hourly"]
    assert (problem.kind, problem.title) == ("run", "Run hourly failed")
    assert problem.detail == (
        "Started 2026-03-01 08:00 UTC as of 2026-02-28; failed at step marts: Table dashboard.visits"
    )


def test_a_step_that_the_error_names_already_is_named_once(history: Workshop) -> None:
    run_id = add_run(history, "failed", job="hourly", error="marts: no such table")
    add_step(history, run_id, "marts", "failed", error="no such table")
    assert find(history)["run/hourly"].detail.endswith("; failed: marts: no such table")


def test_a_run_that_failed_by_its_checks_blames_no_step(history: Workshop) -> None:
    run_id = add_run(history, "failed", job="hourly", error="checks failed: wishes.status_known")
    add_step(history, run_id, "checks", "succeeded")
    assert find(history)["run/hourly"].detail.endswith("; failed: checks failed: wishes.status_known")


def test_a_run_that_ended_well_is_the_end_of_the_problem(history: Workshop) -> None:
    add_run(history, "failed", age=3 * HOUR)
    add_run(history, "succeeded", age=2 * HOUR)
    assert find(history) == {}


def test_a_run_at_work_says_nothing_about_the_failed_one_before(history: Workshop) -> None:
    add_run(history, "failed", age=2 * HOUR, error="first")
    add_run(history, "running", age=HOUR)
    assert find(history)["run/daily"].detail.endswith("first")


def test_a_failed_run_that_is_run_again_has_failed_until_it_has_ended_well(history: Workshop) -> None:
    add_run(history, "succeeded", age=24 * HOUR)
    run_id = add_run(history, "running")
    add_step(history, run_id, "marts", "failed", error="no such table")
    add_step(history, run_id, "marts", "succeeded", attempt=2)
    assert find(history)["run/daily"].title == "Run daily failed"
    history.execute("update quality.job_runs set outcome = 'succeeded' where run_id = %s", [run_id])
    assert find(history) == {}


def test_an_attempt_that_another_followed_is_no_failure(history: Workshop) -> None:
    add_step(history, add_run(history, "running"), "marts", "retried", error="connection lost")
    assert find(history) == {}


def test_a_run_that_died_is_a_problem(history: Workshop) -> None:
    add_run(history, "died", error="Its process went without a word.")
    problem = find(history)["run/daily"]
    assert problem.title == "Run daily died: its process went without a word"
    assert problem.detail.startswith("Started 2026-03-01 08:00 UTC as of 2026-02-28; died: ")


def test_critical_checks_that_do_not_pass_are_problems_and_warnings_never(history: Workshop) -> None:
    run_id = add_run(history, "succeeded", age=2 * HOUR)
    add_check(history, run_id, severity="critical")
    add_check(history, run_id, severity="warning")
    key = "check/agent_p.wishlist_v2/critical_rule"
    assert find(history) == {
        key: Problem(
            key,
            "check",
            "agent_p.wishlist_v2: critical_rule does not pass",
            "3 rows fail this critical check; what is downstream is not built until it passes.",
        )
    }
    add_check(history, add_run(history, "succeeded", age=HOUR), severity="critical", has_passed=True, rows=0)
    assert find(history) == {}


def test_a_new_installation_is_not_late(history: Workshop) -> None:
    add_run(history, "succeeded", job="hourly", age=300 * HOUR)
    add_run(history, "running", age=25 * HOUR)
    assert find(history) == {}


def test_daily_runs_that_never_ended_well_make_the_marts_late(history: Workshop) -> None:
    add_run(history, "failed", age=100 * HOUR)
    add_run(history, "failed", age=HOUR)
    problem = find(history)["freshness/marts"]
    assert problem.detail == (
        "No daily run has ended well since the first, 2026-02-25 05:00 UTC; one is expected every 26 hours."
    )


def test_marts_are_late_until_a_daily_run_ends_well(history: Workshop) -> None:
    add_run(history, "succeeded", age=27 * HOUR)
    add_run(history, "succeeded", job="backfill", age=2 * HOUR)
    assert find(history, stale_after=27 * HOUR) == {}
    assert "did so 2026-02-28 06:10 UTC; one is expected every 26 hours" in find(history)["freshness/marts"].detail
    add_run(history, "succeeded", age=HOUR)
    assert find(history) == {}


def test_a_salon_that_fell_silent_is_a_problem_under_its_name(history: Workshop) -> None:
    history.add_tenant("salon")
    history.add_tenant("other")
    add_silence(history, "salon", date(2026, 2, 28), is_unusual=True)
    add_silence(history, "other", date(2026, 2, 28), is_unusual=False)
    assert find(history) == {
        f"silence/{make_id('salon')}": Problem(
            f"silence/{make_id('salon')}",
            "silence",
            "salon has fallen silent",
            "Silent for 40 hours when last judged; its longest silences last 12 hours.",
        )
    }


def test_a_salon_is_silent_until_it_writes_again_or_is_closed(history: Workshop) -> None:
    history.add_tenant("salon")
    # So long ago that a salon without any message since has no later verdict.
    add_silence(history, "salon", date(2026, 1, 1), is_unusual=True)
    assert len(find(history)) == 1
    history.execute("update tenants_v2 set is_active = false")
    assert find(history) == {}
    history.execute("update tenants_v2 set is_active = true")
    add_silence(history, "salon", date(2026, 2, 28), is_unusual=False)
    assert find(history) == {}


def test_silences_are_found_where_nobody_keeps_salons(history: Workshop) -> None:
    history.execute("drop table tenants_v2 cascade")
    add_silence(history, "salon", date(2026, 2, 28), is_unusual=True)
    (problem,) = find(history).values()
    assert problem.title == f"Salon {make_id('salon')} has fallen silent"


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("no connection to postgresql://me:s3cret@db/x", "no connection to postgresql://me:***@db/x"),
        ("connection with password=s3cret host=db", "connection with password=*** host=db"),
        ('invalid input syntax for type integer: "Anna, "home"', "invalid input syntax for type integer: …"),
        ('invalid input syntax for type integer: "Anna\nhome"', "invalid input syntax for type integer: …"),
        ('value "79991234567" is out of range for type integer', "value … is out of range for type integer"),
        ("Key (full_name)=(Anna (home)) already exists.", "Key (full_name)=… already exists."),
        ("Failing row contains (7, Anna).", "Failing row contains …."),
        ("chat of +7 (999) 123-45-67 and 79991234567, anna@mail.example", "chat of [phone] and [phone], [e-mail]"),
        ('relation "visits" does not exist at me@db.example:5432/x', None),
        ("as of 2026-02-28 10:00:00+00, 2026-02-28T10:00:00.123456+00:00", None),
        ("x" * 300, "x" * 200 + "…"),
        ("\n\n", "no error was noted"),
    ],
)
def test_errors_are_shown_without_passwords_and_without_what_stood_in_rows(
    history: Workshop, error: str, shown: str | None
) -> None:
    add_run(history, "failed", error=error)
    assert find(history)["run/daily"].detail.endswith(f"; failed: {shown or error}")


def test_the_ledger_opens_renews_and_closes(history: Workshop) -> None:
    first, second = Problem("run/a", "run", "a failed", "once"), Problem("run/b", "run", "b failed", "once")
    assert sync(history, first, second) == Changes(opened=(first, second), closed=())
    renewed = Problem("run/a", "run", "a failed", "twice")
    assert sync(history, renewed, present=NOW + HOUR) == Changes(opened=(), closed=(second,))
    assert sync(history, renewed, present=NOW + 1.5 * HOUR) == Changes(opened=(), closed=())
    assert sync(history, renewed, second, present=NOW + 2 * HOUR) == Changes(opened=(second,), closed=())
    rows = history.execute(
        "select problem_key, detail, opened_at, closed_at, told_at from quality.problems order by problem_id"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("run/a", "twice", NOW, None, None),
        ("run/b", "once", NOW, NOW + HOUR, None),
        ("run/b", "once", NOW + 2 * HOUR, None, None),
    ]


def test_a_ledger_that_breaks_off_is_as_it_was(history: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    standing = Problem("run/a", "run", "a failed", "once")
    sync(history, standing)
    monkeypatch.setattr("orchestration.problems._OPEN", "select 1 / 0")
    with (
        open_connection(history.url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.DivisionByZero),
    ):
        sync_problems(connection, [Problem("run/b", "run", "b failed", "once")], present=NOW)
    assert history.execute("select problem_key from quality.problems where closed_at is null") == [
        {"problem_key": "run/a"}
    ]
