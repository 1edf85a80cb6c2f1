"""One run at a time works on a target, a second waits; what a killed run left is mended and told by the next."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

from orchestration.targets import LOCKS
from tests.support.jobs import run_job
from tests.support.marts import Workshop

WAITS = "select count(*) from pg_locks where locktype = 'advisory' and not granted and objid = %s"


def wait_until(workshop: Workshop, query: str, parameters: list[object]) -> None:
    """Look again until the query finds something; whoever waits in vain fails by the test's own end."""
    signalled = threading.Event()
    for _ in range(600):
        if next(iter(workshop.execute(query, parameters)[0].values())):
            return
        signalled.wait(0.1)
    raise AssertionError(f"never happened: {query}")


def test_a_second_run_waits_for_the_first(salons: Workshop) -> None:
    run_job(salons)
    key = LOCKS["marts"] & 0xFFFFFFFF
    with psycopg.connect(salons.url, autocommit=True) as first, ThreadPoolExecutor(1) as pool:
        first.execute("select pg_advisory_lock(%s)", [LOCKS["marts"]])
        second = pool.submit(run_job, salons)
        wait_until(salons, WAITS, [key])
        steps = salons.execute("select count(*) as n from quality.job_steps")[0]["n"]
        first.execute("select pg_advisory_unlock_all()")
        assert second.result().success
    assert salons.execute("select count(*) as n from quality.job_steps")[0]["n"] == 2 * steps == 10


def test_runs_on_other_targets_do_not_wait(salons: Workshop) -> None:
    run_job(salons)
    with psycopg.connect(salons.url, autocommit=True) as first:
        first.execute("select pg_advisory_lock(%s)", [LOCKS["outbox"]])
        assert run_job(salons).success


def test_a_run_that_was_killed_is_told_as_died_and_the_next_one_mends_it(salons: Workshop) -> None:
    run_job(salons)
    salons.execute("update conversation_sessions_v2 set booking_status = 'cancelled' where booking_id = 'far-10'")
    # A reader's transaction keeps the publication of visits waiting, so that the kill falls into the middle of it.
    with psycopg.connect(salons.url) as reader:
        reader.execute("lock table dashboard.visits in share mode")
        environment = {
            "AGENTP_DATABASE_URL": salons.url, "AGENTP_HOME": str(salons.settings.home), "PATH": "/usr/bin:/bin",
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "agentp", "run", "--as-of", "2026-02-28"], env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        waits = "select count(*) from pg_locks where relation = 'dashboard.visits'::regclass and not granted"
        wait_until(salons, waits, [])
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert run_job(salons).success
    history = salons.execute("select outcome, error from quality.job_runs order by started_at")
    assert [run["outcome"] for run in history] == ["succeeded", "died", "succeeded"]
    assert history[1]["error"] == "Its process went without a word."
    died = salons.execute("select step from quality.job_steps where outcome = 'died'")
    assert died == [{"step": "marts"}]
    built = salons.read_marts()
    cancelled = [visit["booking_id"] for visit in built["dashboard.visits"] if visit["outcome"] == "cancelled"]
    assert cancelled == ["far-10"]
    salons.build(full_refresh=True)
    assert salons.read_marts() == built
