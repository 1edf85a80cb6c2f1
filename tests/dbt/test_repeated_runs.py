"""A process that runs dbt many times, as a backfill or a scheduler does, pays for each what it paid for the first."""

from __future__ import annotations

from dbt.adapters.base.impl import DEFAULT_BASE_BEHAVIOR_FLAGS

from agentp.project import run_dbt
from tests.support.marts import Workshop


def test_what_dbt_keeps_in_a_process_does_not_grow_with_each_run(workshop: Workshop) -> None:
    kept = []
    for _ in range(3):
        run_dbt(workshop.settings, workshop.url, "parse")
        kept.append(len(DEFAULT_BASE_BEHAVIOR_FLAGS))
    assert kept[0] == kept[1] == kept[2] > 0
