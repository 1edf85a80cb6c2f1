"""The jobs: what runs together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from agentp.settings import Settings
from orchestration.tags import (
    BACKFILL,
    DAILY,
    DIGESTS,
    HOURLY,
    LETTERS,
    MARTS,
    OUTBOX,
    PRIORITY,
    TARGET,
    WISHES,
)

EXECUTOR = dg.in_process_executor.configured({"step_dependency_config": {"require_upstream_step_success": False}})
"""A run is one process: dbt and Great Expectations are imported once, and one lock is held to its end. A step begins
when what it reads has come, be it from a step that failed of something else."""

AGAIN = {"dagster/retry_strategy": "ALL_STEPS"}
"""A run whose process died is run again from its first step, whose findings later steps go by."""


def build_jobs(settings: Settings, steps: Mapping[str, dg.AssetsDefinition]) -> list[Any]:
    """Return the jobs over the steps that there are, by their names in their order.

    Messages and the report are part of the daily run as the settings say.
    """
    off = {"wishes", "digests"}
    off |= set() if settings.activation else {"messages"}
    off |= set() if settings.report else {"report"}
    daily = [step for name, step in steps.items() if name not in off]
    whole = _select(*daily) | _select_checks(*daily)
    built = [steps[name] for name in ("marts", "views") if name in steps]
    hourly = _select(steps["gate"], *built)
    if "scores" in steps:
        hourly |= dg.AssetSelection.assets(
            ["dashboard", "predictions"], ["scoring", "booking_scores"], ["scoring", "model_runs"]
        )
    hourly = hourly - _select_checks(*built) | _select_checks(steps["gate"])
    jobs = [
        dg.define_asset_job(
            DAILY, selection=whole, tags={TARGET: MARTS, **AGAIN}, executor_def=EXECUTOR,
            description="Everything: judge the raw rows, build the marts, test them, score"
            + (", write to the bot." if settings.activation else "."),
        ),
        dg.define_asset_job(
            HOURLY, selection=hourly, tags={TARGET: MARTS, **AGAIN}, executor_def=EXECUTOR,
            description="Risk of bookings ahead by what changed in the last hour; days that are over become final.",
        ),
        dg.define_asset_job(
            # Tests look at whole marts, which are whole again when the last chunk is done.
            BACKFILL, selection=_select(steps["marts"]), tags={TARGET: MARTS, **AGAIN}, executor_def=EXECUTOR,
            description="Compute past days anew, from the conversations up.",
        ),
    ]  # fmt: skip
    if "wishes" in steps:
        jobs.append(dg.define_asset_job(
            WISHES, selection=_select(steps["wishes"]), tags={TARGET: OUTBOX, PRIORITY: "10", **AGAIN},
            executor_def=EXECUTOR,
            description="React to new and changed wishes: what matches, and offers where messages are switched on.",
        ))  # fmt: skip
    if "digests" in steps:
        jobs.append(dg.define_asset_job(
            # Beside the marts' runs: a night's build that takes long must not keep the morning's digests waiting.
            DIGESTS, selection=_select(steps["digests"]), tags={TARGET: LETTERS, **AGAIN}, executor_def=EXECUTOR,
            description="Send owners who asked for it what their day, and their week, was like.",
        ))  # fmt: skip
    return jobs


def _select(*steps: dg.AssetsDefinition) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(key for step in steps for key in step.keys)).without_checks()


def _select_checks(*steps: dg.AssetsDefinition) -> dg.AssetSelection:
    return dg.AssetSelection.checks(*(check for step in steps for check in step.check_keys))
