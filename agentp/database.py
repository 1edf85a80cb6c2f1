"""The connection to Postgres: embedded or yours, with errors that say what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from agentp.errors import AgentpError, ConnectionFailedError, SetupError
from agentp.redaction import scrub_error
from agentp.sessions import is_shared
from agentp.settings import Settings, read_limits
from agentp.transport import parse_url, secure_url

MINIMUM_VERSION = 15
SET_LIMITS = "select set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false)"
"""What gives a session its limits (`Limits.statement_timeout`, `Limits.lock_timeout`)."""


def resolve_url(settings: Settings) -> str:
    """Return a libpq URL: the one that was set, with TLS where it leaves this machine, else the embedded server's.

    Starts the embedded one where it must.
    """
    if settings.database_url:
        return secure_url(settings.database_url)
    from agentp.server import start_server

    return start_server(home=settings.home, preferred_port=settings.port).url


def describe_target(url: str) -> str:
    """Return `user@host:port/database`, for people and logs: no password."""
    parts = parse_url(url)
    return (
        f"{parts.get('user', 'default user')}@{parts.get('host', 'localhost')}"
        f":{parts.get('port', 5432)}/{parts.get('dbname', parts.get('user', ''))}"
    )


@contextmanager
def open_connection(
    url: str, *, autocommit: bool = False, reads_marts: bool = True
) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Yield a connection whose failures, at connecting and at work, are told in one sentence.

    It leaves this machine encrypted alone (`secure_url`), and its statements and waits for locks end when the settings
    say so, so that nothing of ours holds up the bots (issue 7). With an owner's rights it is refused beside code of
    who builds (`require_own_code`), unless it reads and writes nothing that builders own: ``reads_marts`` is false.
    """
    from sources.foreign_code import require_own_code

    url = secure_url(url)
    limits = read_limits()
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10, application_name="agentp")
        # Not as start-up options: poolers in front of a server refuse those.
        connection.execute("set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres'")
        connection.execute(SET_LIMITS, (limits.statement_timeout, limits.lock_timeout))
        _require_own_session(url, connection)
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
            if reads_marts:
                require_own_code(connection)
            connection.autocommit = autocommit
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
        f"The login of {describe_target(url)} lacks a right: {scrub_error(str(error))}.",
        cure="Connect as the owner of the tables, or have the owner grant the right.",
    )


def explain_connection_failure(url: str, error: Exception) -> AgentpError:
    """Translate libpq's report into one sentence with the cure."""
    text = str(error)
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
    if "does not support SSL" in text:
        return ConnectionFailedError(
            f"The server of {target} has no TLS, and it is not on this machine.",
            cure="Switch `ssl` on there, or reach it through a tunnel that ends on 127.0.0.1.",
        )
    return ConnectionFailedError(
        f"No connection to {target}: {scrub_error(text) or 'no reason given'}.",
        cure="Check that the server runs and that host and port are right (`agentp doctor` tells more).",
    )


def _require_own_session(url: str, connection: psycopg.Connection[Any]) -> None:
    """Refuse a pooler that gives each transaction another session: limits and locks would be somebody else's."""
    target = describe_target(url)
    if target in _OWN_SESSIONS:
        return
    if is_shared(connection, lambda: psycopg.connect(url, autocommit=True, connect_timeout=10)):
        connection.close()
        raise ConnectionFailedError(
            f"At {target} a pooler answers that gives every transaction another session of the server; "
            "builds need one of their own, for their locks and limits.",
            cure="Name a direct connection in AGENTP_DATABASE_URL, or a pooler in session mode "
            "(Supabase: port 5432 instead of 6543; PgBouncer: pool_mode = session).",
        )
    _OWN_SESSIONS.add(target)


_OWN_SESSIONS: set[str] = set()
"""Servers, as `describe_target` names them, that were found to give sessions of one's own."""
