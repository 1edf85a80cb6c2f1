"""What the bots write, as the sources that the graph begins with, and other tables that nothing here makes."""

from __future__ import annotations

from typing import Any

import dagster as dg

from orchestration.graph import Graph
from systems.registry import list_systems


def build_raw_tables(graph: Graph) -> list[dg.AssetSpec]:
    """Return the raw tables with the columns that the standard declares; the gate observes them and checks them."""
    specs = []
    declared = {system.name: system.columns for system in list_systems()}
    for node in graph.find_sources(*declared):
        props = graph.manifest["sources"][node]
        columns = [
            dg.TableColumn(column.name, column.type)
            for column in declared[props["source_name"]].get(props["name"], {}).values()
        ]
        metadata: dict[str, Any] = {"dagster/column_schema": dg.TableSchema(columns=columns)}
        specs.append(
            dg.AssetSpec(
                graph.find_key(node), description=props["description"], group_name="raw", owners=["team:bots"],
                kinds={"postgres"}, metadata={**metadata, "dagster/table_name": f"{props['schema']}.{props['name']}"},
            )
        )  # fmt: skip
    specs += [
        dg.AssetSpec(
            graph.find_key(node), description=graph.manifest["sources"][node]["description"], group_name="build",
            kinds={"postgres"},
        )
        for node in graph.find_sources("build")
    ]  # fmt: skip
    return specs
