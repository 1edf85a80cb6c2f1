"""What happens to builds happens here: killed at any moment, run twice at once, watched by readers (D3)."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from agentp.database import open_connection
from agentp.errors import AgentpError
from agentp.settings import Settings
from sources.exports import load_exports
from systems.agent_p.demo import write_demo
from tests.support.marts import MARTS, Workshop
from tests.support.options import Examples

AS_OF = "2026-10-31"


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exports of a small chain."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder, sessions=150, seed=3)
    return folder


@pytest.fixture(scope="module")
def _built(make_database: Callable[[str | None], str], built_template: str, small_demo: Path, home: Path) -> str:
    url = make_database(built_template)
    with open_connection(url) as connection:
        load_exports(connection, small_demo)
        connection.commit()
    Workshop(url=url, settings=Settings(home=home, database_url=url, report=False)).build(as_of=AS_OF)
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def built_chain(open_database: Callable[[str | None], str], _built: str, home: Path) -> Workshop:
    """The small chain, loaded and built."""
    url = open_database(_built)
    return Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))


def start_run(chain: Workshop) -> subprocess.Popen[bytes]:
    environment = {
        "AGENTP_DATABASE_URL": chain.url, "AGENTP_HOME": str(chain.settings.home), "AGENTP_REPORT": "false",
        "PATH": "/usr/bin:/bin",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "agentp", "run", "--as-of", AS_OF],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip


def change_half(chain: Workshop) -> None:
    """Change what is published: half of the messages lose their session, some bookings are cancelled, some rows go."""
    chain.execute("update recent_history_v2 set session_id = null where id % 2 = 0")
    chain.execute("update conversation_sessions_v2 set booking_status = 'cancelled' where id % 3 = 0")
    chain.execute("delete from recent_history_v2 where id % 11 = 0")


def rebuild_elsewhere(chain: Workshop) -> dict[str, list[dict[str, object]]]:
    """Return the marts as a build from nothing makes them of the same raw rows."""
    chain.execute(f"truncate {', '.join(MARTS)}")
    chain.build(as_of=AS_OF, full_refresh=True)
    return chain.read_marts()


def test_a_run_killed_at_random_moments_and_run_again_ends_in_the_same_marts(
    built_chain: Workshop, examples: Examples
) -> None:
    change_half(built_chain)
    moments = random.Random(f"{examples.seed} kills")
    for _ in range(3):
        run = start_run(built_chain)
        with suppress(subprocess.TimeoutExpired):
            run.wait(timeout=moments.uniform(1.5, 9.0))
        run.send_signal(signal.SIGKILL)
        run.wait()
    built_chain.build(as_of=AS_OF)
    after_kills = built_chain.read_marts()
    assert after_kills == rebuild_elsewhere(built_chain)


@contextmanager
def kill_session_of(chain: Workshop, mart: str) -> Iterator[None]:
    """Terminate the database session that publishes the mart, as soon as there is one."""
    done = threading.Event()

    def kill() -> None:
        with psycopg.connect(chain.url, autocommit=True) as connection:
            while not done.is_set():
                killed = connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
                    "and pid <> pg_backend_pid() and query like %s and state <> 'idle'",
                    (f"%{mart}__next%",),
                ).fetchall()
                if killed:
                    return

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_a_build_that_loses_its_session_is_simply_run_again(built_chain: Workshop) -> None:
    change_half(built_chain)
    with kill_session_of(built_chain, "dialogs"), pytest.raises(AgentpError):
        built_chain.build_with_dbt(as_of=AS_OF, full_refresh=True)
    built_chain.build_with_dbt(as_of=AS_OF)
    after_kills = built_chain.read_marts()
    assert after_kills == rebuild_elsewhere(built_chain)


def test_builds_that_died_in_any_model_are_simply_run_again(built_chain: Workshop, examples: Examples) -> None:
    """In a third of the models, others each time: a build that dies late costs as much as a whole one."""
    recorder = built_chain.recorder
    assert recorder is not None
    models = recorder.list_models()
    for place, model in enumerate(random.Random(examples.seed).sample(models, len(models) // 3)):
        built_chain.execute("update recent_history_v2 set session_id = null where id %% 17 = %s", [place])
        built_chain.execute(
            "update conversation_sessions_v2 set booking_status = 'cancelled' where id %% 17 = %s", [place]
        )
        recorder.run(built_chain.url, as_of=AS_OF, brake_share=1, full_refresh=place % 5 == 0, dies_in=model)
    built_chain.build(as_of=AS_OF)
    after_deaths = built_chain.read_marts()
    assert after_deaths == rebuild_elsewhere(built_chain)


def test_two_runs_at_once_wait_for_each_other_and_both_end_well(built_chain: Workshop) -> None:
    count = "select outcome, count(*)::int as n from build.runs group by 1"
    [before] = built_chain.execute(count)
    change_half(built_chain)
    runs = [start_run(built_chain) for _ in range(2)]
    assert [run.wait(timeout=240) for run in runs] == [0, 0]
    assert built_chain.execute(count) == [{"outcome": "complete", "n": before["n"] + 2}]
    assert built_chain.read_marts() == rebuild_elsewhere(built_chain)


@dataclass
class Watch:
    """What a reader saw: how often it looked, and everything that was wrong."""

    looks: int = 0
    wrong: list[str] = field(default_factory=list)


@contextmanager
def watch_marts(chain: Workshop) -> Iterator[Watch]:
    """Poll every mart, as a dashboard does, and check that each is there, filled, and whole within each day."""
    watch, stop = Watch(), threading.Event()

    def look() -> None:
        with psycopg.connect(chain.url, autocommit=True) as connection:
            while not stop.is_set():
                try:
                    for name in MARTS:
                        row = connection.execute(f"select count(*) from {name}").fetchone()
                        if not row or row[0] == 0:
                            watch.wrong.append(f"{name} is empty")
                    row = connection.execute(
                        "select count(*) from dashboard.metrics_dailies "
                        "where (response_count > 0) <> (avg_response_ms is not null) "
                        "or user_messages + agent_messages > messages"
                    ).fetchone()
                    if row and row[0] != 0:
                        watch.wrong.append("a day is half built")
                    days = connection.execute("select count(distinct (tenant_id, day)) from dashboard.metrics_dailies")
                    watch.looks += 1 if days.fetchone() else 0
                except psycopg.Error as error:
                    watch.wrong.append(str(error))

    reader = threading.Thread(target=look)
    reader.start()
    try:
        yield watch
    finally:
        stop.set()
        reader.join()


def test_a_reader_never_meets_a_missing_empty_or_half_built_mart(built_chain: Workshop) -> None:
    with watch_marts(built_chain) as watch:
        built_chain.migrate()
        built_chain.build_with_dbt(as_of=AS_OF)
        change_half(built_chain)
        built_chain.build(as_of=AS_OF)
        built_chain.build(as_of=AS_OF, full_refresh=True)
        built_chain.execute("update recent_history_v2 set session_id = null")
        built_chain.build(as_of=AS_OF, full_refresh=True)
    assert watch.wrong == []
    assert watch.looks > 10
