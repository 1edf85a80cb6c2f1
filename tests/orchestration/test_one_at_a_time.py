"""One run at a time works on a target, a second waits; what a killed run left is mended and told by the next."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from agentp.database import open_connection
from agentp.locks import take_lock
from tests.support.holding import hold_everything
from tests.support.jobs import run_job
from tests.support.marts import MARTS, Workshop
from tests.support.waiting import wait_until

WAITS = "select count(*) from pg_locks where relation = 'build.lock_runs_of_marts'::regclass and not granted"


STEPS = "select count(*) as n from quality.job_steps"
GATE = ["quality.rules"]


def test_a_second_run_waits_for_the_first(built_salons: Workshop) -> None:
    [before] = built_salons.execute(STEPS)
    with open_connection(built_salons.url, autocommit=True) as first, ThreadPoolExecutor(1) as pool:
        take_lock(first, "runs_of_marts", purpose="run")
        second = pool.submit(run_job, built_salons, assets=GATE)
        wait_until(built_salons, WAITS, [])
        assert built_salons.execute(STEPS) == [before]
        first.rollback()
        assert second.result().success
    assert built_salons.execute(STEPS) == [{"n": before["n"] + 1}]


def test_a_run_without_changes_waits_for_nobody_who_reads_changes_no_row_and_says_so(
    built_salons: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTP_LOCK_TIMEOUT_SECONDS", "0.3")
    # Stronger than any reader's, and in the way of all that is stronger than writing rows.
    with hold_everything(built_salons, "share update exclusive"):
        run = run_job(built_salons)
    assert run.success
    found = run.find_materializations()
    for mart in MARTS:
        metadata = found[mart]
        counts = [metadata[name].value for name in ("rows_inserted", "rows_updated", "rows_deleted")]
        assert (mart, counts) == (mart, [0, 0, 0])


def test_runs_on_other_targets_do_not_wait(built_salons: Workshop) -> None:
    with open_connection(built_salons.url, autocommit=True) as first:
        take_lock(first, "runs_of_outbox", purpose="run")
        assert run_job(built_salons, assets=GATE).success


RUN = """
from agentp.settings import read_settings
from tests.support.jobs import run_job
from tests.support.marts import Workshop
run_job(Workshop(read_settings().database_url, read_settings()), assets=["+dashboard.visits"])
"""


def test_a_run_that_was_killed_is_told_as_died_and_the_next_one_mends_it(built_salons: Workshop) -> None:
    built_salons.execute("update conversation_sessions_v2 set booking_status = 'cancelled' where booking_id = 'far-10'")
    # A reader's transaction keeps the publication of visits waiting, so that the kill falls into the middle of it.
    with psycopg.connect(built_salons.url) as reader:
        reader.execute("lock table dashboard.visits in share mode")
        environment = {
            "AGENTP_DATABASE_URL": built_salons.url, "AGENTP_HOME": str(built_salons.settings.home),
            "PATH": "/usr/bin:/bin",
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-c", RUN], env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        waits = "select count(*) from pg_locks where relation = 'dashboard.visits'::regclass and not granted"
        wait_until(built_salons, waits, [])
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert run_job(built_salons).success
    history = built_salons.execute("select outcome, error from quality.job_runs order by started_at")
    assert [run["outcome"] for run in history] == ["succeeded", "died", "succeeded"]
    assert history[1]["error"] == "Its process went without a word."
    died = built_salons.execute("select step from quality.job_steps where outcome = 'died'")
    assert died == [{"step": "marts"}]
    built = built_salons.read_marts()
    cancelled = [visit["booking_id"] for visit in built["dashboard.visits"] if visit["outcome"] == "cancelled"]
    assert cancelled == ["far-10"]
    built_salons.build(full_refresh=True)
    assert built_salons.read_marts() == built
