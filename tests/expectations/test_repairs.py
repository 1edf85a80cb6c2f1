"""Sessions written back to messages: what is repaired, what is left, what the log says, and that it can be undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from agentp.errors import AgentpError
from agentp.settings import Settings
from systems.agent_p.repairs import plan_session_repair, repair_sessions, undo_repair
from tests.support.marts import Workshop, make_id


@pytest.fixture(scope="module")
def _built(make_database: Callable[[str | None], str], built_template: str, home: Path) -> str:
    """The name of a database with the salon below, built once for all tests."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url))
    workshop.add_tenant()
    workshop.add_client()
    workshop.add_session("visit", "2026-02-01 10:00+00", "2026-02-01 10:20+00", messages_count=2)
    workshop.add_message(1, "2026-02-01 10:00+00")
    workshop.add_message(2, "2026-02-01 10:05+00", role="assistant")
    workshop.add_message(3, "2026-02-03 10:00+00")
    workshop.build()
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def legacy(open_database: Callable[[str | None], str], _built: str, home: Path) -> Workshop:
    """A salon whose messages name no session: two lie in the window of one, one lies in none."""
    url = open_database(_built)
    return Workshop(url=url, settings=Settings(home=home, database_url=url))


def read_raw_sessions(workshop: Workshop) -> dict[int, Any]:
    return {row["id"]: row["session_id"] for row in workshop.execute("select id, session_id from recent_history_v2")}


def test_a_dry_run_counts_and_changes_nothing(legacy: Workshop) -> None:
    report = plan_session_repair(legacy.url)
    assert (report.messages, report.repair_id, report.left_changed) == (2, None, 0)
    assert [(tenant.tenant_name, tenant.messages, tenant.sessions) for tenant in report.tenants] == [("salon", 2, 1)]
    assert set(read_raw_sessions(legacy).values()) == {None}


def test_matched_messages_get_their_session_and_inferred_ones_are_left(legacy: Workshop) -> None:
    before = legacy.execute("select message_id, session_id, position from dashboard.dialogs order by 1")
    assert repair_sessions(legacy.url).messages == 2
    assert read_raw_sessions(legacy) == {1: make_id("visit"), 2: make_id("visit"), 3: None}
    legacy.build()
    assert legacy.execute("select message_id, session_id, position from dashboard.dialogs order by 1") == before
    sources = {message: source for message, (_, source) in legacy.sessions_of_messages().items()}
    assert sources == {1: "recorded", 2: "recorded", 3: "inferred"}


def test_every_change_is_in_the_log_and_a_second_repair_finds_nothing(legacy: Workshop) -> None:
    repair = repair_sessions(legacy.url).repair_id
    log = legacy.execute("select * from quality.session_repairs order by message_id")
    assert [(row["repair_id"], row["message_id"], row["old_session_id"]) for row in log] == [
        (repair, 1, None), (repair, 2, None),
    ]  # fmt: skip
    assert repair_sessions(legacy.url).messages == 0
    legacy.build()
    assert repair_sessions(legacy.url).messages == 0
    assert legacy.execute("select count(*) as n from quality.repairs") == [{"n": 1}]


def test_a_repair_is_taken_back_but_not_over_what_somebody_wrote_since(legacy: Workshop) -> None:
    repair = repair_sessions(legacy.url).repair_id
    legacy.add_session("other visit", "2026-02-01 10:00+00", "2026-02-01 10:20+00")
    legacy.execute("update recent_history_v2 set session_id = %s where id = 2", [make_id("other visit")])
    assert repair is not None
    assert undo_repair(legacy.url, repair) == (1, 1)
    assert read_raw_sessions(legacy) == {1: None, 2: make_id("other visit"), 3: None}
    assert undo_repair(legacy.url, repair) == (0, 1)


def test_a_client_who_changed_since_the_build_is_left_for_the_next(legacy: Workshop) -> None:
    # The window moved away, and no build knows it yet.
    legacy.execute("update conversation_sessions_v2 set started_at = '2026-02-01 10:04+00'")
    report = repair_sessions(legacy.url)
    assert (report.messages, report.left_changed) == (0, 2)
    legacy.build()
    report = repair_sessions(legacy.url)
    assert (report.messages, report.left_changed) == (1, 0)
    assert read_raw_sessions(legacy) == {1: None, 2: make_id("visit"), 3: None}


def test_a_repair_goes_in_batches_and_one_that_dies_leaves_whole_ones(
    legacy: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("systems.agent_p.repairs.BATCH", 1)

    def die(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        repair_sessions(legacy.url, announce=die)
    assert read_raw_sessions(legacy) == {1: make_id("visit"), 2: None, 3: None}
    assert legacy.execute("select message_id from quality.session_repairs") == [{"message_id": 1}]
    legacy.build()
    assert repair_sessions(legacy.url).messages == 1


def test_messages_of_another_salon_with_the_same_times_are_untouched(legacy: Workshop) -> None:
    legacy.add_tenant("other")
    legacy.add_client("other", "client of other")
    legacy.add_message(4, "2026-02-01 10:05+00", tenant="other", client="client of other")
    legacy.build()
    repair_sessions(legacy.url)
    assert read_raw_sessions(legacy)[4] is None


def test_before_a_build_and_before_the_migration_it_says_what_to_do(
    open_database: Callable[[str | None], str], home: Path
) -> None:
    url = open_database(None)
    legacy = Workshop(url=url, settings=Settings(home=home, database_url=url))
    legacy.migrate(is_oldest=True, with_change_tracking=False)
    with pytest.raises(AgentpError, match="agentp run"):
        plan_session_repair(url)
    legacy.build()
    with pytest.raises(AgentpError, match="agentp migrate"):
        repair_sessions(url)


def test_an_unknown_repair_is_named(legacy: Workshop) -> None:
    with pytest.raises(AgentpError, match="no repair 99"):
        undo_repair(legacy.url, 99)
