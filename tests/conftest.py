"""What every test starts from: one Postgres for the whole run, a fresh database for each test that asks."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from agentp.server import remove_server, start_server
from agentp.settings import Settings
from tests.support import options
from tests.support.costs import Costs
from tests.support.dealing import FolderScheduling, deal
from tests.support.loopback import require_loopback
from tests.support.marts import Workshop
from tests.support.readers import make_owner
from tests.support.scripts import Recorder

FIRST_NAME = f"agentp_test_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
"""The name of each test's first database, one at a time on a worker's server."""


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    options.configure(config)
    config.pluginmanager.register(Costs(), "costs")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker what it would draw for itself."""
    node.workerinput["seed"], node.workerinput["examples"] = node.config.option.seed, node.config.option.examples


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    options.leave_out_servers(config, items)
    if "workerinput" in vars(config):
        deal(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FolderScheduling:
    """Have folders dealt out whole, in our order."""
    config.option.loadscopereorder = False
    return FolderScheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.write_line(options.describe(config))


@pytest.fixture(scope="session")
def examples(pytestconfig: pytest.Config) -> options.Examples:
    """How many random examples a property takes, and their seed."""
    return options.read_examples(pytestconfig)


@pytest.fixture(scope="session", autouse=True)
def _own_settings() -> Iterator[None]:
    """Keep the settings of whoever runs the tests out of them."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AGENTP_")}
    test_url = kept.get("AGENTP_TEST_DATABASE_URL")
    if test_url:
        os.environ["AGENTP_TEST_DATABASE_URL"] = test_url
    yield
    os.environ.pop("AGENTP_TEST_DATABASE_URL", None)
    os.environ.update(kept)


@pytest.fixture(scope="session")
def superuser_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server that the tests work on: AGENTP_TEST_DATABASE_URL (loopback only), else an embedded one."""
    given = os.environ.get("AGENTP_TEST_DATABASE_URL")
    if given:
        require_loopback(given)
        yield given
        return
    home = tmp_path_factory.mktemp("server")
    url = start_server(home=home, preferred_port=54391).url
    with psycopg.connect(url, autocommit=True) as connection:
        # Nothing here has to survive a power cut, and thousands of small commits are quicker so;
        # and what vacuum and statistics do now and then is better not done in the middle of a claim.
        for setting in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
            connection.execute(f"alter system set {setting} = off")
        connection.execute("select pg_reload_conf()")
        # A build opens sixty sessions, and stretching a random password costs each of them ten milliseconds.
        connection.execute("set scram_iterations = 1")
        password = sql.Literal(conninfo_to_dict(url)["password"])
        connection.execute(sql.SQL("alter role current_user password {}").format(password))
    yield url
    remove_server(home=home)


@pytest.fixture(scope="session")
def server_url(superuser_url: str, pytestconfig: pytest.Config) -> str:
    """The same server, as the login that the tests' databases belong to (`--owner`)."""
    if pytestconfig.option.owner == "superuser":
        return superuser_url
    with psycopg.connect(superuser_url, autocommit=True) as superuser:
        owner = make_owner(superuser, "database_owner")
    _, _, place = superuser_url.rpartition("@")
    return f"postgresql://{owner.name}:{quote(owner.password)}@{place}"


@pytest.fixture(scope="session")
def make_database(server_url: str) -> Iterator[Callable[[str | None], str]]:
    """Make a database, empty or like a template, and return its URL; all go at the end of the run."""
    made: list[str] = []

    def make(template: str | None = None) -> str:
        name = f"agentp_test_{secrets.token_hex(6)}"
        with psycopg.connect(server_url, autocommit=True) as connection:
            create_database(connection, name, template)
        made.append(name)
        return name_database(server_url, name)

    yield make
    if not os.environ.get("AGENTP_TEST_DATABASE_URL"):
        return  # the server goes, with all it holds
    with psycopg.connect(server_url, autocommit=True) as connection:
        for name in made:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def make_template(
    server_url: str, make_database: Callable[[str | None], str]
) -> Callable[[Callable[[str], object], str | None], str]:
    """Fill a database, empty at first or like a template, and return the name under which it is a template itself.

    While it is filled it has the name that each test's first database has: dbt parses the whole project anew for a
    database of another name.
    """

    def make(fill: Callable[[str], object], like: str | None) -> str:
        url, aside = name_database(server_url, FIRST_NAME), f"agentp_test_{secrets.token_hex(6)}"
        with psycopg.connect(server_url, autocommit=True) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", (FIRST_NAME,)).fetchone():
                url = make_database(like)
            else:
                create_database(connection, FIRST_NAME, like)
        fill(url)
        name = str(conninfo_to_dict(url)["dbname"])
        if name != FIRST_NAME:
            return name
        with psycopg.connect(server_url, autocommit=True) as connection:
            end_sessions(connection, FIRST_NAME)
            rename = sql.SQL("alter database {} rename to {}")
            connection.execute(rename.format(sql.Identifier(FIRST_NAME), sql.Identifier(aside)))
        return aside

    return make


@pytest.fixture
def open_database(server_url: str, make_database: Callable[[str | None], str]) -> Iterator[Callable[[str | None], str]]:
    """Make databases for one test, as ``make_database`` does; the first has the name that each test's first one has."""
    made: list[str] = []
    drop = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(FIRST_NAME))

    def make(template: str | None = None) -> str:
        if made:
            return make_database(template)
        with psycopg.connect(server_url, autocommit=True) as connection:
            # A run that was killed has left one on a server that stays.
            connection.execute(drop)
            create_database(connection, FIRST_NAME, template)
        made.append(FIRST_NAME)
        return name_database(server_url, FIRST_NAME)

    yield make
    if made:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(drop)


