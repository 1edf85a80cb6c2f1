"""Builds from recorded scripts leave what dbt leaves: the marts, the account of the build and what is queued."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.oracle.records import World
from tests.properties.raw_tables import change_raw_tables
from tests.properties.replays import draw_history
from tests.support.marts import Workshop

STATE = {
    "build.model_runs": "model, was_full, rows_inserted, rows_updated, rows_deleted, row_count",
    "build.runs": "as_of, is_full, outcome, claimed_at",
    "build.touched_days": "tenant_id, day",
    "build.touched_clients": "tenant_id, client_id",
    "build.touched_visitors": "tenant_id, client_id",
    "dashboard.figures_shown": "tenant_id, day, currency, version, figures, timezone, timezone_before",
    "dashboard.restatements": "tenant_id, day, measure, currency, previous_value, value, reason, is_current",
    "dashboard.win_back": "tenant_id, client_id, days_since_last_visit, reason, place",
    "dashboard.slot_recovery": "*",
}


def read_state(workshop: Workshop) -> dict[str, Any]:
    """Return the marts and what builds keep, without when and by which run."""
    kept = {
        name: sorted(
            str([value for column, value in row.items() if column != "claimed_at"])
            for row in workshop.execute(f"select {columns} from {name}")
        )
        for name, columns in STATE.items()
    }
    return {**kept, **workshop.read_marts()}


def test_builds_from_scripts_leave_what_dbt_leaves(make_workshop: Callable[[], Workshop]) -> None:
    """Of what changed and of everything, of some marts, as of a day and as of an instant, which a day's end is not."""
    [first, second, third] = draw_history(Random(11), 0, chunks=3).chunks
    scripted, by_dbt = make_workshop(), make_workshop()
    before = World()
    for chunk, as_of, is_full in (
        (first, "2026-02-27", False), (second, "2026-02-28T12:00:00+00:00", True),
        (third, "2026-02-28T12:30:00+00:00", False),
    ):  # fmt: skip
        for workshop, build in ((scripted, scripted.build), (by_dbt, by_dbt.build_with_dbt)):
            change_raw_tables(workshop.url, before, chunk[-1])
            build(as_of=as_of, full_refresh=is_full)
        before = chunk[-1]
        assert read_state(scripted) == read_state(by_dbt)
    for workshop, build in ((scripted, scripted.build), (by_dbt, by_dbt.build_with_dbt)):
        workshop.execute("delete from recent_history_v2")
        build(as_of="2026-02-28", select="+dialogs kpis")
    assert read_state(scripted) == read_state(by_dbt)
    assert scripted.execute("select * from build.touched_clients") != []


def test_what_was_not_recorded_is_built_by_dbt(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = workshop.recorder
    assert recorder is not None
    assert recorder.fits(workshop.url, workshop.settings)
    assert not recorder.fits(workshop.url, workshop.settings.model_copy(update={"session_gap_minutes": 45}))
    monkeypatch.setenv("AGENTP_BATCH_MESSAGES", "5")
    assert not recorder.fits(workshop.url, workshop.settings)
    monkeypatch.undo()
    workshop.execute("drop schema build cascade")
    assert not recorder.fits(workshop.url, workshop.settings)
