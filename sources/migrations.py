"""Numbered migrations: SQL files that may run any number of times, on live data.

Each file looks before it alters, so there is no ledger to get out of step with the database:
running all of them is always right. Warnings that a migration raises are part of its result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from agentp.errors import SetupError
from agentp.redaction import scrub_error
from sources.change_tracking import track_changes
from systems.system import System

OUTSIDE_TRANSACTION = "-- agentp: outside a transaction"
_READ_INDEXES = "select relname::text from pg_class where relkind = 'i' and relnamespace = to_regnamespace(%s)"
LOCK_TIMEOUT = "10s"


@dataclass(frozen=True)
class Migration:
    """One file: its number and name, its SQL, and whether a database may do without it."""

    name: str
    sql: str
    is_optional: bool


def list_migrations(system: System) -> list[Migration]:
    """Return a source system's migrations in their order."""
    found = [
        Migration(name, entry.read_text(encoding="utf-8"), is_optional=name in system.optional_migrations)
        for entry in (system.folder / "migrations").iterdir()
        if entry.name.endswith(".sql") and (name := entry.name.removesuffix(".sql"))
    ]
    return sorted(found, key=lambda migration: migration.name)


def apply_migrations(
    connection: psycopg.Connection[Any],
    system: System,
    *,
    last: str | None = None,
    with_change_tracking: bool = True,
    report: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Apply a system's migrations up to ``last`` on an autocommit connection; return their warnings.

    Each file is one transaction, except those that say otherwise. A live table that stays locked for
    ten seconds stops the migration instead of queueing everybody else behind it.
    """
    warnings: list[str] = []

    def keep(diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity == "WARNING" and diagnostic.message_primary:
            warnings.append(diagnostic.message_primary)

    before = connection.execute("select current_setting('lock_timeout'), current_setting('search_path')").fetchone()
    connection.add_notice_handler(keep)
    try:
        connection.execute("select set_config('lock_timeout', %s, false)", (LOCK_TIMEOUT,))
        if not system.has_fixed_schema:
            _enter_schema(connection, system.raw_schema)
        for migration in list_migrations(system):
            if migration.is_optional and not with_change_tracking:
                continue
            _apply(connection, migration, system.raw_schema)
            report(migration.name)
            if migration.name == last:
                break
        else:
            if with_change_tracking:
                track_changes(connection, system)
    finally:
        connection.remove_notice_handler(keep)
        if not connection.closed:
            connection.execute(
                "select set_config('lock_timeout', %s, false), set_config('search_path', %s, false)", before
            )
    return warnings


def _enter_schema(connection: psycopg.Connection[Any], schema: str) -> None:
    """Make the schema, where it is not there, the one in which unqualified names are looked for and made."""
    known = connection.execute("select to_regnamespace(%s) is not null", (sql.Identifier(schema).as_string(None),))
    if known.fetchone() != (True,):
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
    connection.execute(
        "select set_config('search_path', %s, false)", (f"{sql.Identifier(schema).as_string(None)}, pg_temp",)
    )


def _apply(connection: psycopg.Connection[Any], migration: Migration, schema: str) -> None:
    try:
        if migration.sql.startswith(OUTSIDE_TRANSACTION):
            _drop_invalid_indexes(connection, schema, wanted=re.findall(r"if not exists (\w+)", migration.sql))
            present = {name for (name,) in connection.execute(_READ_INDEXES, (schema,))}
            for statement in migration.sql.split(";"):
                # An index that is there would be found only behind a lock on its table.
                index = re.search(r"create index concurrently if not exists (\w+)", statement)
                if not statement.strip() or (index and index[1] in present):
                    continue
                # What is not wanted any more waits for nobody's open transaction: the next migration comes back to it.
                with suppress(*(() if index else (psycopg.errors.LockNotAvailable,))):
                    connection.execute(statement.encode())
        else:
            with connection.transaction():
                connection.execute(migration.sql.encode())
    except psycopg.errors.LockNotAvailable as error:
        raise SetupError(
            f"Migration {migration.name} waited {LOCK_TIMEOUT} for a table that somebody else holds.",
            cure="Run `agentp migrate` again when that transaction has ended; nothing was changed by this one.",
        ) from error
    except psycopg.errors.InsufficientPrivilege:
        raise
    except psycopg.DatabaseError as error:
        raise SetupError(
            f"Migration {migration.name} failed: {scrub_error(error.diag.message_primary or str(error))}.",
            cure="The database is as it was before this migration; mend what the message names and run it again.",
        ) from error


def _drop_invalid_indexes(connection: psycopg.Connection[Any], schema: str, *, wanted: Collection[str]) -> None:
    """Drop what a killed `create index concurrently` left: `if not exists` would take it for done.

    Of those that are not ``wanted`` any more, what an interrupted drop left may stay while somebody reads.
    """
    rows = connection.execute(
        "select n.nspname, c.relname from pg_index as i "
        "join pg_class as c on c.oid = i.indexrelid join pg_namespace as n on n.oid = c.relnamespace "
        "where not i.indisvalid and n.nspname = %s and c.relname like 'agentp\\_%%'",
        (schema,),
    ).fetchall()
    for place, name in rows:
        with suppress(*(() if name in wanted else (psycopg.errors.LockNotAvailable,))):
            connection.execute(sql.SQL("drop index concurrently if exists {}").format(sql.Identifier(place, name)))
