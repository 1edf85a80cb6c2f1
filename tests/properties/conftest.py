"""How many examples a property takes: the same few on every run, more with HYPOTHESIS_PROFILE=thorough."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from agentp.settings import Settings
from tests.support.marts import Workshop

# Shrinking would take hundreds of builds; a failure names the row and shows the raw rows behind it instead.
settings.register_profile(
    "claims", deadline=None, database=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
settings.register_profile("thorough", settings.get_profile("claims"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "claims"))


@pytest.fixture
def workshop(workshop: Workshop) -> Workshop:
    """A workshop whose builds may lose everything: histories delete salons, and each begins with empty tables."""
    workshop.settings = workshop.settings.model_copy(update={"brake_share": 1})
    return workshop


@pytest.fixture
def untracked_workshop(open_database: Callable[[str | None], str], home: Path) -> Workshop:
    """A database that may not be altered by triggers: builds compare fingerprints instead."""
    url = open_database(None)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url, brake_share=1))
    workshop.migrate(with_change_tracking=False)
    return workshop
