"""Databases whose builds may lose everything, for histories delete salons; some may not be altered by triggers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agentp.settings import Settings
from tests.support.marts import Workshop


@pytest.fixture
def make_workshop(make_workshop: Callable[[], Workshop]) -> Callable[[], Workshop]:
    """Make databases whose marts stand, of no salon yet."""

    def make() -> Workshop:
        made = make_workshop()
        made.settings = made.settings.model_copy(update={"brake_share": 1})
        return made

    return make


@pytest.fixture
def workshop(make_workshop: Callable[[], Workshop]) -> Workshop:
    """One of them."""
    return make_workshop()


@pytest.fixture(scope="session")
def _untracked_template(
    make_template: Callable[[Callable[[str], object], str | None], str], built_template: str, home: Path
) -> str:
    def build(url: str) -> None:
        workshop = Workshop(url=url, settings=Settings(home=home, database_url=url, report=False, brake_share=1))
        workshop.migrate(with_change_tracking=False)
        workshop.build()

    return make_template(build, None)


@pytest.fixture
def make_untracked(
    open_database: Callable[[str | None], str], _untracked_template: str, home: Path
) -> Callable[[], Workshop]:
    """Make databases whose marts stand, of no salon yet, without change tracking."""

    def make() -> Workshop:
        url = open_database(_untracked_template)
        return Workshop(url=url, settings=Settings(home=home, database_url=url, report=False, brake_share=1))

    return make


@pytest.fixture
def untracked_workshop(make_untracked: Callable[[], Workshop]) -> Workshop:
    """One of them."""
    return make_untracked()
