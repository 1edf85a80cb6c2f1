"""Running a job in this process as the scheduler would: with the executor that it has, on an instance of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation
from dagster._core.definitions.reconstruct import ReconstructableJob

from orchestration import runs
from orchestration.defs.gate import KEPT
from orchestration.instances import make_instance
from orchestration.tags import AS_OF, DAILY, FIRST_PARTITION, ONLY_CHANGES, PARTITION
from orchestration.targets import LISTENER, Listener
from tests.support.marts import AS_OF as LAST_DAY
from tests.support.marts import Workshop

DAY = "2026-02-27"


@dataclass
class JobRun:
    """What came of a run: whether all of it succeeded, Dagster's events, and what steps left for who listens."""

    success: bool
    events: list[dg.DagsterEvent]
    listener: Listener
    run_id: str

    def find_steps(self, event_type: str) -> list[str]:
        """Return the steps that have an event of the type, such as `STEP_SKIPPED`, in order."""
        return [str(event.step_key) for event in self.events if event.event_type_value == event_type]

    def find_failed_checks(self) -> dict[str, AssetCheckEvaluation]:
        """Return the checks that did not pass, by name."""
        found = [
            event.asset_check_evaluation_data
            for event in self.events
            if event.event_type_value == "ASSET_CHECK_EVALUATION"
        ]
        return {check.check_name: check for check in found if not check.passed}

    def find_materializations(self) -> dict[str, Mapping[str, Any]]:
        """Return the metadata of every asset that was materialized, by schema.relation."""
        return {
            ".".join(event.asset_key.path): event.materialization.metadata
            for event in self.events
            if event.is_step_materialization and event.asset_key
        }


def run_job(
    workshop: Workshop, job: str = DAILY, *, tags: Mapping[str, str] | None = None, assets: Collection[str] = ()
) -> JobRun:
    """Run a job; ``tags`` beside those of an ordinary run as of the workshop's last day, alone where they name days.

    Of the job, ``assets`` alone with their checks where any are named, as `schema.relation` and as somebody selects
    them on Dagster's page: `+schema.relation` with all that it is made of.
    """
    given = dict(tags or {})
    if FIRST_PARTITION not in given:
        given = {AS_OF: LAST_DAY, ONLY_CHANGES: "true", PARTITION: DAY, **given}
    listener = Listener(settings=workshop.settings)
    token = LISTENER.set(listener)
    try:
        chosen = runs.reconstruct_job(job)
        if assets:
            chosen = select_assets(chosen, assets)
        with make_instance() as instance:
            result = dg.execute_job(chosen, instance=instance, run_config=runs.QUIET, tags=given)
            return JobRun(result.success, list(result.all_events), listener, result.run_id)
    finally:
        LISTENER.reset(token)


def select_assets(job: ReconstructableJob, names: Collection[str]) -> ReconstructableJob:
    """Return the part of a job that makes the assets and their checks; with the gate come its checks of raw tables."""
    layer = job.get_definition().asset_layer
    graph, made = layer.asset_graph, layer.selected_asset_keys
    keys: set[dg.AssetKey] = set()
    for name in names:
        key = dg.AssetKey(name.removeprefix("+").split("."))
        assert key in made, f"{name} is made by no step of {job.job_name}"
        keys |= {key} | (graph.get_ancestor_asset_keys(key) & made if name.startswith("+") else set())
    has_gate = any(dg.AssetKey(["quality", name]) in keys for name in KEPT)
    checks = {
        check
        for check in graph.asset_check_keys
        if check.asset_key in keys or (has_gate and check.asset_key.path[0] == "agent_p")
    }
    return job.get_subset(asset_selection=keys, asset_check_selection=checks)
