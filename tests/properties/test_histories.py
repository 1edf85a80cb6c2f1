"""However the data came, the marts are those of one build from nothing (REQUIREMENTS D3).

A hundred histories a property live in three databases, each world with salons of its own, so that one build is all
worlds' build.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from random import Random

import pytest

from tests.properties.cases import KEPT, keep_case, read_case
from tests.properties.replays import Batch, History, draw_batches, draw_history, replay
from tests.support.marts import Workshop
from tests.support.options import Examples


@pytest.mark.parametrize("place", range(3))
def test_any_history_ends_in_the_marts_of_one_build(workshop: Workshop, examples: Examples, place: int) -> None:
    for batch in draw_batches(examples, chunks=4)[place::3]:
        replay(workshop, batch)


def test_any_history_ends_in_the_same_marts_without_change_tracking(
    make_untracked: Callable[[], Workshop], examples: Examples
) -> None:
    for batch in draw_batches(examples, chunks=3):
        replay(make_untracked(), batch)


def test_any_history_checked_before_each_build_ends_in_the_marts_of_the_accepted_rows(
    make_workshop: Callable[[], Workshop], examples: Examples
) -> None:
    for batch in draw_batches(examples, chunks=3, is_checked=True):
        replay(make_workshop(), batch)


@pytest.mark.parametrize("path", sorted(KEPT.glob("*.json")), ids=lambda path: path.stem)
def test_a_history_that_failed_once_ends_in_the_marts_of_one_build(workshop: Workshop, path: Path) -> None:
    case = read_case(path)
    replay(workshop, Batch((History(0, case.chunks),), case.as_ofs, case.is_checked))


def test_a_history_is_kept_as_it_was(tmp_path: Path) -> None:
    [batch] = draw_batches(Examples(count=1, seed=7), chunks=2)
    [history] = batch.histories
    case = read_case(keep_case(history.chunks, batch.as_ofs, is_checked=True, folder=tmp_path))
    assert (case.chunks, case.as_ofs, case.is_checked) == (history.chunks, batch.as_ofs, True)


def test_worlds_share_no_row_and_no_two_seeds_draw_the_same() -> None:
    histories = [draw_history(Random(f"{seed} {number}"), number, 2) for seed in (1, 2) for number in (0, 1)]
    assert all(one.chunks != other.chunks for one, other in combinations(histories, 2))
    last = [history.chunks[-1][-1] for history in histories]
    ids = [{tenant.id for tenant in world.tenants} | {c.id for c in world.clients} for world in last]
    assert not ids[0] & ids[1]
