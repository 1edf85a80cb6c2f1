"""dbt by hand is dbt: with the environment that the project needs, and under the lock where it builds."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agentp.dbt_by_hand import describe_environment_by_hand, run_dbt_by_hand, write_exports
from agentp.errors import SetupError
from agentp.settings import DBT_PROJECT
from tests.support.marts import Workshop


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, workshop: Workshop) -> list[dict[str, Any]]:
    """What was started, with its environment and whether the lock of builds was held meanwhile; it ends with 3."""
    found: list[dict[str, Any]] = []

    def start(words: list[str], *, env: dict[str, str], cwd: Path, check: bool) -> subprocess.CompletedProcess[str]:
        held = workshop.execute(
            "select count(*) as n from pg_locks where locktype = 'relation' and mode = 'ExclusiveLock' "
            "and relation in (select oid from pg_class where relnamespace = 'build'::regnamespace)"
        )
        found.append({"words": words, "env": env, "cwd": cwd, "is_locked": held[0]["n"] > 0})
        return subprocess.CompletedProcess(words, 3)

    monkeypatch.setattr("agentp.dbt_by_hand.subprocess.run", start)
    return found


@pytest.mark.parametrize(
    ("words", "is_locked"),
    [
        (["ls", "--select", "marts.daily"], False),
        (["run", "--select", "visits"], True),
        (["test"], False),
        (["--no-use-colors", "run", "--empty"], True),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else "",
)
def test_dbt_gets_its_connection_and_variables_and_builds_under_the_lock(
    workshop: Workshop, started: list[dict[str, Any]], words: list[str], is_locked: bool
) -> None:
    settings = workshop.settings.model_copy(update={"session_gap_minutes": 45})
    assert run_dbt_by_hand(settings, workshop.url, words, as_of="2026-02-28") == 3
    (call,) = started
    assert Path(call["words"][0]).name == "dbt"
    assert call["words"][1:-2] == words
    assert json.loads(call["words"][-1])["session_gap_minutes"] == 45
    assert call["env"]["AGENTP_AS_OF"] == "2026-02-28"
    assert call["env"]["DBT_TARGET_PATH"] == str(DBT_PROJECT / "target")
    assert call["is_locked"] is is_locked
    password = workshop.url.split(":")[2].split("@")[0]
    assert call["env"]["AGENTP_PG_PASSWORD"] == password
    assert not [word for word in call["words"] if password in word]


def test_a_users_own_variable_counts_beside_the_settings(workshop: Workshop, started: list[dict[str, Any]]) -> None:
    words = ["ls", "--vars", "{session_gap_minutes: 7, mine: x}", "--select", "visits"]
    run_dbt_by_hand(workshop.settings, workshop.url, words)
    handed = json.loads(started[0]["words"][-1])
    assert (handed["session_gap_minutes"], handed["mine"]) == (7, "x")
    assert handed["default_timezone"] == workshop.settings.default_timezone
    assert started[0]["words"].count("--vars") == 1


def test_without_a_subcommand_the_cure_names_one(workshop: Workshop) -> None:
    with pytest.raises(SetupError) as refusal:
        run_dbt_by_hand(workshop.settings, workshop.url, [])
    assert "agentp dbt ls" in refusal.value.cure


def test_a_shell_reads_the_exports_as_they_are(workshop: Workshop) -> None:
    environment = describe_environment_by_hand(workshop.settings, workshop.url) | {"AGENTP_PG_PASSWORD": "a'b $c `d`"}
    script = write_exports(environment) + '\nprintf %s "$AGENTP_PG_PASSWORD"'
    assert subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout == "a'b $c `d`"


def test_a_shell_keeps_nothing_that_is_right_for_one_run_alone(workshop: Workshop) -> None:
    """The definition of today would vouch for what is built of models edited tomorrow."""
    script = write_exports(describe_environment_by_hand(workshop.settings, workshop.url, as_of="2026-02-28"))
    assert "AGENTP_AS_OF=2026-02-28" in script
    assert "AGENTP_DEFINITION" not in script
