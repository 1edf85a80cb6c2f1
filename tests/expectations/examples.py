"""How the properties of this room draw examples: the same few on every run, without shrinking."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

from tests.properties.examples import take_examples


def take_few(usual: int) -> settings:
    """Return the settings of a property: some examples, ten times as many with HYPOTHESIS_PROFILE=thorough."""
    return settings(
        max_examples=take_examples(usual),
        deadline=None,
        database=None,
        derandomize=os.environ.get("HYPOTHESIS_PROFILE") != "thorough",
        # Shrinking would take hundreds of checks; a failure names the row.
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
