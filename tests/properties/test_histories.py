"""However the data came, the marts are those of one build from nothing (REQUIREMENTS D3)."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.acceptance import accept_rows
from tests.oracle.records import World
from tests.properties.comparing import assert_marts_are_right, assert_nothing_changes
from tests.properties.examples import take_examples
from tests.properties.histories import draw_steps
from tests.properties.moments import AS_OF_DAYS
from tests.properties.raw_tables import change_raw_tables
from tests.properties.worlds import worlds
from tests.support.marts import Workshop

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=take_examples(1), suppress_health_check=list(HealthCheck))
@given(target=worlds(), seed=seeds, chunks=st.integers(3, 5))
def test_any_history_ends_in_the_marts_of_one_build(workshop: Workshop, target: World, seed: int, chunks: int) -> None:
    replay_history(workshop, target, Random(seed), chunks)


@settings(max_examples=take_examples(1), suppress_health_check=list(HealthCheck))
@given(target=worlds(), seed=seeds)
def test_any_history_ends_in_the_same_marts_without_change_tracking(
    untracked_workshop: Workshop, target: World, seed: int
) -> None:
    replay_history(untracked_workshop, target, Random(seed), chunks=4)


@settings(max_examples=take_examples(2), suppress_health_check=list(HealthCheck))
@given(target=worlds(), seed=seeds)
def test_any_history_checked_before_each_build_ends_in_the_marts_of_the_accepted_rows(
    workshop: Workshop, target: World, seed: int
) -> None:
    replay_history(workshop, target, Random(seed), chunks=4, is_checked=True)


def replay_history(workshop: Workshop, target: World, random: Random, chunks: int, *, is_checked: bool = False) -> None:
    """Lead the raw tables through a history, build after each chunk, and hold every build against the oracle."""
    now, as_of = World(), AS_OF_DAYS[-1]
    try:
        for _ in range(chunks):
            for after in draw_steps(random, now, target, length=random.choice((1, 2, 8, 16))):
                change_raw_tables(workshop.url, now, after)
                now = after
            as_of = random.choice(AS_OF_DAYS)
            if is_checked:
                workshop.check()
            workshop.build(as_of=as_of.isoformat())
            assert_marts_are_right(workshop, accept_rows(now) if is_checked else now, as_of)
        assert_nothing_changes(workshop, as_of, full_refresh=True)
        assert_nothing_changes(workshop, as_of)
    finally:
        change_raw_tables(workshop.url, now, World())
