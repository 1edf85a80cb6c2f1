"""Salons rendered by several processes, each from the same snapshot; what is wrong with one keeps no other waiting."""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg

from agentp.settings import PROJECT_ROOT
from reports.assets import Assets
from reports.audiences import Audience, Veil
from reports.reading import Connection, Salon, open_snapshot
from reports.salon_pages import write_salon

ALONE_UP_TO = 3
"""So many salons are rendered by this process: another one takes longer to start."""
OF_ALL = (OSError, psycopg.OperationalError, psycopg.InterfaceError, BrokenExecutor)
"""Errors that the next salon would meet as well: a full disk, a lost connection, a killed process."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a process needs to render a salon."""

    url: str
    snapshot: str
    salon: Salon
    folder: Path
    audience: Audience
    assets: Assets
    has_chain: bool


def render_salons(
    work: Sequence[Work], *, connection: Connection, processes: int
) -> Iterator[tuple[Salon, str | None]]:
    """Yield each salon when its pages are made, or with what kept them from being made; raise what is no fault of its.

    ``connection`` is the snapshot of whoever calls, for a few salons or one process.
    """
    if processes < 2 or len(work) <= ALONE_UP_TO:
        for task in work:
            yield task.salon, _write_salon(connection, task)
        return
    # Not forked: a connection, and whatever threads the caller has, would be in both.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        max_workers=min(processes, len(work)), mp_context=context, initializer=_begin,
        initargs=(work[0].url, work[0].snapshot),
    ) as pool:  # fmt: skip
        tasks = {pool.submit(_render_salon, task): task.salon for task in work}
        try:
            for done in as_completed(tasks):
                yield tasks[done], done.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


_READER: list[Connection] = []
"""The connection of a process that renders: one for all its salons, so that Postgres plans each query once."""


def _begin(url: str, snapshot: str) -> None:
    # What is imported stays; looking through it for garbage salon after salon finds nothing.
    gc.freeze()
    stack = ExitStack()
    atexit.register(stack.close)
    _READER.append(stack.enter_context(open_snapshot(url, snapshot))[0])


def _render_salon(work: Work) -> str | None:
    return _write_salon(_READER[0], work)


def _write_salon(connection: Connection, work: Work) -> str | None:
    veil = Veil(work.audience)
    try:
        # A savepoint: what Postgres cannot compute of one salon's rows leaves the snapshot to the others.
        with connection.transaction():
            write_salon(connection, work.salon, work.folder, veil=veil, assets=work.assets, has_chain=work.has_chain)
    except OF_ALL:
        raise
    except Exception as error:
        return _describe_failure(error)
    return None


def _describe_failure(error: Exception) -> str:
    """Return the kind of an error and where it rose; its text may quote a row, and a row may be anybody's."""
    places = [
        f" in {Path(frame.filename).relative_to(PROJECT_ROOT)}, line {frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(PROJECT_ROOT) and "site-packages" not in frame.filename
    ]
    return f"{type(error).__name__}{places[-1] if places else ''}"
