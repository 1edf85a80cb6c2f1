"""Databases that may not be altered by triggers: their builds compare fingerprints instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from agentp.settings import Settings
from tests.support.marts import Workshop


@pytest.fixture(scope="session")
def _untracked_template(make_database: Callable[[str | None], str], built_template: str, home: Path) -> str:
    url = make_database(None)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))
    workshop.migrate(with_change_tracking=False)
    workshop.build()
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def make_untracked(
    open_database: Callable[[str | None], str], _untracked_template: str, home: Path
) -> Callable[[], Workshop]:
    """Make databases whose marts stand, of no salon yet, without change tracking."""

    def make() -> Workshop:
        url = open_database(_untracked_template)
        return Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))

    return make


@pytest.fixture
def untracked_workshop(make_untracked: Callable[[], Workshop]) -> Workshop:
    """One of them."""
    return make_untracked()
