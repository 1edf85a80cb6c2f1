"""Definitions from settings and dbt's manifest."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from agentp.settings import Settings
from orchestration.defs.dbt import build_models
from orchestration.defs.digests import build_digests
from orchestration.defs.gate import build_gate
from orchestration.defs.jobs import EXECUTOR, build_jobs
from orchestration.defs.messages import build_messages
from orchestration.defs.raw import build_raw_tables
from orchestration.defs.report import build_report
from orchestration.defs.schedules import build_schedules
from orchestration.defs.scores import build_scores
from orchestration.defs.sensors import build_sensors
from orchestration.defs.wishes import build_wishes
from orchestration.graph import AFTER_MESSAGES, AFTER_SCORES, Graph
from orchestration.manifest import read_manifest
from orchestration.partitions import define_days
from orchestration.targets import target
from orchestration.translation import MartTranslator
from systems.registry import has_step

_LOADED: dict[str, dg.Definitions] = {}


def load_definitions(settings: Settings) -> dg.Definitions:
    """Return everything that Dagster shows and runs; the same object for the same settings."""
    key = settings.model_dump_json()
    if key not in _LOADED:
        _LOADED[key] = _load(settings)
    return _LOADED[key]


def _load(settings: Settings) -> dg.Definitions:
    graph = Graph(
        read_manifest(settings),
        MartTranslator(partitions=define_days(settings), fail_window=timedelta(hours=settings.stale_after_hours)),
    )
    after_messages = graph.find_below(graph.find_sources(*AFTER_MESSAGES))
    after_scores = graph.find_below(graph.find_sources(*AFTER_SCORES)) - after_messages
    at_first = graph.find_models() - after_scores - after_messages
    raw = build_raw_tables(graph)
    steps: dict[str, dg.AssetsDefinition] = {
        "gate": build_gate(settings),
        "marts": build_models(
            graph, name="marts", models=at_first, description="Build staging and marts of what changed, and test them."
        ),
    }
    # In the order in which they run.
    if has_step("scores"):
        steps["scores"] = build_scores()
        steps["views"] = build_models(
            graph, name="views_of_scores", models=after_scores, description="Live views that show scores."
        )
    if has_step("messages"):
        steps["messages"] = build_messages()
        steps["outcomes"] = build_models(
            graph, name="views_of_messages", models=after_messages, description="Live views of what messages brought."
        )
    behind = {"wishes": build_wishes, "digests": build_digests, "report": build_report}
    steps |= {name: build() for name, build in behind.items() if has_step(name)}
    return dg.Definitions(
        assets=[*raw, *steps.values()],
        jobs=build_jobs(settings, steps),
        schedules=build_schedules(settings),
        sensors=build_sensors(),
        resources={"target": target},
        executor=EXECUTOR,
    )
