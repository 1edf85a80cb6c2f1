"""The Dagster instance of a run without a scheduler: it remembers nothing, because nobody asks it afterwards.

What such runs leave for people stands in schema `quality`. Dagster's ephemeral instance files every event in a database
in memory, which cost a third of a run without changes (docs/benchmarks.md, "Runs").
"""

from __future__ import annotations

from typing import Any

import dagster as dg
from dagster._core.instance import InstanceType
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.run_coordinator import DefaultRunCoordinator
from dagster._core.storage.event_log import InMemoryEventLogStorage
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.root import TemporaryLocalArtifactStorage
from dagster._core.storage.runs import InMemoryRunStorage


class ForgetfulEventLog(InMemoryEventLogStorage):
    """An event log that hears events and keeps none; the run itself hands them on to who started it."""

    def store_event(self, event: Any) -> None:
        """Forget the event."""

    def _get_event_records(self, *_: Any, **__: Any) -> list[Any]:
        """Nothing is known of any earlier event."""
        return []


def make_instance() -> dg.DagsterInstance:
    """Return an instance for one run in this process; use it as a context manager."""
    return dg.DagsterInstance(
        instance_type=InstanceType.EPHEMERAL,
        local_artifact_storage=TemporaryLocalArtifactStorage(),  # type: ignore[no-untyped-call]
        run_storage=InMemoryRunStorage(),
        event_storage=ForgetfulEventLog(),
        compute_log_manager=NoOpComputeLogManager(),
        run_coordinator=DefaultRunCoordinator(),
        run_launcher=SyncInMemoryRunLauncher(),
    )
