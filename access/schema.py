"""The schemas `access`, `live` and `analysis`, and the roles; light to import, for those that only build."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import psycopg

from access.marts import secure_marts
from access.ownership import take_back_access
from agentp.errors import SetupError
from agentp.schemas import SCHEMA_LOCK, prepare_schema

RELATIONS = ("access.logins", "access.pattern", "access.policies")


def prepare_access(connection: psycopg.Connection[Any]) -> None:
    """Make schema `access` what store.sql says; commits."""
    take_back_access(connection)
    try:
        prepare_schema(connection, "access", package="access", relations=RELATIONS)
    except psycopg.errors.InsufficientPrivilege as error:
        raise SetupError(
            f"Schema access is not of this version, and this login may not change it: {error.diag.message_primary}.",
            cure="Let the owner of the database run `agentp migrate`, once a release.",
        ) from error


def prepare_roles(connection: psycopg.Connection[Any]) -> list[str]:
    """Make the roles and let them read the marts that there are; commits. Return warnings.

    Without the right to make roles nothing is made, and marts are for their owner alone, as they were.
    """
    prepare_access(connection)
    try:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
            connection.execute("set local client_min_messages = warning")
            connection.execute(files("access").joinpath("roles.sql").read_text(encoding="utf-8").encode())
            secure_marts(connection)
    except psycopg.errors.InsufficientPrivilege as error:
        return [
            f"Roles were not made ({error.diag.message_primary}): nobody but the owner reads the marts. "
            "Let a login that may create roles run `agentp migrate`."
        ]
    connection.commit()
    return []
