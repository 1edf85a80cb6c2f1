"""Histories lived through by many worlds in one database: each build is all worlds' build, each world an example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from tests.oracle.acceptance import accept_rows
from tests.oracle.records import World
from tests.properties.cases import keep_case
from tests.properties.comparing import WorldError, assert_marts_are_right, assert_nothing_changes
from tests.properties.histories import draw_steps
from tests.properties.moments import AS_OF_DAYS
from tests.properties.raw_tables import change_raw_tables
from tests.properties.worlds import draw_world
from tests.support.marts import Workshop
from tests.support.options import Examples

TOGETHER = 34
"""Worlds a database: all of them are as of the same days, so that more databases are more days."""


@dataclass(frozen=True)
class History:
    """How one world came to be what it is: the worlds that it was, those between two builds together."""

    number: int
    chunks: tuple[tuple[World, ...], ...]


@dataclass(frozen=True)
class Batch:
    """Histories that share a database, as of when it is built after each chunk, and whether it is checked before."""

    histories: tuple[History, ...]
    as_ofs: tuple[date, ...]
    is_checked: bool = False


def draw_batches(examples: Examples, *, chunks: int, is_checked: bool = False) -> list[Batch]:
    """Draw as many histories as there are to be examples, in batches."""
    batches = []
    for first in range(0, examples.count, TOGETHER):
        numbers = range(first, min(first + TOGETHER, examples.count))
        random = Random(f"{examples.seed} as of {first}")
        histories = tuple(draw_history(Random(f"{examples.seed} {number}"), number, chunks) for number in numbers)
        batches.append(Batch(histories, tuple(random.choice(AS_OF_DAYS) for _ in range(chunks)), is_checked))
    return batches


def draw_history(random: Random, number: int, chunks: int) -> History:
    """Draw a world, and a way to it that does not always arrive."""
    target, now, lived = draw_world(random, number), World(), []
    for _ in range(chunks):
        steps = draw_steps(random, now, target, length=random.choice((1, 2, 4, 8)))
        lived.append(tuple(steps))
        now = steps[-1]
    return History(number, tuple(lived))


def replay(workshop: Workshop, batch: Batch) -> None:
    """Lead the raw tables through the histories, build after each chunk, and hold every build against the oracle.

    In the end a build of everything, and another of nothing, change no row. What fails is kept as a case.
    """
    now = [World() for _ in batch.histories]
    for chunk, as_of in enumerate(batch.as_ofs):
        now = _live(workshop, now, [history.chunks[chunk] for history in batch.histories])
        workshop.gather_statistics()
        if batch.is_checked:
            workshop.check()
        workshop.build(as_of=as_of.isoformat())
        try:
            assert_marts_are_right(workshop, [accept_rows(w) for w in now] if batch.is_checked else now, as_of)
        except WorldError as error:
            _keep(batch, error.number)
            raise
    assert_nothing_changes(workshop, batch.as_ofs[-1], full_refresh=True)
    assert_nothing_changes(workshop, batch.as_ofs[-1])


def _live(workshop: Workshop, now: list[World], steps: Sequence[tuple[World, ...]]) -> list[World]:
    """Make the steps of all worlds, the first ones of all in one transaction, and so on."""
    for step in range(max(map(len, steps))):
        after = [taken[step] if step < len(taken) else world for world, taken in zip(now, steps, strict=True)]
        change_raw_tables(workshop.url, now, after)
        now = after
    return now


def _keep(batch: Batch, number: int | None) -> None:
    for history in batch.histories:
        if history.number == number:
            keep_case(history.chunks, batch.as_ofs, is_checked=batch.is_checked)
