"""What the bots write, as the sources that the graph begins with, and other tables that nothing here makes."""

from __future__ import annotations

from typing import Any

import dagster as dg

from orchestration.graph import Graph
from orchestration.translation import RAW


def build_raw_tables(graph: Graph) -> list[dg.AssetSpec]:
    """Return the raw tables with the columns that the standard declares; the gate observes them and checks them."""
    from systems.registry import get_main_system

    declared = get_main_system().columns
    specs = []
    for node in graph.find_sources(RAW):
        props = graph.manifest["sources"][node]
        columns = [dg.TableColumn(column.name, column.type) for column in declared.get(props["name"], {}).values()]
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
