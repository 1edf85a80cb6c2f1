"""What makes the next build compute everything anew, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentp import project
from agentp.project import compute_definition
from agentp.settings import Settings

MODEL = """
version: 2
models:
  - name: visits
    description: One row per visit.
    config:
      materialized: published
    columns:
      - name: description
        description: What was done.
        data_type: text
        constraints: [{type: not_null}]
        data_tests: [unique]
"""


@pytest.fixture
def properties(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dbt project's file of properties."""
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: agentp\n", encoding="utf-8")
    (tmp_path / "models" / "visits.sql").write_text("select 1 as description", encoding="utf-8")
    path = tmp_path / "models" / "_visits.yml"
    path.write_text(MODEL, encoding="utf-8")
    monkeypatch.setattr(project, "DBT_PROJECT", tmp_path)
    return path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("One row per visit.", "One row per visit that took place."), ("What was done.", "The service, in words."),
        ("[unique]", "[unique, not_null]"), ("version: 2", "# A comment\nversion: 2"),
    ],
)  # fmt: skip
def test_what_only_tells_or_tests_rebuilds_nothing(properties: Path, old: str, new: str) -> None:
    before = compute_definition(Settings())
    properties.write_text(MODEL.replace(old, new), encoding="utf-8")
    assert compute_definition(Settings()) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("data_type: text", "data_type: varchar"), ("not_null", "primary_key"), ("published", "kept"),
        ("name: description", "name: words"), ("version: 2", "version: ["),
    ],
)  # fmt: skip
def test_types_keys_and_configuration_rebuild_everything(properties: Path, old: str, new: str) -> None:
    before = compute_definition(Settings())
    properties.write_text(MODEL.replace(old, new), encoding="utf-8")
    assert compute_definition(Settings()) != before


def test_sql_and_variables_rebuild_everything(properties: Path) -> None:
    before = compute_definition(Settings())
    assert compute_definition(Settings(session_gap_minutes=31)) != before
    (properties.parent / "visits.sql").write_text("select 2 as description", encoding="utf-8")
    assert compute_definition(Settings()) != before
