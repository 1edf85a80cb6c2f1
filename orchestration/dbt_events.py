"""dbt in this process, as a stream of Dagster's events.

dagster-dbt translates what dbt says of each node. It would start dbt as a program of its own, which imports
everything a second time and parses anew; here dbt runs in a thread of the run (`agentp.project.run_dbt`, the one way in
which this project runs dbt), so that a run without changes stays cheap enough for a cron line (issue 5).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dagster as dg
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from agentp.project import DbtOutcome
from orchestration.graph import Graph

RESULTS = ("LogModelResult", "LogTestResult")


class DbtStream:
    """One invocation of dbt: iterated, it yields Dagster's events as they come; then ``outcome`` is dbt's.

    ``run`` invokes dbt and hands every event to what it is given. What it raises is raised here, after the events that
    came before it.
    """

    def __init__(
        self, run: Callable[[Callable[[Any], None]], DbtOutcome], *, graph: Graph, context: dg.AssetExecutionContext
    ) -> None:
        self.outcome = DbtOutcome()
        self._run = run
        self._graph = graph
        self._context = context
        self._found: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._error: BaseException | None = None

    def __iter__(self) -> Iterator[Any]:
        # A daemon, so that a run that is told to stop stops: its connections go with the process, nothing is half done.
        threading.Thread(target=self._work, name="dbt", daemon=True).start()
        while (raw := self._found.get()) is not None:
            message = DbtCoreCliEventMessage(raw_event=raw, event_history_metadata={})
            yield from message.to_default_asset_events(
                manifest=self._graph.manifest, dagster_dbt_translator=self._graph.translator, context=self._context
            )
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            self.outcome = self._run(self._hear)
        except BaseException as error:
            # Raised again in the thread that waits for it.
            self._error = error
        finally:
            self._found.put(None)

    def _hear(self, event: Any) -> None:
        from dbt_common.events.functions import msg_to_dict

        if event.info.name in RESULTS:
            self._found.put(msg_to_dict(event))


def choose_arguments(names: Sequence[str]) -> list[str]:
    """Return dbt's arguments to build exactly the named models and tests, each test right after what it reads."""
    return ["build", "--select", *names, "--indirect-selection", "empty", "--exclude-resource-type", "unit_test"]
