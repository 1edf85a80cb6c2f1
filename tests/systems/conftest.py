"""The toy system (tests/toy) switched on, in a copy of the dbt project that has its models."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from agentp import classification, pipeline, project, settings
from agentp.database import open_connection
from agentp.settings import Settings
from expectations.verdicts import Verdict
from sources.exports import load_exports
from systems import system
from tools.new_system import copy_models

AS_OF = "2026-01-31"
EXPORT = {
    "brands": "id,title\nb1,One\nb2,Two\n",
    "orders": 'id,brand_id,tags,price,paid_at\no1,b1,"{a,""b c""}",10.50,2026-01-05T10:00:00\no2,b2,{},3,\n',
    "events": "id,brand_id,order\n1,b1,o1\n2,b1,o9\n",
}


@dataclass(frozen=True)
class Toy:
    """A database with the toy's raw tables, and what the command line does to it."""

    url: str
    settings: Settings

    def execute(self, statement: str, *, role: str = "none") -> list[dict[str, Any]]:
        """Run a statement, in the role, and return its rows."""
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            connection.execute(f"set role {role}".encode())
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def load(self, folder: Path, files: dict[str, str]) -> None:
        """Load an export."""
        folder.mkdir()
        for name, text in files.items():
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        with open_connection(self.url) as connection:
            load_exports(connection, folder)
            connection.commit()

    def check(self) -> Verdict:
        """Check the raw tables against the standard."""
        return pipeline.check(self.settings, self.url, as_of=AS_OF)

    def build(self, *, full_refresh: bool = False, as_of: str = AS_OF) -> dict[str, tuple[int, int, int, bool]]:
        """Build; return what became of each published model: rows inserted, updated, deleted, and if all were read."""
        changes = pipeline.build(self.settings, self.url, as_of=as_of, full_refresh=full_refresh)
        return {
            change.mart: (change.inserted, change.updated, change.deleted, change.was_full) for change in changes
        }  # fmt: skip


@pytest.fixture(scope="session")
def toy_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the dbt project with the toy's models beside those of the others."""
    folder = tmp_path_factory.mktemp("toy") / "dbt_project"
    shutil.copytree(settings.DBT_PROJECT, folder)
    copy_models("toy", dbt_project=folder)
    return folder


@pytest.fixture(scope="session")
def toy_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt keeps what it parsed."""
    return tmp_path_factory.mktemp("toy_home")


@pytest.fixture
def toy_on(toy_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch the toy system on, and no other."""
    monkeypatch.setenv("AGENTP_SYSTEMS", "tests.toy")
    for module in (classification, project, system):
        monkeypatch.setattr(module, "DBT_PROJECT", toy_project)


@pytest.fixture
def toy(toy_on: None, toy_home: Path, open_database: Callable[[str | None], str], tmp_path: Path) -> Toy:
    """A database with the toy's tables and a few rows."""
    url = open_database(None)
    found = Toy(url=url, settings=Settings(home=toy_home, database_url=url))
    pipeline.migrate(url, with_change_tracking=True, report=lambda line: None)
    found.load(tmp_path / "export", EXPORT)
    return found
