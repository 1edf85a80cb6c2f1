"""Suites are Great Expectations' own: they run in anybody's context and checkpoint, beside whatever the gate does."""

from __future__ import annotations

from pathlib import Path

import great_expectations as gx
import psycopg
from great_expectations.checkpoint.checkpoint import CheckpointResult
from great_expectations.data_context.types.base import ProgressBarsConfig

from expectations.standard import build_suites, copy_suite
from tests.support.marts import Workshop

MESSAGES = "recent_history_v2"


def run_checkpoint(url: str) -> CheckpointResult:
    """Check the messages as the documentation says, in a context that knows nothing of the project."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_postgres(
        "raw", connection_string=url.replace("postgresql://", "postgresql+psycopg://")
    )
    batch = source.add_table_asset(MESSAGES, table_name=MESSAGES).add_batch_definition_whole_table("all rows")
    suite = context.suites.add(copy_suite(MESSAGES))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name=MESSAGES, data=batch, suite=suite))
    return context.checkpoints.add(gx.Checkpoint(name="mine", validation_definitions=[definition])).run()


def test_a_suite_in_a_users_own_checkpoint_finds_what_the_gate_finds_and_writes_nothing(workshop: Workshop) -> None:
    workshop.add_dialogue()
    workshop.add_message(2, "2026-02-01 10:01+00", session="visit", role="robot")
    workshop.add_message(3, "2026-02-01 10:02+00", role="user")
    verdict = workshop.check()
    by_gate = {result.rule_id: result.rows_failed for result in verdict.results if result.table == MESSAGES}
    kept = "select (select count(*) from quality.rule_results), (select count(*) from quality.scratch_rows)"
    with psycopg.connect(workshop.url) as gate:
        # A run of somebody else's is under way.
        gate.execute("insert into quality.runs (present, is_full, standard) values (now(), true, 'x')")
        gate.commit()
        before = gate.execute(kept).fetchone()
        (result,) = run_checkpoint(workshop.url).run_results.values()
        assert gate.execute(kept).fetchone() == before
    found = {
        each.expectation_config.kwargs["rule_id"]: each.result["unexpected_count"]
        for each in result.results
        if each.expectation_config
    }
    assert found == by_gate
    assert found["messages.role_known"] == 1
    assert ["2"] in [each.result["partial_unexpected_list"] for each in result.results]
    assert result.success is False


def test_pages_of_data_docs_fetch_nothing_from_anywhere(workshop: Workshop, tmp_path: Path) -> None:
    workshop.add_dialogue()
    workshop.check(docs=tmp_path)
    pages = {
        path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.html")
    }
    assert [name for name, text in pages.items() if "https://" in text or "http://" in text or "<script" in text] == []
    assert all('data_docs.css"' in text for text in pages.values())
    for table in build_suites():
        assert any(name in pages["index.html"] for name in pages if name.startswith(f"validations/{table}/")), table
