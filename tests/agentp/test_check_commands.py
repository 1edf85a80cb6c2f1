"""`agentp check` and `agentp repair`: exit codes, and what people get to read."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.agentp.conftest import RunCommand
from tests.expectations.good_salon import write_good_salon
from tests.support.marts import Workshop

AS_OF = ("--as-of", "2026-03-31")


@pytest.fixture
def good(workshop: Workshop) -> Workshop:
    """A salon that meets the standard."""
    with psycopg.connect(workshop.url) as connection:
        write_good_salon(connection, "good")
    return workshop


def test_check_returns_0_when_the_standard_is_met(run_command: RunCommand, good: Workshop) -> None:
    answer = run_command("check", *AS_OF, database_url=good.url)
    assert answer.code == 0, answer.out + answer.err
    assert "The data standard is met." in answer.out


def test_a_warning_alone_returns_0_and_is_shown(run_command: RunCommand, good: Workshop) -> None:
    good.execute("update clients_v2 set full_name = null")
    answer = run_command("check", *AS_OF, database_url=good.url)
    assert answer.code == 0
    assert "clients.full_name_present" in answer.out
    assert "Only warnings fail." in answer.out


def test_something_critical_returns_1_with_counts_keys_and_meaning(run_command: RunCommand, good: Workshop) -> None:
    good.execute("update recent_history_v2 set role = 'robot' where id = (select min(id) from recent_history_v2)")
    key = good.execute("select min(id) as id from recent_history_v2")[0]["id"]
    answer = run_command("check", *AS_OF, database_url=good.url)
    assert answer.code == 1
    (line,) = [line for line in answer.out.splitlines() if line.split()[:2] == ["messages.role_known", "critical"]]
    total = good.execute("select count(*) as n from recent_history_v2")[0]["n"]
    assert line.split()[2:] == ["1", str(total), "1"]
    assert f"role is user or assistant. E.g. {key}." in answer.out
    russian = run_command("check", *AS_OF, "--lang", "ru", database_url=good.url)
    assert "role равен user или assistant." in russian.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--lang", "de"), "--lang is 'de'"),
        (("--as-of", "soon"), "neither a day nor an instant"),
        (("--docs", "/proc/nowhere/site"), "cannot be written to /proc/nowhere/site"),
    ],
)
def test_a_wrong_argument_returns_2(
    run_command: RunCommand, good: Workshop, arguments: tuple[str, ...], says: str
) -> None:
    answer = run_command("check", *arguments, database_url=good.url)
    assert answer.code == 2
    assert says in answer.err


def test_a_database_that_nobody_used_returns_2(run_command: RunCommand, database_url: str) -> None:
    answer = run_command("check", database_url=database_url)
    assert answer.code == 2
    assert "agentp migrate" in answer.err


def test_check_looks_at_what_changed_and_on_demand_at_every_row(run_command: RunCommand, good: Workshop) -> None:
    assert "looked at every row" in run_command("check", *AS_OF, database_url=good.url).out
    assert "looked at what changed" in run_command("check", *AS_OF, database_url=good.url).out
    assert "looked at every row" in run_command("check", "--all", *AS_OF, database_url=good.url).out


def test_check_renders_a_site(run_command: RunCommand, good: Workshop, tmp_path: Path) -> None:
    answer = run_command("check", *AS_OF, "--docs", str(tmp_path / "site"), database_url=good.url)
    assert answer.code == 0
    assert str(tmp_path / "site" / "index.html") in answer.out
    assert (tmp_path / "site" / "index.html").exists()


def test_repair_shows_then_applies_then_takes_back(run_command: RunCommand, good: Workshop) -> None:
    good.execute("update recent_history_v2 set session_id = null")
    count = good.execute("select count(*) as n from recent_history_v2")[0]["n"]
    good.check(as_of=AS_OF[1])
    good.build(as_of=AS_OF[1])
    dry = run_command("repair", "sessions", "--dry-run", database_url=good.url)
    assert f"{count} messages would get their session. Nothing was changed" in dry.out
    applied = run_command("repair", "sessions", "--apply", database_url=good.url)
    assert f"{count} messages have their session now (repair 1)" in applied.out
    assert good.execute("select count(session_id) as n from recent_history_v2") == [{"n": count}]
    undone = run_command("repair", "sessions", "--undo", "1", database_url=good.url)
    assert f"{count} messages have no session again; 0 were changed" in undone.out
    unknown = run_command("repair", "sessions", "--undo", "9", database_url=good.url)
    assert unknown.code == 2
    assert "There is no repair 9" in unknown.err
