"""Nobody else on the machine reads what is written, nor a password; and nothing of ours goes on when we have ended."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from agentp import cli
from agentp.database import describe_target
from agentp.errors import FULL_DISK, FULL_DISK_CURE, BuildError, SetupError
from agentp.psql import run_psql
from agentp.transport import parse_url, secure_url
from tests.agentp.conftest import RunCommand
from tests.support.marts import Workshop

PASSWORD = "Canary"


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Whoever starts a command may let everybody read what programs write."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_files_are_their_owners_alone(run_command: RunCommand, workshop: Workshop, tmp_path: Path) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    settings = {"database_url": workshop.url, "home": str(home)}
    assert run_command("demo", "--sessions", "20", **settings).code == 0
    assert run_command("export", "--out", str(out), "--audience", "owner", **settings).code == 0
    assert run_command("check", "--docs", str(tmp_path / "docs"), **settings).code in (0, 1)
    written = [path for folder in (home, out, tmp_path / "docs") for path in (folder, *folder.rglob("*"))]
    assert len(written) > 20
    assert [str(path) for path in written if stat.S_IMODE(path.lstat().st_mode) & 0o077 and not path.is_symlink()] == []


def test_psql_is_told_the_password_by_a_file_of_its_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "psql"
    script.write_text(
        '#!/bin/sh\nprintf "%s\\n" "$@" > "$HERE/arguments"\n'
        'cp "$PGPASSFILE" "$HERE/password"; stat -c %a "$PGPASSFILE" > "$HERE/mode"; exit 3\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("HERE", str(tmp_path))
    monkeypatch.setenv("PGPASSWORD", "another")
    assert run_psql(f"postgresql://me:{PASSWORD}%3A%5C@127.0.0.1:5433/x?sslmode=prefer", ["-Atc", "select 1"]) == 3
    arguments = (tmp_path / "arguments").read_text()
    assert PASSWORD not in arguments
    assert "user=me" in arguments
    assert "port=5433" in arguments
    assert arguments.endswith("-Atc\nselect 1\n")
    assert (tmp_path / "password").read_text() == f"*:*:*:*:{PASSWORD}\\:\\\\\n"
    assert (tmp_path / "mode").read_text() == "600\n"


def test_psql_answers_and_its_exit_code_is_ours(workshop: Workshop, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_psql(workshop.url, ["-Atc", "select count(*) from tenants_v2"]) == 0
    assert capfd.readouterr().out == "0\n"
    assert run_psql(workshop.url, ["-Atc", "select 1/0"]) == 1


def test_the_command_hands_on_what_psql_is_told(
    run_command: RunCommand, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def answer(url: str, arguments: list[str]) -> int:
        told.extend(arguments)
        return 3

    monkeypatch.setattr("agentp.psql.run_psql", answer)
    assert run_command("psql", "-Atc", "select 1", "--csv", database_url=workshop.url).code == 3
    assert told == ["-Atc", "select 1", "--csv"]


@pytest.mark.parametrize("password", [
    f"{PASSWORD}/x", f"{PASSWORD}@x", f"x/{PASSWORD}", f"x@{PASSWORD}", f"{PASSWORD}?x", f"1/{PASSWORD}?y=z",
])  # fmt: skip
def test_a_password_that_nobody_escaped_is_shown_nowhere(run_command: RunCommand, password: str) -> None:
    url = f"postgresql://me:{password}@db.example:5432/x"
    for ask in (parse_url, secure_url, describe_target):
        with pytest.raises(SetupError, match="Percent-encode") as caught:
            ask(url)
        assert PASSWORD not in str(caught.value)
    for command in ("doctor", "build"):
        answer = run_command(command, database_url=url)
        assert answer.code == 2
        assert PASSWORD not in answer.out + answer.err
        assert "%2F" in answer.out + answer.err


def test_an_escaped_one_is_what_libpq_takes_it_for() -> None:
    parts = parse_url("postgresql://me:a%40b%2Fc%3Fd@db.example:5432/x?application_name=y")
    assert (parts["password"], parts["host"], parts["dbname"]) == ("a@b/c?d", "db.example", "x")


def test_a_full_disk_names_its_cure_wherever_it_is_met(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert BuildError(f"sessions failed: {FULL_DISK}.", cure="Build again.").cure == FULL_DISK_CURE
    for error in (
        psycopg.errors.DiskFull(f"could not extend file: {FULL_DISK}"), OSError(28, FULL_DISK),
        BuildError(f"x failed: {FULL_DISK}", cure="Build again."),
    ):  # fmt: skip

        def fail(error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(cli, "app", fail)
        with pytest.raises(SystemExit) as caught:
            cli.main()
        assert caught.value.code == 1
        assert FULL_DISK_CURE in capsys.readouterr().err


def test_rows_that_somebody_holds_name_their_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise psycopg.errors.LockNotAvailable("canceling statement due to lock timeout")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit):
        cli.main()
    assert "end it (select pid" in capsys.readouterr().err


FOREGROUND = """
import signal
import sys
from pathlib import Path
from agentp.children import run_to_the_end
signal.signal(signal.SIGINT, signal.SIG_IGN if sys.argv[2:] else signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
run_to_the_end(["sh", "-c", "echo $$ > pid; exec sleep 600"], environment={}, folder=Path(sys.argv[1]), kin="sleep")
"""


@pytest.mark.server
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_what_a_command_has_started_ends_with_it_however_that_ends(tmp_path: Path, how: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", FOREGROUND, str(tmp_path)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child = psutil.Process(int((tmp_path / "pid").read_text()))
    if how == signal.SIGINT:
        child.send_signal(how)  # as a terminal does, to both
    parent.send_signal(how)
    parent.wait(timeout=30)
    assert psutil.wait_procs([child], timeout=10)[1] == []


def test_who_starts_it_in_the_background_makes_it_deaf_to_nothing(tmp_path: Path) -> None:
    """A shell has what runs behind it ignore Ctrl-C, and so would what that starts."""
    parent = subprocess.Popen([sys.executable, "-c", FOREGROUND, str(tmp_path), "behind"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child = psutil.Process(int((tmp_path / "pid").read_text()))
    child.send_signal(signal.SIGINT)
    parent.wait(timeout=30)
    assert not child.is_running()
