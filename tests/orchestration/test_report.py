"""The site is the last step of the daily run; a mart that may not be believed is not shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import pytest

from agentp.settings import Settings
from orchestration import runs
from orchestration.defs.report import READ, SITE
from orchestration.loading import load_definitions
from orchestration.tags import DAILY, HOURLY
from orchestration.targets import LISTENER, Listener
from reports.selections import CHAIN, SALON
from tests.orchestration.conftest import FirstRun
from tests.reports.site_reading import snap
from tests.support.jobs import run_job
from tests.support.marts import Workshop, make_id


@pytest.fixture
def reported(built_salons: Workshop, tmp_path: Path) -> Workshop:
    """The three salons after their first daily run, with the report switched on."""
    built_salons.settings = built_salons.settings.model_copy(
        update={"report": True, "report_folder": tmp_path / "site"}
    )
    return built_salons


def test_the_daily_run_writes_the_site_last(reported_run: FirstRun, built_salons: Workshop) -> None:
    run = reported_run.run
    assert run.success
    assert run.find_steps("STEP_START")[-1] == "reports__site"
    found = run.find_materializations()["reports.site"]
    assert {name: found[name].value for name in ("salons", "rendered", "removed", "audience")} == {
        "salons": 3, "rendered": 3, "removed": 0, "audience": "owner",
    }  # fmt: skip
    assert found["path"].value == str(reported_run.site / "index.html")
    assert run.listener.results["site"].rendered == 3
    steps = built_salons.execute("select step, outcome from quality.job_steps where run_id = %s", [run.run_id])
    assert {"step": "reports__site", "outcome": "succeeded"} in steps


def test_only_what_changed_is_rendered_and_what_may_not_be_believed_is_not_shown(
    reported: Workshop, reported_run: FirstRun, tmp_path: Path
) -> None:
    shutil.copytree(reported_run.site, tmp_path / "site")
    before = snap(tmp_path / "site")
    reported.execute("update conversation_sessions_v2 set final_summary = 'late' where booking_id = 'far-10'")
    reported.build()
    run = run_job(reported, assets=["reports.site"])
    assert run.find_materializations()["reports.site"]["rendered"].value == 1
    changed = {name for name, content in snap(tmp_path / "site").items() if before.get(name) != content}
    assert len({name.split("/")[1] for name in changed if name.startswith("salons/")}) == 1

    # A day that nobody computed: a critical data test fails, and the site is left as it is.
    reported.execute(
        "delete from dashboard.metrics_dailies where tenant_id = %s and day = '2026-02-11'", [make_id("salon")]
    )
    before = snap(tmp_path / "site")
    run = run_job(reported, assets=["dashboard.metrics_dailies", "reports.site"])
    assert not run.success
    assert "reports__site" not in run.find_steps("STEP_START")
    assert "reports.site" not in run.find_materializations()
    assert snap(tmp_path / "site") == before


def test_a_site_that_cannot_be_written_fails_the_run_and_nothing_before_it(reported: Workshop, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "letters").write_text("mine", encoding="utf-8")
    run = run_job(reported, assets=["quality.rules", "dashboard.sessions", "reports.site"])
    assert not run.success
    steps = reported.execute("select step, outcome, error from quality.job_steps where run_id = %s", [run.run_id])
    assert {row["step"]: row["outcome"] for row in steps} == {
        "data_standard": "succeeded", "marts": "succeeded", "reports__site": "failed",
    }  # fmt: skip
    [error] = [row["error"] for row in steps if row["error"]]
    assert "holds something else" in error
    assert reported.execute("select count(*) as n from dashboard.sessions")[0]["n"] == 6


def list_steps(settings: Settings, job: str) -> set[str]:
    return {node.name for node in load_definitions(settings).resolve_job_def(job).nodes}


def test_the_settings_say_whether_the_daily_run_writes_it(loaded: dg.Definitions, home: Path) -> None:
    without = Settings(home=home, database_url="postgresql://nobody@127.0.0.1:1/nowhere", report=False)
    with_report = without.model_copy(update={"report": True})
    assert "reports__site" in list_steps(with_report, DAILY)
    assert "reports__site" not in list_steps(without, DAILY)
    assert "reports__site" not in list_steps(with_report, HOURLY)
    assert runs.LOADERS.keys() >= {DAILY, HOURLY}


def test_jobs_of_one_process_follow_the_settings_of_who_runs_them(home: Path) -> None:
    settings = Settings(home=home, database_url="postgresql://nobody@127.0.0.1:1/nowhere", report=False)
    for report in (False, True, False):
        token = LISTENER.set(Listener(settings=settings.model_copy(update={"report": report})))
        try:
            job = runs.reconstruct_job(DAILY).get_definition()
        finally:
            LISTENER.reset(token)
        assert ("reports__site" in {node.name for node in job.nodes}) is report


def test_the_graph_shows_the_site_below_every_mart_that_it_reads(loaded: dg.Definitions) -> None:
    graph = loaded.resolve_asset_graph()
    assert graph.has(SITE)
    above = {key.path[-1] for key in graph.get(SITE).parent_keys}
    assert above == set(READ)
    assert all(graph.has(key) for key in graph.get(SITE).parent_keys)
    selections = (*SALON.values(), *CHAIN.values())
    shown = {selection.relation for selection in selections if selection.schema == "dashboard"}
    assert above == shown | {"dialogs", "tenant_settings"}
