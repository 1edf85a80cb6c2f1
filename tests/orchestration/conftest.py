"""Definitions that load once, and salons whose marts runs of jobs build."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from psycopg.conninfo import conninfo_to_dict

from agentp.settings import Settings
from orchestration.loading import load_definitions
from tests.support.jobs import JobRun, run_job
from tests.support.marts import Workshop


@pytest.fixture(scope="session")
def loaded(home: Path) -> dg.Definitions:
    """The definitions as a deployment with default settings sees them; its database is nowhere."""
    return load_definitions(Settings(home=home, database_url="postgresql://nobody@127.0.0.1:1/nowhere"))


@pytest.fixture(scope="session")
def _filled_salons(make_database: Callable[[str | None], str], _template: str) -> str:
    url = make_database(_template)
    _fill(Workshop(url=url, settings=Settings(database_url=url)))
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def salons(open_database: Callable[[str | None], str], _filled_salons: str, home: Path) -> Workshop:
    """Three salons, in Moscow, Vladivostok and New York, with a client, a booking and its messages each."""
    return _open(open_database(_filled_salons), home)


@pytest.fixture(scope="session")
def _first_run(make_database: Callable[[str | None], str], _filled_salons: str, home: Path) -> tuple[str, JobRun]:
    url = make_database(_filled_salons)
    return str(conninfo_to_dict(url)["dbname"]), run_job(_open(url, home))


@pytest.fixture
def first_run(_first_run: tuple[str, JobRun]) -> JobRun:
    """What came of the first daily run of these salons."""
    return _first_run[1]


@pytest.fixture
def built_salons(open_database: Callable[[str | None], str], _first_run: tuple[str, JobRun], home: Path) -> Workshop:
    """These salons as their first daily run left them."""
    return _open(open_database(_first_run[0]), home)


def _open(url: str, home: Path) -> Workshop:
    return Workshop(url=url, settings=Settings(home=home, database_url=url, report=False, retry_seconds=0.05))


def _fill(workshop: Workshop) -> None:
    places = (("salon", "Europe/Moscow"), ("far", "Asia/Vladivostok"), ("west", "America/New_York"))
    for number, (name, timezone) in enumerate(places):
        workshop.add_tenant(name, timezone=timezone)
        client = f"{name} client"
        workshop.add_client(name, client)
        for day in (9, 10):
            session = f"{name} visit {day}"
            workshop.add_session(
                session, f"2026-02-{day:02} 12:00+00", f"2026-02-{day:02} 12:20+00", tenant=name, client=client,
                booking_id=f"{name}-{day}", booking_source="bot", booking_status="confirmed",
                booking_datetime=f"2026-02-{day + 10} 12:00+00", booking_amount=1500, booking_currency="RUB",
            )  # fmt: skip
            for minute, role in ((0, "user"), (1, "assistant")):
                workshop.add_message(
                    number * 100 + day * 2 + minute, f"2026-02-{day:02} 12:{minute:02}+00", session=session, role=role,
                    tenant=name, client=client,
                )  # fmt: skip
