"""A present that lies ahead is refused unless it is forced, and a forced one leaves nothing that is kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from activation.runs import activate
from agentp import pipeline
from agentp.errors import SetupError
from agentp.present import is_ahead, require_reached
from orchestration.tags import AS_OF, FORCE
from tests.agentp.conftest import RunCommand
from tests.support.jobs import run_job
from tests.support.marts import Workshop

AHEAD = (datetime.now(UTC) + timedelta(days=365)).date()
YESTERDAY = (datetime.now(UTC) - timedelta(days=2)).date()


@pytest.mark.parametrize(
    ("as_of", "ahead"),
    [
        (AHEAD.isoformat(), True), (f"{AHEAD}T00:00:00Z", True), ("9999-12-31", True), (YESTERDAY.isoformat(), False),
        ((datetime.now(UTC) + timedelta(days=1)).date().isoformat(), True), (datetime.now(UTC).isoformat(), False),
    ],
    ids=["next year", "its first midnight", "the last day", "yesterday", "tomorrow", "now"],
)  # fmt: skip
def test_a_day_is_ahead_until_it_is_over(as_of: str, ahead: bool) -> None:
    assert is_ahead(as_of) is ahead
    assert require_reached(as_of, is_forced=True) == as_of
    if ahead:
        with pytest.raises(SetupError, match="now it is"):
            require_reached(as_of, is_forced=False)


def test_each_command_that_has_a_present_refuses_one_that_lies_ahead(run_command: RunCommand) -> None:
    for command in ("check", "build", "score", "activate", "run", "digest"):
        answer = run_command(command, "--as-of", AHEAD.isoformat(), database_url="postgresql://nobody@127.0.0.1:1/none")
        assert answer.code == 2, command
        assert f"--as-of is {AHEAD}" in answer.err
        assert "--force" in answer.err


def test_a_step_of_the_scheduler_refuses_it_too(workshop: Workshop) -> None:
    run = run_job(workshop, tags={AS_OF: AHEAD.isoformat()})
    assert not run.success
    assert {type(error) for error in run.listener.failures.values()} == {SetupError}
    assert FORCE == "agentp/force"


def read_kept(workshop: Workshop) -> dict[str, list[dict[str, Any]]]:
    return {
        table: workshop.execute(f"select * from {table} order by 1, 2, 3")
        for table in ("dashboard.outbox", "scoring.model_runs", "scoring.client_scores", "dashboard.predictions")
    }


def test_what_is_forced_leaves_no_figure_no_model_and_no_message(workshop: Workshop) -> None:
    salon = workshop
    salon.add_dialogue()
    salon.build(as_of=YESTERDAY.isoformat())
    pipeline.score(salon.url)
    kept, shown = read_kept(salon), salon.execute("select * from dashboard.figures_shown order by tenant_id, day")
    salon.build(as_of=AHEAD.isoformat())
    assert salon.execute("select max(day) as day from dashboard.metrics_dailies") == [{"day": AHEAD}]
    [report] = pipeline.score(salon.url, kinds=["churn"])
    assert "lies ahead" in report.reason
    assert not activate(salon.url, as_of=date.fromisoformat(AHEAD.isoformat()), is_applied=True).is_applied
    assert read_kept(salon) == kept
    later = salon.execute("select * from dashboard.figures_shown order by tenant_id, day")
    assert [row for row in later if row["day"] <= YESTERDAY] == shown
    assert max(row["day"] for row in later) <= datetime.now(UTC).date()
    salon.build(as_of=YESTERDAY.isoformat())
    assert salon.execute("select max(day) as day from dashboard.metrics_dailies") == [{"day": YESTERDAY}]
    assert salon.execute("select count(*) as n from dashboard.restatements") == [{"n": 0}]
    assert salon.execute("select count(*) as n from build.touched_days where day > current_date + 1") == [{"n": 0}]
