"""The house rules of dbt models (DESIGN, "Names" and "Decisions"), held over the manifest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from agentp.settings import DBT_PROJECT
from tests.dbt.conftest import Project

ENTITIES = {"agent_p": ("client", "visitor", "day")}
PREFIXES = {"staging": "stg_", "intermediate": "int_", "marts": ""}


def layer_of(model: dict[str, Any]) -> str:
    return str(model["fqn"][2])


def find_key(model: dict[str, Any]) -> list[str]:
    for constraint in model["constraints"]:
        if constraint["type"] == "primary_key":
            return list(constraint["columns"])
    return []


def test_names_tell_the_layer(project: Project) -> None:
    strangers = [
        model["name"]
        for model in project.models()
        if not model["name"].startswith(PREFIXES[layer_of(model)])
        or (layer_of(model) == "marts" and model["name"].startswith(("stg_", "int_")))
    ]
    assert strangers == []


def test_staging_names_its_source_system(project: Project) -> None:
    staging = [model for model in project.models() if layer_of(model) == "staging"]
    strangers = [
        model["name"]
        for model in staging
        if not model["name"].startswith(tuple(f"stg_{folder}__" for folder in model["fqn"][1:-1]))
    ]
    assert strangers == []


def test_every_model_says_what_one_row_is(project: Project) -> None:
    silent = [model["name"] for model in project.models() if not model["description"].startswith("One row per ")]
    assert silent == []


def test_every_column_of_a_mart_is_described_and_typed(project: Project) -> None:
    silent = [
        f"{model['name']}.{column['name']}"
        for model in project.models()
        for column in model["columns"].values()
        if not column["description"] or (layer_of(model) == "marts" and not column["data_type"])
    ]
    assert silent == []


def test_no_description_is_copied_within_a_model(project: Project) -> None:
    for model in project.models():
        if layer_of(model) != "marts":
            continue
        texts = [column["description"] for column in model["columns"].values()]
        assert len(texts) == len(set(texts)), model["name"]


def test_descriptions_cite_nothing_that_a_reader_of_the_catalog_lacks(project: Project) -> None:
    cited = re.compile(
        r"METRICS|REQUIREMENTS|DESIGN|EXAMPLES|[\w/]+\.(md|py|sql)\b|\b[Ss]eeds?\b|\b[Ii]ssues? \d|\b[A-H]\d{1,2}\b"
    )
    texts = {
        f"{node['name']}.{column['name'] if column else ''}": (column or node)["description"]
        for nodes in (project.manifest["nodes"], project.manifest["sources"])
        for node in nodes.values()
        if node["resource_type"] in ("model", "source")
        for column in (None, *node["columns"].values())
    }
    assert len(texts) > 400
    assert {name: text for name, text in texts.items() if cited.search(text)} == {}


def test_only_staging_and_the_account_of_raw_rows_read_sources(project: Project) -> None:
    readers = [
        model["name"]
        for model in project.models()
        if layer_of(model) != "staging"
        and model["name"] != "row_accounts"  # sets raw rows beside what staging made of them
        and any(node.startswith("source.") for node in model["depends_on"]["nodes"])
    ]
    assert readers == []


def test_marts_are_published_or_kept_or_live_under_contract_and_by_tenant(project: Project) -> None:
    marts = [model for model in project.models() if layer_of(model) == "marts"]
    assert {model["config"]["materialized"] for model in marts} == {"published", "kept", "stable_view"}
    published = [model for model in project.models() if model["config"]["materialized"] in ("published", "kept")]
    assert [model["name"] for model in published if find_key(model)[:1] != ["tenant_id"]] == []
    for model in [*marts, *published]:
        assert model["config"]["contract"]["enforced"], model["name"]
        assert model["config"]["meta"]["distributed_by"] == "tenant_id", model["name"]
        assert model["columns"]["tenant_id"]["data_type"] == "uuid", model["name"]


def test_every_index_starts_with_the_tenant(project: Project) -> None:
    for model in project.models():
        for columns in model["config"].get("indexes", []):
            assert columns[0] == "tenant_id", (model["name"], columns)


def test_a_scope_is_made_of_the_marts_own_columns(project: Project) -> None:
    for model in project.models():
        scope = model["config"].get("scope")
        if scope:
            assert scope["entity"] in ENTITIES[model["fqn"][1]], model["name"]
            assert scope["columns"][0] == "tenant_id"
            assert {*scope["columns"], *scope.get("also", [])} <= set(model["columns"]), model["name"]
        assert set(model["config"].get("announces", [])) <= set(model["columns"]), model["name"]


def test_every_model_with_logic_has_a_unit_test(project: Project) -> None:
    tested = {test["model"] for test in project.manifest["unit_tests"].values()}
    logical = {
        model["name"] for model in project.models() if layer_of(model) != "staging"
    } - {"int_messages_sessionized", "int_sessions_inferred"}  # fmt: skip  # unions and casts only
    assert logical - tested == set()


def test_models_are_of_readable_length() -> None:
    long = {
        path.stem: lines
        for path in (DBT_PROJECT / "models").rglob("*.sql")
        if not 10 <= (lines := count_lines(path)) <= 145
    }
    assert long == {}


def count_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())
