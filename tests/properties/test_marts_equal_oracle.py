"""One build of any raw data publishes what the definitions say (REQUIREMENTS C1 to C7)."""

from __future__ import annotations

from datetime import date

from hypothesis import HealthCheck, given, settings

from tests.oracle.records import World
from tests.properties.comparing import assert_marts_are_right
from tests.properties.examples import take_examples
from tests.properties.moments import as_of_days
from tests.properties.raw_tables import change_raw_tables
from tests.properties.worlds import worlds
from tests.support.marts import Workshop


@settings(max_examples=take_examples(5), print_blob=False, suppress_health_check=list(HealthCheck))
@given(world=worlds(), as_of=as_of_days)
def test_marts_of_any_raw_data_are_those_of_the_oracle(workshop: Workshop, world: World, as_of: date) -> None:
    change_raw_tables(workshop.url, World(), world)
    workshop.build(as_of=as_of.isoformat())
    try:
        assert_marts_are_right(workshop, world, as_of)
    finally:
        change_raw_tables(workshop.url, world, World())
