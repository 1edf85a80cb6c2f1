"""dbt's own tests run here too: unit tests on their rows, data tests on a demo chain with all its discomforts."""

from __future__ import annotations

from pathlib import Path

from agentp import pipeline
from agentp.database import open_connection
from agentp.project import run_dbt
from sources.exports import load_exports
from systems.agent_p.demo import write_demo
from tests.dbt.conftest import Project
from tests.support.marts import Workshop


def count_tests(project: Project, kind: str) -> int:
    return sum(1 for node in project.manifest["nodes"].values() if node["resource_type"] == kind)


def test_every_unit_test_passes(workshop: Workshop, project: Project) -> None:
    workshop.build()
    outcome = run_dbt(workshop.settings, workshop.url, "test", "--select", "test_type:unit")
    assert outcome.failures == []
    assert outcome.succeeded >= len(project.manifest["unit_tests"]) > 0


def test_every_data_test_passes_on_the_demo_built_in_two_parts(
    workshop: Workshop, project: Project, tmp_path: Path
) -> None:
    workshop.build(as_of="2026-10-31")
    write_demo(tmp_path, sessions=300, seed=11)
    with open_connection(workshop.url) as connection:
        load_exports(connection, tmp_path)
        connection.commit()
    changes = workshop.build(as_of="2026-10-31")
    assert not any(change.was_full for change in changes.values())
    assert changes["dialogs"].inserted > 3_000
    passed = pipeline.check_marts(workshop.settings, workshop.url, as_of="2026-10-31")
    assert passed >= count_tests(project, "test") > 0
