"""The schemas `access`, `live` and `analysis`, and the roles; light to import, for those that only build."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import psycopg

from access.marts import secure_marts
from access.ownership import take_back_access
from agentp.errors import SetupError
from agentp.locks import lock_until_commit
from agentp.schemas import SCHEMA_LOCK, change_in_turns, prepare_schema
from sources.raw_tables import require_some_raw_table
from systems.registry import list_systems

RELATIONS = (
    "access.logins", "access.mart_schemas", "access.raw_tables", "access.pattern", "access.policies",
)  # fmt: skip


def prepare_access(connection: psycopg.Connection[Any]) -> None:
    """Make schema `access` what store.sql says; commits. Not in a database that is nobody's of ours."""
    try:
        _make_access(connection)
    except psycopg.errors.InsufficientPrivilege as error:
        raise SetupError(
            f"Schema access is not of this version, and this login may not change it: {error.diag.message_primary}.",
            cure="Let the owner of the database run `agentp migrate`, once a release.",
        ) from error


def prepare_roles(connection: psycopg.Connection[Any]) -> list[str]:
    """Make the roles and let them read the marts that there are; commits. Return warnings.

    Without the right to make roles nothing is made, and marts are for their owner alone, as they were.
    """
    statements = files("access").joinpath("roles.sql").read_text(encoding="utf-8").encode()

    def make() -> None:
        lock_until_commit(connection, SCHEMA_LOCK)
        connection.execute("set local client_min_messages = warning")
        connection.execute(statements)

    try:
        _make_access(connection)
        change_in_turns(connection, make, schemas=["access"])
        secure_marts(connection)
    except psycopg.errors.InsufficientPrivilege as error:
        return [
            f"Roles were not made ({error.diag.message_primary}): nobody but the owner reads the marts. "
            "Let a login that may create roles run `agentp migrate`."
        ]
    connection.commit()
    return []


def _make_access(connection: psycopg.Connection[Any]) -> None:
    known = connection.execute("select to_regnamespace('access') is not null").fetchone()
    if not (known and known[0]):
        require_some_raw_table(connection)
    take_back_access(connection)
    prepare_schema(connection, "access", package="access", relations=RELATIONS)
    _note_systems(connection)


def _note_systems(connection: psycopg.Connection[Any]) -> None:
    """Write down what the systems that are on declare, where it is not there yet; commits.

    What those declared that are off now stays: their marts do as well.
    """
    systems = list_systems()
    marts = [(system.mart_schema, system.prefix) for system in systems]
    tables = [(system.raw_schema, table.name, table.is_written) for system in systems for table in system.tables]
    known = set(connection.execute("select schema_name, prefix from access.mart_schemas").fetchall())
    for row in marts:
        if row not in known:
            connection.execute(
                "insert into access.mart_schemas (schema_name, prefix) values (%s, %s) on conflict (schema_name) "
                "do update set prefix = excluded.prefix",
                row,
            )
    declared = set(connection.execute("select schema_name, table_name, is_written from access.raw_tables").fetchall())
    for table in tables:
        if table not in declared:
            connection.execute(
                "insert into access.raw_tables (schema_name, table_name, is_written) values (%s, %s, %s) "
                "on conflict (schema_name, table_name) do update set is_written = excluded.is_written",
                table,
            )
    connection.commit()
