"""The project as dbt sees it: its manifest, and its SQL as compiled for a full and for a scoped build."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentp.project import run_dbt
from agentp.settings import Settings
from tests.support.marts import Workshop


@dataclass(frozen=True)
class Project:
    """The manifest's nodes by unique id, and each model's compiled SQL by kind of build and name."""

    manifest: dict[str, Any]
    compiled: dict[str, dict[str, str]]

    def models(self) -> list[dict[str, Any]]:
        """Return the models of this project."""
        return [node for node in self.manifest["nodes"].values() if node["resource_type"] == "model"]


@pytest.fixture(scope="session")
def project(
    make_database: Callable[[str | None], str], _template: str, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """Build twice, so that both ways of compiling are there: everything, and what changed."""
    url = make_database(_template)
    home = tmp_path_factory.mktemp("project")
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url))
    compiled = {}
    for kind in ("full", "scoped"):
        changes = workshop.build()
        assert all(change.was_full == (kind == "full") for change in changes.values())
        compiled[kind] = read_compiled(home / "dbt" / "target" / "compiled" / "agentp" / "models")
    run_dbt(workshop.settings, workshop.url, "parse")
    manifest = json.loads((home / "dbt" / "target" / "manifest.json").read_text(encoding="utf-8"))
    return Project(manifest=manifest, compiled=compiled)


def read_compiled(folder: Path) -> dict[str, str]:
    """Return the compiled SQL of every model by its name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.rglob("*.sql")}
