"""The gate in a process of its own, started before anything else.

Importing Great Expectations takes as long as importing Dagster and dbt together; on two cores both are done at once
(docs/benchmarks.md, "Runs").
"""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from agentp.errors import AgentpError
from agentp.redaction import scrub_error
from agentp.settings import Settings

if TYPE_CHECKING:
    from expectations.verdicts import Verdict

NEEDED_LATER = ("activation.scores",)
"""What later steps import: done while the gate is at work and this process has nothing else to do."""


class Gatekeeper:
    """A process that has the gate imported, or is about to."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def check(self, settings: Settings, url: str, *, as_of: str) -> Verdict:
        """Run the gate over there; what it raises is raised here."""
        try:
            self._pipe.send((settings, url, as_of))
            for name in NEEDED_LATER:
                importlib.import_module(name)
            found: Verdict | BaseException = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise AgentpError(
                "The process of the gate went without a word.", cure="Run it again; is there memory left?"
            ) from error
        if isinstance(found, BaseException):
            raise found
        return found


@contextmanager
def open_gatekeeper() -> Iterator[Gatekeeper]:
    """Yield a gatekeeper; its process ends with the block, or with this process."""
    # Spawned, not forked: a child of threads and open connections inherits what it cannot use.
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    there.close()
    try:
        yield Gatekeeper(here)
    finally:
        # Its work is committed or is not; waiting for it to tidy up would take a second.
        process.kill()
        process.join()
        here.close()


def _serve(pipe: Connection) -> None:
    from agentp import pipeline
    from expectations import gate  # noqa: F401

    with suppress(EOFError):
        while True:
            settings, url, as_of = pipe.recv()
            try:
                found: object = pipeline.check(settings, url, as_of=as_of)
                pickle.dumps(found)
            except BaseException as error:
                found = _make_sendable(error)
            pipe.send(found)


def _make_sendable(error: BaseException) -> BaseException:
    """Some errors do not survive the way; what they say does."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return AgentpError(
            f"The gate failed: {type(error).__name__}: {scrub_error(str(error))}.", cure="`agentp check` shows more."
        )
    return error
