"""One build of any raw data publishes what the definitions say (REQUIREMENTS C1 to C7), at once and part by part."""

from __future__ import annotations

from random import Random

import pytest

from tests.oracle.records import World
from tests.properties.comparing import assert_marts_are_right
from tests.properties.moments import AS_OF_DAYS
from tests.properties.raw_tables import change_raw_tables
from tests.properties.worlds import draw_world
from tests.support.marts import Workshop
from tests.support.options import Examples


@pytest.mark.parametrize("messages", [None, "100"])
def test_marts_of_any_raw_data_are_those_of_the_oracle(
    workshop: Workshop, examples: Examples, monkeypatch: pytest.MonkeyPatch, messages: str | None
) -> None:
    random = Random(f"{examples.seed} {messages}")
    worlds = [draw_world(random, number) for number in range(examples.count)]
    change_raw_tables(workshop.url, World(), worlds)
    workshop.gather_statistics()
    if messages:
        monkeypatch.setenv("AGENTP_BATCH_MESSAGES", messages)
    for as_of in random.sample(AS_OF_DAYS, 1 if messages else 3):
        workshop.build(as_of=as_of.isoformat(), full_refresh=True)
        assert_marts_are_right(workshop, worlds, as_of)
    parts = workshop.execute("select count(*) as n from build.batches")[0]["n"]
    assert (parts > 10) == bool(messages)
