"""Close the runs that a killed code server left behind (issue 5): `close_runs.py PID`, once the next one serves.

Dagster's launcher for one machine does not watch its runs from outside: when the server dies with them (power cut,
`kill -9`), they would be in progress for ever, and the queue would wait for them. Runs are the server's children and
systemd leaves none of them alive, so what has not changed since before the process PID began is dead.

Not before the server serves: `run_retries` looks at a failed run at once, and never again when it cannot load the code.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

import psutil
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.storage.tags import GRPC_INFO_TAG

MESSAGE = "The code server was killed and this run with it; found out when the server started again."
SECONDS_TO_NOTICE = 90
"""The daemon loads a location that it could not reach anew every minute."""


def find_dead_runs(instance: DagsterInstance, *, server_began: datetime) -> list[DagsterRun]:
    """Return what earlier servers have in progress; a run in somebody's shell has no such tag and is left alone."""
    in_progress = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
    found = instance.get_runs(RunsFilter(statuses=in_progress, updated_before=server_began))
    return [run for run in found if GRPC_INFO_TAG in run.tags]


def close_runs(instance: DagsterInstance, *, server_began: datetime) -> list[str]:
    """Mark dead runs as failed, or canceled where somebody had asked for that; return their ids."""
    dead = find_dead_runs(instance, server_began=server_began)
    for run in dead:
        if run.status == DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, MESSAGE)
        else:
            instance.report_run_failed(run, MESSAGE)
    return [run.run_id for run in dead]


if __name__ == "__main__":
    began = datetime.fromtimestamp(psutil.Process(int(sys.argv[1])).create_time(), tz=UTC)
    with DagsterInstance.get() as storage:
        if find_dead_runs(storage, server_began=began):
            time.sleep(SECONDS_TO_NOTICE)
        for run_id in close_runs(storage, server_began=began):
            print(f"Closed run {run_id}: its process died with the code server.")
