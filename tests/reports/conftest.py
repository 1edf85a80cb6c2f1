"""What the tests of reports share: one chain of salons, built once, and its sites, written once a run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser
from psycopg.conninfo import conninfo_to_dict

from agentp.settings import Settings
from reports.audiences import Audience
from reports.site import write_site
from tests.agentp.conftest import run_command as run_command
from tests.conftest import name_database
from tests.reports.chain_filled import fill_chain, note_runs, score_chain
from tests.support.browser import Watched, open_browser, watch
from tests.support.marts import Workshop


@pytest.fixture(scope="session")
def chain(make_database: Callable[[str | None], str], built_template: str, home: Path) -> Workshop:
    """The chain, checked, built and scored; no test changes it."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))
    fill_chain(workshop)
    workshop.check()
    workshop.build()
    score_chain(workshop)
    note_runs(workshop)
    # Great Expectations keeps its connections, and a database that anybody is connected to is no template.
    workshop.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    return workshop


@pytest.fixture(scope="session")
def owner_site(chain: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of all salons as their owners see it."""
    folder = tmp_path_factory.mktemp("owner")
    write_site(chain.url, folder, audience=Audience.OWNER, processes=1)
    return folder


@pytest.fixture(scope="session")
def analyst_site(chain: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of all salons as analysts see it."""
    folder = tmp_path_factory.mktemp("analyst")
    write_site(chain.url, folder, audience=Audience.ANALYST, processes=1)
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all pages."""
    with open_browser() as found:
        yield found


@pytest.fixture(scope="session")
def _window(browser: Browser) -> Iterator[Watched]:
    """A laptop's window for one test after another: in a new one each page costs five times as much at first."""
    with watch(browser) as found:
        yield found


@pytest.fixture
def watched(_window: Watched) -> Iterator[Watched]:
    """A page that must not have complained, nor asked the network, by the end of the test."""
    _window.clear()
    yield _window
    _window.expect_peace()


@pytest.fixture
def make_copy(chain: Workshop, open_database: Callable[[str | None], str], home: Path) -> Callable[[], Workshop]:
    """Make copies of the chain's database, which tests may change."""

    def make() -> Workshop:
        url = open_database(str(conninfo_to_dict(chain.url)["dbname"]))
        return Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))

    return make


@pytest.fixture(scope="session")
def _small(chain: Workshop, make_database: Callable[[str | None], str]) -> str:
    """The name of a database with the chain and a dozen clients a salon: its site is written in a second."""
    url = make_database(str(conninfo_to_dict(chain.url)["dbname"]))
    with psycopg.connect(url) as connection:
        kept = "select id from clients_v2 where telegram_chat_id <= 12"
        for table in ("dashboard.dialogs", "dashboard.sessions", "dashboard.clients", "dashboard.visits"):
            connection.execute(f"delete from {table} where client_id not in ({kept})")
        connection.execute(f"delete from dashboard.persons where person_id not in ({kept})")
        connection.execute(f"delete from wishlist_v2 where user_id not in ({kept})")
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture(scope="session")
def _small_site(_small: str, server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    write_site(name_database(server_url, _small), folder, audience=Audience.OWNER, processes=1)
    return folder


@pytest.fixture
def small(open_database: Callable[[str | None], str], _small: str, home: Path) -> Workshop:
    """A copy of the small chain."""
    url = open_database(_small)
    return Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))


@pytest.fixture
def site(_small_site: Path, tmp_path: Path) -> Path:
    """A copy of the owners' site of the small chain."""
    return Path(shutil.copytree(_small_site, tmp_path / "site"))
