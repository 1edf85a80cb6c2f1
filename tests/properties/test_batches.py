"""A build that reads the bots' tables part by part publishes what one that reads them at once publishes (issue 7)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import psycopg
import pytest

from agentp import pipeline
from agentp.errors import BuildError
from agentp.project import run_dbt
from tests.properties.comparing import assert_nothing_changes
from tests.support.marts import AS_OF, Workshop
from tests.support.waiting import wait_until


def test_what_was_built_at_once_is_not_changed_by_parts(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(workshop)
    workshop.build()
    assert workshop.execute("select up_to from build.batches") == []
    monkeypatch.setenv("AGENTP_BATCH_MESSAGES", "5")
    assert_nothing_changes(workshop, date(2026, 2, 28), full_refresh=True)
    assert len(workshop.execute("select up_to from build.batches")) == 3


def test_a_build_of_many_clients_reads_them_in_parts_and_one_of_few_at_once(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(workshop)
    workshop.build()
    workshop.execute("analyze")
    monkeypatch.setenv("AGENTP_BATCH_MESSAGES", "5")
    workshop.execute("update recent_history_v2 set message = 'снова' where id = 1")
    assert workshop.build()["dialogs"].updated == 1
    assert workshop.execute("select up_to from build.batches") == []
    workshop.execute("update recent_history_v2 set message = message || '!'")
    changed = workshop.build()["dialogs"]
    assert (changed.was_full, changed.updated) == (False, 20)
    assert len(workshop.execute("select up_to from build.batches")) == 3


def test_a_row_that_comes_twice_fails_in_parts_as_it_does_at_once(
    raw_workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(raw_workshop)
    raw_workshop.execute("alter table recent_history_v2 drop constraint recent_history_v2_session_id_fkey")
    raw_workshop.execute("alter table conversation_sessions_v2 drop constraint conversation_sessions_v2_session_id_key")
    raw_workshop.add_session("visit 3", "2026-02-01 10:00+00", "2026-02-01 10:20+00", client="client 3")
    for messages in ("200000", "5"):
        monkeypatch.setenv("AGENTP_BATCH_MESSAGES", messages)
        with pytest.raises(BuildError, match=r"duplicate key|could not create unique index"):
            raw_workshop.build()


def test_nothing_of_the_bots_is_held_while_what_was_read_in_parts_is_published(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(workshop)
    workshop.build()
    monkeypatch.setenv("AGENTP_BATCH_MESSAGES", "5")
    waits = "from pg_locks where relation = 'dashboard.dialogs'::regclass and not granted"
    with psycopg.connect(workshop.url) as reader, ThreadPoolExecutor(1) as pool:
        reader.execute("lock table dashboard.dialogs in share mode")
        built = pool.submit(workshop.build, full_refresh=True)
        wait_until(workshop, f"select count(*) {waits}", [])
        held = workshop.execute(
            "select relation::regclass::text as name from pg_locks "
            f"where pid in (select pid {waits}) and relation = any(array['recent_history_v2', "
            "'conversation_sessions_v2', 'clients_v2', 'tenants_v2']::regclass[])"
        )
        reader.rollback()
        assert built.result()["dialogs"].was_full
    assert held == []


def test_dbt_by_hand_runs_unit_tests_beside_models_that_are_built_in_parts(
    raw_workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(raw_workshop)
    monkeypatch.setenv("AGENTP_BATCH_MESSAGES", "5")
    selection = ["--select", "+dialogs +sessions", "--exclude-resource-type", "test"]
    with pipeline.open_build(raw_workshop.url):
        outcome = run_dbt(raw_workshop.settings, raw_workshop.url, "build", *selection, as_of=AS_OF)
    assert outcome.failures == []
    assert len(raw_workshop.execute("select up_to from build.batches")) == 3
    assert raw_workshop.execute("select count(*) as n from dashboard.dialogs") == [{"n": 20}]


def fill(workshop: Workshop) -> None:
    """Add ten clients with one dialogue of two messages each."""
    workshop.add_tenant()
    for number in range(10):
        workshop.add_client(name=f"client {number}")
        workshop.add_session(f"visit {number}", "2026-02-01 10:00+00", "2026-02-01 10:20+00", client=f"client {number}")
        for place in (0, 1):
            workshop.add_message(
                2 * number + place, f"2026-02-01 10:0{place}+00", session=f"visit {number}", client=f"client {number}"
            )
