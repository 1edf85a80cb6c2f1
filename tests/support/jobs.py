"""Running a job in this process as the scheduler would: with the executor that it has, on an instance of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation

from orchestration import runs
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


def run_job(workshop: Workshop, job: str = DAILY, *, tags: Mapping[str, str] | None = None) -> JobRun:
    """Run a job; ``tags`` beside those of an ordinary run as of the workshop's last day, alone where they name days."""
    given = dict(tags or {})
    if FIRST_PARTITION not in given:
        given = {AS_OF: LAST_DAY, ONLY_CHANGES: "true", PARTITION: DAY, **given}
    listener = Listener(settings=workshop.settings)
    token = LISTENER.set(listener)
    try:
        with make_instance() as instance:
            result = dg.execute_job(runs.reconstruct_job(job), instance=instance, run_config=runs.QUIET, tags=given)
            return JobRun(result.success, list(result.all_events), listener, result.run_id)
    finally:
        LISTENER.reset(token)
