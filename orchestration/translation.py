"""How dbt's nodes are named, grouped and owned as Dagster's assets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

from systems.registry import find_labelled, list_systems
from systems.system import System

OWNER = "team:data"


def name_raw_table(label: str) -> list[str]:
    """Return the key of a raw table: its system and its name, where marts stand in another schema than that."""
    system, table = find_labelled(label)
    return [_name_source(system), table.name]


def _name_source(system: System) -> str:
    return f"{system.name}_raw" if system.mart_schema == system.name else system.name


class MartTranslator(DagsterDbtTranslator):
    """Keys are (schema, relation), so that an asset is found by what BI tools call it; raw tables are (system, table).

    ``partitions`` are the days by which daily marts can be built anew; published marts that no run renewed within
    ``fail_window`` are late.
    """

    def __init__(self, *, partitions: dg.DailyPartitionsDefinition, fail_window: timedelta) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True))
        self._partitions = partitions
        self._freshness = dg.FreshnessPolicy.time_window(fail_window=fail_window)

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return (schema, relation)."""
        if dbt_resource_props["resource_type"] == "source":
            raw = {system.name: _name_source(system) for system in list_systems()}
            place = raw.get(dbt_resource_props["source_name"], dbt_resource_props["schema"])
            return dg.AssetKey([place, dbt_resource_props["name"]])
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["alias"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Return the layer, or for marts the area, that the model's folder names."""
        if dbt_resource_props["resource_type"] == "source":
            return None
        layer, area = dbt_resource_props["fqn"][2:4]
        return re.sub(r"\W", "_", area if layer == "marts" else layer)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """Return who the YAML says (`meta: {dagster: {owners: [...]}}`), else the data team."""
        return list(super().get_owners(dbt_resource_props) or [OWNER])

    def get_partitions_def(self, dbt_resource_props: Mapping[str, Any]) -> dg.DailyPartitionsDefinition | None:
        """Return days for the marts that hold a row a day, nothing for all others."""
        return self._partitions if is_daily(dbt_resource_props) else None

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        """Return dagster-dbt's spec, with a deadline for what is published.

        Tables are named without the database: the manifest is parsed where there is none.
        """
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        spec = spec.merge_attributes(
            metadata={
                "dagster/table_name": f"{node['schema']}.{node.get('alias') or node.get('identifier') or node['name']}"
            }
        )
        is_published = node["resource_type"] == "model" and node["config"]["materialized"] == "published"
        return spec.replace_attributes(freshness_policy=self._freshness) if is_published else spec

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetCheckSpec | None:
        """Return dagster-dbt's spec; a test in a file of its own is described by the line that it begins with."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        first_line = self.get_resource_props(manifest, unique_id).get("raw_code", "").strip().split("\n")[0]
        if spec is None or spec.description or not first_line.startswith("--"):
            return spec
        return spec._replace(description=first_line.removeprefix("--").strip())


def is_daily(node: Mapping[str, Any]) -> bool:
    """Whether a dbt node is a mart with a row a local day: `day` is part of its primary key."""
    return any("day" in constraint.get("columns", ()) for constraint in node.get("constraints") or ())