def create_database(connection: psycopg.Connection[Any], name: str, template: str | None) -> None:
    """Create a database, empty or like a template."""
    # A database that somebody is in cannot be copied, and dbt stays in it.
    end_sessions(connection, template)
    values = (sql.Identifier(name), sql.Identifier(template or "template0"))
    # Copying files costs a third of writing every page of a template to the log.
    connection.execute(sql.SQL("create database {} template {} strategy file_copy").format(*values))


def end_sessions(connection: psycopg.Connection[Any], name: str | None) -> None:
    """End whoever is in a database."""
    connection.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", (name,))


def name_database(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    scheme, _, rest = url.partition("://")
    before, _, query = rest.partition("?")
    return f"{scheme}://{before.split('/')[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for the whole run, so that dbt parses the project once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def database_url(make_database: Callable[[str | None], str]) -> str:
    """A fresh, empty database."""
    return make_database(None)


@pytest.fixture(scope="session")
def _template(make_database: Callable[[str | None], str], home: Path) -> str:
    url = make_database(None)
    Workshop(url=url, settings=Settings(home=home, database_url=url, report=False)).migrate()
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def raw_workshop(open_database: Callable[[str | None], str], _template: str, home: Path) -> Workshop:
    """A fresh database with the standard's raw tables and nothing of ours yet."""
    url = open_database(_template)
    return Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))


@pytest.fixture(scope="session")
def built_template(
    make_template: Callable[[Callable[[str], object], str | None], str],
    server_url: str,
    _template: str,
    home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """The name of a database whose marts stand, of no salon; from here on builds are made of recorded scripts."""
    settings = Settings(home=home, report=False)

    def build(url: str) -> None:
        Workshop(url=url, settings=settings.model_copy(update={"database_url": url})).build()

    name = make_template(build, _template)
    copied = f"{FIRST_NAME}_recorded"

    def renew() -> None:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(copied)))
            create_database(connection, copied, name)

    run, is_worker = tmp_path_factory.getbasetemp(), "PYTEST_XDIST_WORKER" in os.environ
    recorder_settings = settings.model_copy(update={"home": tmp_path_factory.mktemp("recorder")})
    folder = (run.parent if is_worker else run) / "scripts"
    Workshop.recorder = Recorder(recorder_settings, name_database(server_url, copied), renew, folder)
    return name


@pytest.fixture
def workshop(open_database: Callable[[str | None], str], built_template: str, home: Path) -> Workshop:
    """A fresh database whose marts stand, of no salon yet, and the tools to fill and build it."""
    url = open_database(built_template)
    return Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))


@pytest.fixture
def make_workshop(
    open_database: Callable[[str | None], str], built_template: str, home: Path
) -> Callable[[], Workshop]:
    """Make several such databases in one test."""

    def make() -> Workshop:
        url = open_database(built_template)
        return Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))

    return make
