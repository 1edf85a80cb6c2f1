"""What a run works on: one database, one present, one lock, and the record of what it did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import psycopg

from agentp.database import open_connection, resolve_url
from agentp.errors import AgentpError
from agentp.locks import is_lock_held, take_lock
from agentp.present import require_reached
from agentp.redaction import scrub, scrub_error
from agentp.settings import Settings, read_settings
from expectations.verdicts import Verdict
from orchestration import history
from orchestration.faults import find_delay, is_passing
from orchestration.history import CheckResult, RunStart
from orchestration.partitions import find_days
from orchestration.schema import prepare_history, require_ours
from orchestration.tags import AS_OF, BACKFILL_ID, FORCE, MIGRATE, STARTED_BY, TARGETS, find_job
from sources.sight import require_sight


class StepError(AgentpError):
    """A step failed of what it had no words of its own for."""


@dataclass
class Listener:
    """Who started a run in this process and wants to hear of it while it goes.

    ``settings`` are those of the run (default: the environment's). ``results`` and ``failures`` are filled by steps.
    """

    settings: Settings | None = None
    results: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, BaseException] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """Hear what is done now."""

    def check(self, settings: Settings, url: str, *, as_of: str) -> Verdict:
        """Run the gate; who has a process at hand that is ready for it may let that one do it."""
        from agentp import pipeline

        return pipeline.check(settings, url, as_of=as_of, report=self.note)


LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@dataclass
class Target:
    """The database that a run works on; connected, locked and noted in `quality.job_runs` by its first step."""

    settings: Settings
    start: RunStart
    is_migrated: bool
    is_forced: bool
    listener: Listener
    _lock_holder: psycopg.Connection[Any] | None = None
    _stack: ExitStack = field(default_factory=ExitStack)
    _url: str | None = None

    @property
    def url(self) -> str:
        """The libpq URL; the embedded server is started where it must be."""
        if self._url is None:
            self._url = resolve_url(self.settings)
        return self._url

    @property
    def as_of(self) -> str:
        """The run's present, a day or an instant: the same for all its steps and attempts."""
        return self.start.as_of

    def begin(self) -> None:
        """Wait until no other run is at work here, and note that this one is. Does nothing while that holds."""
        if self._lock_holder is not None and is_lock_held(self._lock_holder):
            return
        self._let_go()
        connection = self._stack.enter_context(open_connection(self.url, autocommit=True))
        require_ours(connection)
        what = TARGETS[self.start.job]
        # Held from the first step to the last, by what the run writes.
        take_lock(
            connection, f"runs_of_{what}", purpose=f"run ({self.start.job})",
            on_wait=lambda holders: self.listener.note(f"waiting for another run to end, {holders}"),
        )  # fmt: skip
        with self._open_record() as record:
            prepare_history(record)
            history.open_run(record, self.start, alone_among=[job for job in TARGETS if TARGETS[job] == what])
        self._lock_holder = connection

    def end(self) -> None:
        """Note how the run ended and let the next one begin."""
        if self._lock_holder is not None:
            # Where the database is gone, the next run finds this one as died.
            with suppress(psycopg.Error, AgentpError), self._open_record() as record:
                history.close_run(record, run_id=self.start.run_id)
        self._let_go()

    @contextmanager
    def run_step(self, context: dg.OpExecutionContext | dg.AssetExecutionContext) -> Iterator[None]:
        """Begin the run, note the step and how it ends; ask Dagster for another attempt after a fault that passes."""
        step, attempt = context.op_execution_context.op.name, context.op_execution_context.retry_number + 1
        names: dict[str, Any] = {"run_id": self.start.run_id, "step": step, "attempt": attempt}
        try:
            self.begin()
            with self._open_record() as record:
                history.open_step(record, **names)
                require_sight(record)
            require_reached(self.as_of, is_forced=self.is_forced)
            self.listener.note(step)
            yield
        except dg.RetryRequested:
            raise
        except BaseException as error:
            is_tried_again = is_passing(error) and attempt <= self.settings.retries
            told = tell_without_values(error)
            self._close_step(names, outcome="retried" if is_tried_again else "failed", error=error)
            if is_tried_again:
                delay = find_delay(attempt, first_seconds=self.settings.retry_seconds)
                context.log.warning(f"Attempt {attempt} failed of what may pass; another in {delay:g} s: {told}")
                raise dg.RetryRequested(self.settings.retries, seconds_to_wait=delay) from None
            self.listener.failures[step] = error
            # Dagster keeps the error it is raised, with its causes, for everybody who may open its page.
            raise told from None
        with self._open_record() as record:
            history.close_step(record, **names, outcome="succeeded")

    def keep_checks(self, results: Iterable[CheckResult]) -> None:
        """Keep results of checks for BI."""
        with self._open_record() as record:
            history.write_checks(record, results, run_id=self.start.run_id)

    def _let_go(self) -> None:
        with suppress(psycopg.Error, AgentpError):
            self._stack.close()
        self._stack = ExitStack()

    def _close_step(self, names: dict[str, Any], *, outcome: str, error: BaseException) -> None:
        # The first error is the one to tell, and the database may be the reason for it.
        with suppress(psycopg.Error, AgentpError), self._open_record() as record:
            history.close_step(record, **names, outcome=outcome, error=str(error) or type(error).__name__)

    @contextmanager
    def _open_record(self) -> Iterator[psycopg.Connection[Any]]:
        with open_connection(self.url, autocommit=True) as connection:
            yield connection


@dg.resource(description="The database that a run works on, and the run's present.")
def target(init_context: dg.InitResourceContext) -> Iterator[Target]:
    """Yield the run's target; when the run ends, note how, and let the next one begin."""
    run = init_context.run
    tags = dict(run.tags) if run else {}
    listener = LISTENER.get() or Listener()
    backfill = tags.get(BACKFILL_ID)
    start = RunStart(
        run_id=run.run_id if run else "none", job=find_job(run.job_name if run else ""),
        started_by=tags.get(STARTED_BY) or _find_starter(tags),
        as_of=tags.get(AS_OF) or datetime.now(UTC).isoformat(), days=find_days(tags),
        backfill_id=int(backfill) if backfill else None,
    )  # fmt: skip
    found = Target(
        settings=listener.settings or read_settings(), start=start, is_migrated=tags.get(MIGRATE, "true") == "true",
        is_forced=tags.get(FORCE) == "true", listener=listener,
    )  # fmt: skip
    try:
        yield found
    finally:
        found.end()


def tell_without_values(error: BaseException) -> BaseException:
    """Return an error that says the same without secrets and values of rows, and without what led to it.

    What stops a run from outside, and errors of Dagster's own, are returned as they are.
    """
    if not isinstance(error, Exception) or isinstance(error, dg.DagsterError):
        return error
    told = (
        copy(error) if isinstance(error, AgentpError)
        else StepError(f"{type(error).__name__}: {scrub_error(str(error))}", cure="Its stack says where.")
    )  # fmt: skip
    told.message, told.cure = scrub(told.message), scrub(told.cure)
    return told.with_traceback(error.__traceback__)


def _find_starter(tags: dict[str, str]) -> str:
    for tag, starter in (
        ("dagster/backfill", "backfill"), ("dagster/schedule_name", "schedule"), ("dagster/sensor_name", "sensor"),
    ):  # fmt: skip
        if tag in tags:
            return starter
    return "hand"
