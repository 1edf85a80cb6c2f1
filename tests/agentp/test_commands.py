"""The command line: what it prints, what it returns, and how it says what is wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from agentp.cli import app
from agentp.server import find_server
from agentp.settings import Settings
from tests.agentp.conftest import RunCommand
from tests.support.loopback import require_loopback
from tests.support.marts import Workshop

COMMANDS = [
    "up", "url", "dbt", "env", "psql", "stop", "migrate", "load", "demo", "check", "build", "score", "activate",
    "run", "backfill", "dev", "prepare", "alert", "digest", "export", "report", "grant", "revoke", "logins", "forget",
    "doctor",
]  # fmt: skip


@pytest.fixture
def salon(workshop: Workshop) -> Workshop:
    """A salon with one dialogue, built."""
    workshop.add_dialogue()
    workshop.build()
    return workshop


def test_every_command_says_what_it_does(run_command: RunCommand) -> None:
    assert [command.callback.__name__ for command in app.registered_commands if command.callback] == COMMANDS
    for name in COMMANDS:
        answer = run_command(name, "--help")
        assert answer.code == 0
        assert len(answer.out.split()) > 15, name


def test_url_prints_one_line_that_connects_and_starts_the_server(run_command: RunCommand, server_home: Path) -> None:
    answer = run_command("url", home=str(server_home))
    assert answer.code == 0
    assert answer.out.count("\n") == 1
    with psycopg.connect(answer.out.strip()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert run_command("stop", home=str(server_home)).code == 0
    assert find_server(home=server_home) is None


def test_the_whole_way_on_a_small_demo(
    run_command: RunCommand, open_database: Callable[[str | None], str], home: Path
) -> None:
    database_url = open_database(None)
    with watch_family() as seen:
        answer = run_command("demo", "--sessions", "60", "--run", database_url=database_url)
    assert answer.code == 0, answer.err
    assert "dashboard.metrics_dailies" in answer.out
    assert "data tests passed" in answer.out
    assert "messages.session_id_present" in answer.out
    # No password stands on a command line, where everybody on the machine may read it (issue 7, "The connection").
    assert any("spawn" in line for line in seen), "the gate has a process of its own"
    password = str(conninfo_to_dict(database_url).get("password") or "no password")
    assert not [line for line in seen if password in line]
    demo = Workshop(url=database_url, settings=Settings(home=home, database_url=database_url))
    assert demo.execute("select outcome from quality.job_runs") == [{"outcome": "succeeded"}]

    # A run goes on when rows fail.
    demo.execute("update recent_history_v2 set role = 'robot' where id = (select min(id) from recent_history_v2)")
    again = run_command("run", "--as-of", "2026-10-31", database_url=database_url, report="false")
    assert again.code == 0, again.err
    for said in ("messages.role_known", "Critical rules fail.", "data tests passed", "changes"):
        assert said in again.out
    assert run_command("doctor", database_url=database_url).code == 0

    # It stops at a missing column.
    before = demo.read_marts()
    demo.execute("alter table conversation_sessions_v2 rename column channel to medium")
    stopped = run_command("run", "--as-of", "2026-10-31", database_url=database_url)
    assert stopped.code == 1
    assert "conversation_sessions_v2: channel is missing (renamed to medium?)" in stopped.err
    assert "Traceback" not in stopped.err
    assert demo.read_marts() == before


@contextmanager
def watch_family() -> Iterator[set[str]]:
    """Collect the command lines of this process and of all that it starts."""
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        me = psutil.Process()
        while not over.wait(0.05):
            for member in (me, *me.children(recursive=True)):
                with suppress(psutil.Error):
                    seen.add(" ".join(member.cmdline()))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def test_loading_into_an_unused_database_makes_the_raw_tables(
    run_command: RunCommand, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "tenants_v2_rows.csv").write_text("id,name\n11111111-1111-4111-8111-111111111111,Salon\n")
    answer = run_command("load", str(tmp_path), database_url=database_url)
    assert answer.code == 0, answer.err
    assert "tenants_v2" in answer.out
    assert run_command("doctor", database_url=database_url).out.count("standard's shape") == 1


def test_a_bad_file_is_one_sentence_with_its_line(run_command: RunCommand, workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "tenants_v2.csv").write_text("id,name\n11111111-1111-4111-8111-111111111111,Salon\nnone,Bad\n")
    answer = run_command("load", str(tmp_path), database_url=workshop.url)
    assert answer.code == 1
    for part in ("tenants_v2.csv", "line 3", "id", "none", "UUID"):
        assert part in answer.err
    assert workshop.execute("select * from tenants_v2") == []


def test_a_broken_raw_table_leaves_the_marts_as_they_were(run_command: RunCommand, salon: Workshop) -> None:
    before = salon.read_marts()
    salon.execute("alter table recent_history_v2 rename column message to body")
    answer = run_command("build", database_url=salon.url)
    assert answer.code == 2
    assert "recent_history_v2.message" in answer.err
    assert "Traceback" not in answer.err
    assert salon.read_marts() == before


def test_a_missing_raw_table_is_named(run_command: RunCommand, database_url: str) -> None:
    answer = run_command("build", database_url=database_url)
    assert answer.code == 2
    assert "tenants_v2" in answer.err
    assert "agentp migrate" in answer.err


def test_a_failing_model_is_one_sentence_and_leaves_its_mart(run_command: RunCommand, salon: Workshop) -> None:
    before = salon.read_marts()
    salon.execute("alter table dashboard.sessions add check (started_at < '2026-02-01')  not valid")
    salon.add_session("second", "2026-02-02 10:00+00", "2026-02-02 10:20+00")
    answer = run_command("build", "--as-of", "2026-02-28", database_url=salon.url)
    assert answer.code == 1
    assert "sessions failed" in answer.err
    assert answer.out == "", "dbt's own lines belong into its log"
    assert "Traceback" not in answer.err
    assert salon.read_marts() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"password": "wrong"}, "refused the password"),
        ({"dbname": "agentp_no_such_database"}, "does not exist"),
        ({"port": "1"}, "No connection"),
        ({"host": "no-such-host.invalid"}, "is not known"),
    ],
)
def test_an_unreachable_database_is_one_sentence_with_the_cure(
    run_command: RunCommand, server_url: str, change: dict[str, str], says: str
) -> None:
    parts = {"user": "agentp", "host": "127.0.0.1", "dbname": "postgres"}
    parts |= {name: str(value) for name, value in conninfo_to_dict(server_url).items() if value} | change
    url = f"postgresql://{parts['user']}:{parts.get('password', '')}@{parts['host']}:{parts['port']}/{parts['dbname']}"
    answer = run_command("build", database_url=url)
    assert answer.code == 2
    assert says in answer.err
    assert "Traceback" not in answer.err
    assert parts.get("password", "-") not in answer.err


def test_a_login_without_rights_is_told_so(run_command: RunCommand, salon: Workshop, server_url: str) -> None:
    role = "agentp_test_stranger"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("create role {} login password 'strange'").format(sql.Identifier(role)))
    try:
        parts = conninfo_to_dict(salon.url)
        url = f"postgresql://{role}:strange@{parts['host']}:{parts['port']}/{parts['dbname']}"
        before = salon.read_marts()
        answer = run_command("build", database_url=url)
        assert answer.code == 2
        assert "permission denied" in answer.err
        assert "Traceback" not in answer.err
        assert salon.read_marts() == before
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"database_url": "postgres//nowhere"}, "AGENTP_DATABASE_URL"),
        ({"session_gap_minutes": "soon"}, "AGENTP_SESSION_GAP_MINUTES"),
        ({"port": "80"}, "AGENTP_PORT"),
        ({"default_timezone": "Mars/Phobos"}, "AGENTP_DEFAULT_TIMEZONE"),
        ({"home": "/proc/nowhere"}, "AGENTP_HOME"),
    ],
)
def test_a_bad_setting_is_named(run_command: RunCommand, settings: dict[str, str], says: str) -> None:
    answer = run_command("up", **settings)
    assert answer.code == 2
    assert says in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("as_of", ["yesterday", "2026-02-30", "2026-02-01T10:00", "2026-02-01'; drop table x"])
def test_an_as_of_that_is_neither_day_nor_instant_is_refused(
    run_command: RunCommand, database_url: str, as_of: str
) -> None:
    answer = run_command("build", "--as-of", as_of, database_url=database_url)
    assert answer.code == 2
    assert "neither a day nor an instant" in answer.err


def test_a_selection_of_nothing_is_refused(run_command: RunCommand, salon: Workshop) -> None:
    answer = run_command("build", "--select", "no_such_mart", database_url=salon.url)
    assert answer.code == 2
    assert "names no model" in answer.err


def test_doctor_names_what_is_missing(run_command: RunCommand, database_url: str, server_home: Path) -> None:
    empty = run_command("doctor", database_url=database_url)
    assert empty.code == 2
    assert "agentp migrate" in empty.out
    asleep = run_command("doctor", home=str(server_home), database_url="")
    assert asleep.code == 2
    assert "agentp up" in asleep.out


@pytest.mark.parametrize("url", ["postgresql://db.example.com/x", "host=10.0.0.1 dbname=x", "host=127.0.0.1,8.8.8.8"])
def test_tests_refuse_any_server_but_loopback(url: str) -> None:
    with pytest.raises(RuntimeError, match="loopback"):
        require_loopback(url)


def test_tests_accept_loopback(open_database: Callable[[str | None], str]) -> None:
    for url in (
        "postgresql://x@127.0.0.1/y",
        "postgresql://x@[::1]/y",
        "host=localhost",
        "host=/tmp",
        open_database(None),
    ):
        require_loopback(url)
