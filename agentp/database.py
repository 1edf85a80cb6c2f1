"""The connection to Postgres: embedded or yours, with errors that say what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from agentp.errors import AgentpError, ConnectionFailedError, SetupError
from agentp.settings import Settings

MINIMUM_VERSION = 15
BUILD_LOCK = 7_203_715_001
"""The advisory lock that one build holds: any constant will do, as long as nobody else uses it."""


def resolve_url(settings: Settings) -> str:
    """Return a libpq URL: the one that was set, else the embedded server's, which is started if need be."""
    if settings.database_url:
        return settings.database_url
    from agentp.server import start_server

    return start_server(home=settings.home, preferred_port=settings.port).url


def parse_url(url: str) -> dict[str, Any]:
    """Return the URL's parts by libpq name; a malformed one is a `SetupError` that never shows a password."""
    try:
        return conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise SetupError(
            "AGENTP_DATABASE_URL is not a Postgres connection URL.",
            cure="Write it as postgresql://user:password@host:5432/database (quote special characters as %40).",
        ) from error


def describe_target(url: str) -> str:
    """Return `user@host:port/database`, for people and logs: no password."""
    parts = parse_url(url)
    return (
        f"{parts.get('user', 'default user')}@{parts.get('host', 'localhost')}"
        f":{parts.get('port', 5432)}/{parts.get('dbname', parts.get('user', ''))}"
    )


@contextmanager
def open_connection(url: str, *, autocommit: bool = False) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Yield a connection whose failures, at connecting and at work, are told in one sentence."""
    parse_url(url)
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10, application_name="agentp")
        # Not as start-up options: poolers in front of a server refuse those.
        connection.execute("set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres'")
        connection.autocommit = autocommit
    except psycopg.OperationalError as error:
        raise explain_connection_failure(url, error) from error
    with connection:
        version = connection.info.server_version // 10_000
        if version < MINIMUM_VERSION:
            raise SetupError(
                f"The server at {describe_target(url)} is Postgres {version}; {MINIMUM_VERSION} or later is needed.",
                cure="Upgrade the server, or unset AGENTP_DATABASE_URL to use the embedded one.",
            )
        try:
            yield connection
        except psycopg.errors.InsufficientPrivilege as error:
            raise explain_missing_right(url, error) from error
        except psycopg.OperationalError as error:
            if connection.closed or connection.broken:
                raise explain_connection_failure(url, error) from error
            raise


def explain_missing_right(url: str, error: psycopg.Error) -> SetupError:
    """Translate a refusal by Postgres into who may not do what, and who can mend it."""
    return SetupError(
        f"The login of {describe_target(url)} lacks a right: {redact(str(error)).splitlines()[0]}.",
        cure="Connect as the owner of the tables, or have the owner grant the right.",
    )


def explain_connection_failure(url: str, error: Exception) -> AgentpError:
    """Translate libpq's report into one sentence with the cure."""
    text = redact(str(error))
    target = describe_target(url)
    if "password authentication failed" in text or "no password supplied" in text:
        return ConnectionFailedError(
            f"The server refused the password for {target}.",
            cure="Correct the password in AGENTP_DATABASE_URL.",
        )
    if re.search(r'database "[^"]*" does not exist', text):
        return ConnectionFailedError(
            f"The database of {target} does not exist.", cure="Create it, or correct AGENTP_DATABASE_URL."
        )
    if "could not translate host name" in text or "failed to resolve host" in text:
        return ConnectionFailedError(
            f"The host of {target} is not known.", cure="Correct the host in AGENTP_DATABASE_URL."
        )
    if re.search(r"too many clients|remaining connection slots|max clients", text):
        return ConnectionFailedError(
            f"The server of {target} has no connection left.", cure="Try again, or raise max_connections."
        )
    first_line = next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
    return ConnectionFailedError(
        f"No connection to {target}: {first_line}.",
        cure="Check that the server runs and that host and port are right (`agentp doctor` tells more).",
    )


def redact(text: str) -> str:
    """Return the text without passwords that stand in URLs or libpq key words."""
    text = re.sub(r"(://[^:/@\s]+:)[^@\s]*@", r"\1***@", text)
    return re.sub(r"(password\s*=\s*)('[^']*'|\S+)", r"\1***", text, flags=re.IGNORECASE)


@contextmanager
def hold_build_lock(url: str, *, announce: Any = None) -> Iterator[None]:
    """Hold the one lock under which marts are built; a second build waits for the first.

    The lock lives in its own session, so that it goes with the process, however that ends.
    """
    with open_connection(url, autocommit=True) as connection:
        if announce is None:
            take_lock(connection, BUILD_LOCK)
        else:
            take_lock(
                connection, BUILD_LOCK,
                on_wait=lambda: announce("Another build is at work on this database; waiting for it to end …"),
            )  # fmt: skip
        yield


def take_lock(connection: psycopg.Connection[Any], key: int, *, on_wait: Callable[[], None] = lambda: None) -> None:
    """Take an advisory lock for the session; ``on_wait`` is called before waiting for whoever has it."""
    taken = connection.execute("select pg_try_advisory_lock(%s)", (key,)).fetchone()
    if not (taken and taken[0]):
        on_wait()
        connection.execute("select pg_advisory_lock(%s)", (key,))
