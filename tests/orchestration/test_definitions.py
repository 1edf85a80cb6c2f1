"""The graph: it loads without a database, holds everything that there is, and changes only on purpose."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import dagster as dg
import pytest

from agentp.settings import Settings
from expectations.standard import list_rules
from orchestration import manifest as manifests
from orchestration.manifest import prepare_manifest, read_manifest
from tests.orchestration.graphs import GRAPH, describe_definitions


@pytest.fixture(scope="module")
def manifest(home: Path) -> dict[str, dict[str, Any]]:
    return read_manifest(Settings(home=home))


def test_the_graph_is_the_one_that_was_agreed_on(loaded: dg.Definitions) -> None:
    """A change on purpose: `python -m tests.orchestration.graphs`, and look at the difference."""
    assert describe_definitions(loaded) == json.loads(GRAPH.read_text(encoding="utf-8"))


def test_every_model_with_a_relation_is_an_asset_with_a_description_columns_and_an_owner(
    loaded: dg.Definitions, manifest: dict[str, dict[str, Any]]
) -> None:
    graph = loaded.get_repository_def().asset_graph
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model" or node["config"]["materialized"] == "ephemeral":
            continue
        asset = graph.get(dg.AssetKey([str(node["schema"]), str(node["name"])]))
        assert str(node["description"])[:40] in (asset.description or "")
        assert asset.owners
        columns = asset.metadata["dagster/column_schema"].columns
        assert {column.name for column in columns} == set(node["columns"])
        assert columns


def test_every_data_test_of_dbt_is_a_check_on_an_asset_and_blocks_when_it_is_an_error(
    loaded: dg.Definitions, manifest: dict[str, dict[str, Any]]
) -> None:
    graph = loaded.get_repository_def().asset_graph
    blocking = {key.name: graph.get(key).blocking for key in graph.asset_check_keys}
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    assert len(tests) > 30
    for test in tests:
        assert blocking[str(test["name"])] == (str(test["config"]["severity"]).lower() == "error")


def test_every_rule_of_the_standard_is_a_check_on_its_raw_table(loaded: dg.Definitions) -> None:
    graph = loaded.get_repository_def().asset_graph
    for rule in list_rules():
        check = graph.get(dg.AssetCheckKey(dg.AssetKey(["agent_p", rule.table_name]), rule.rule_id.replace(".", "__")))
        assert check.metadata["severity"] == rule.level


def test_every_published_mart_has_a_deadline(loaded: dg.Definitions, manifest: dict[str, dict[str, Any]]) -> None:
    graph = loaded.get_repository_def().asset_graph
    late = {key.path[-1] for key in graph.get_all_asset_keys() if graph.get(key).freshness_policy_or_from_metadata}
    published = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "published"
    }
    assert late == published


def test_the_manifest_is_parsed_once_and_again_when_the_project_changed(home: Path, tmp_path: Path) -> None:
    prepare_manifest(Settings(home=home))
    # Of a copy, so that nobody else has to parse this one again.
    shutil.copytree(home / "dbt", tmp_path / "dbt")
    settings = Settings(home=tmp_path)
    path = tmp_path / "dbt" / "manifest.json"
    first = path.stat().st_mtime_ns
    assert prepare_manifest(settings) == path
    assert path.stat().st_mtime_ns == first
    changed = settings.model_copy(update={"session_gap_minutes": 45})
    assert prepare_manifest(changed).stat().st_mtime_ns > first


def test_activation_is_part_of_the_daily_run_only_where_the_settings_ask_for_it(
    loaded: dg.Definitions, home: Path
) -> None:
    from orchestration.loading import load_definitions

    asked = load_definitions(Settings(home=home, activation=True))
    steps = [{node.name for node in found.resolve_job_def("daily").graph.nodes} for found in (loaded, asked)]
    assert steps[1] - steps[0] == {"activation"}


def test_of_two_that_start_at_once_one_makes_the_manifest_and_the_other_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, database_url="postgresql://nobody@127.0.0.1:1/nowhere")
    others = Barrier(2)
    made = []

    def parse(settings: Settings, url: str, command: str) -> None:
        made.append(command)
        # Were the other one here as well, it would come; dbt would write over what this one is about to read.
        with suppress(BrokenBarrierError):
            others.wait(timeout=1)
        (tmp_path / "dbt" / "target").mkdir(exist_ok=True)
        (tmp_path / "dbt" / "target" / "manifest.json").write_text("{}", encoding="utf-8")

    monkeypatch.setattr(manifests, "run_dbt", parse)
    with ThreadPoolExecutor() as pool:
        paths = list(pool.map(lambda _: prepare_manifest(settings), range(2)))

    assert made == ["parse"]
    assert {path.read_text(encoding="utf-8") for path in paths} == {"{}"}
