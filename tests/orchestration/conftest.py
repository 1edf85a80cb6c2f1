"""Definitions that load once, and salons whose marts runs of jobs build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class FirstRun:
    """The first daily run of the salons: what came of it, the name of its database, and the site it wrote."""

    run: JobRun
    database: str
    site: Path


@pytest.fixture(scope="session")
def reported_run(
    make_database: Callable[[str | None], str],
    _filled_salons: str,
    built_template: str,
    home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> FirstRun:
    """The first daily run of these salons, with a site; what tests build later is made of recorded scripts."""
    url, site = make_database(_filled_salons), tmp_path_factory.mktemp("first") / "site"
    workshop = _open(url, home)
    workshop.settings = workshop.settings.model_copy(update={"report": True, "report_folder": site})
    return FirstRun(run_job(workshop), str(conninfo_to_dict(url)["dbname"]), site)


@pytest.fixture
def first_run(reported_run: FirstRun) -> JobRun:
    """What came of the first daily run of these salons."""
    return reported_run.run


@pytest.fixture
def built_salons(open_database: Callable[[str | None], str], reported_run: FirstRun, home: Path) -> Workshop:
    """These salons as their first daily run left them."""
    return _open(open_database(reported_run.database), home)


@pytest.fixture
def early_salons(workshop: Workshop) -> Workshop:
    """These salons beside marts that stand and know nothing of them yet: the first build may be of any day."""
    _fill(workshop)
    workshop.settings = workshop.settings.model_copy(update={"retry_seconds": 0.05})
    return workshop


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
