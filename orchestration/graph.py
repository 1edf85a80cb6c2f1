"""dbt's graph as Dagster's assets: which node is which asset, and what stands below what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from orchestration.translation import MartTranslator
from systems.registry import list_systems

AFTER_SCORES = ("scoring", "predictions")
AFTER_MESSAGES = ("activation",)
"""dbt sources that runs write themselves, after marts are built: what reads them is built after that."""


@dataclass(frozen=True)
class Graph:
    """The manifest, seen from Dagster."""

    manifest: Mapping[str, Any]
    translator: MartTranslator

    def find_below(self, roots: Iterable[str]) -> set[str]:
        """Return the models, by unique id, that read the nodes, directly or not; the nodes themselves where models."""
        found: set[str] = set()
        waiting = list(roots)
        while waiting:
            node = waiting.pop()
            if node in found:
                continue
            if node.startswith("model."):
                found.add(node)
            waiting += [child for child in self.manifest["child_map"].get(node, ()) if child.startswith("model.")]
        return found

    def find_sources(self, *names: str) -> list[str]:
        """Return the tables of dbt sources, by unique id."""
        return [node for node, props in self.manifest["sources"].items() if props["source_name"] in names]

    def find_models(self) -> set[str]:
        """Return every model that has a relation of its own, by unique id."""
        return {
            node
            for node, props in self.manifest["nodes"].items()
            if props["resource_type"] == "model" and props["config"]["materialized"] != "ephemeral"
        }

    def find_key(self, node: str) -> dg.AssetKey:
        """Return the asset that a model or source is."""
        return self.translator.get_asset_key(self.translator.get_resource_props(self.manifest, node))

    def find_parents(self, node: str) -> set[str]:
        """Return what a test or model reads, by unique id."""
        return set(self.manifest["parent_map"].get(node, ()))

    def find_blocked(self, raw_tables: Collection[str]) -> set[str]:
        """Return the models, by unique id, that read any of the raw tables, which are named by their labels."""
        return self.find_below(
            node
            for system in list_systems()
            for node in self.find_sources(system.name)
            if system.prefix + self.manifest["sources"][node]["name"] in raw_tables
        )

    def name(self, node: str) -> str:
        """Return the name by which dbt's selection finds a node and nothing else."""
        return ".".join(self.manifest["nodes"][node]["fqn"])
