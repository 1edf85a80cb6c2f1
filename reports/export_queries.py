"""What an export asks the database: which marts, whose rows, which columns, in what order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from agentp.classification import DeclaredMart, read_marts
from agentp.errors import SetupError
from reports.audiences import HIDDEN, Audience
from reports.export_columns import ExportColumn

Connection = psycopg.Connection[tuple[Any, ...]]
TENANTS = "tenant_settings"
"""The mart that knows the tenants' short names."""
NAMED = 12
"""How many names an error lists at most."""
REBUILD = "Run `agentp build`, or name the marts to export: --mart sessions --mart visits."


@dataclass(frozen=True, kw_only=True)
class ExportedMart:
    """A mart to export: the columns that the audience may see, and those left out for it."""

    name: str
    columns: tuple[ExportColumn, ...]
    left_out: tuple[str, ...]
    key: tuple[str, ...]

    def compose_query(self, tenants: Sequence[str]) -> sql.Composed:
        """Return the query for its rows in a lasting order; without tenants, for those of all."""
        # A live view has no key: its rows are told apart by all that is shown of them.
        order: list[sql.Composable] = [sql.Identifier(name) for name in self.key]
        order = order or [sql.SQL(str(place)) for place in range(1, len(self.columns) + 1)]
        condition = sql.SQL(" where tenant_id = any(%s)") if tenants else sql.SQL("")
        return sql.SQL("select {} from {}{} order by {}").format(
            sql.SQL(", ").join(column.reading for column in self.columns),
            sql.Identifier("dashboard", self.name), condition, sql.SQL(", ").join(order),
        )  # fmt: skip


def choose_marts(connection: Connection, names: Sequence[str], audience: Audience) -> list[ExportedMart]:
    """Return the marts of these names, or all that the project declares, as the database has them.

    An unknown name, a mart that is not built and one that was built by an older project are a `SetupError`.
    """
    declared = read_marts()
    unknown = [name for name in names if name not in declared]
    if unknown:
        raise SetupError(f"There is no mart '{unknown[0]}'.", cure=f"The marts: {', '.join(sorted(declared))}.")
    wanted = [declared[name] for name in dict.fromkeys(names)] or sorted(declared.values(), key=lambda mart: mart.name)
    types = _read_types(connection, [mart.name for mart in wanted])
    missing = [mart.name for mart in wanted if mart.name not in types]
    if missing:
        raise SetupError(f"Not built in this database: {_list_some(missing)}.", cure=REBUILD)
    return [_choose_columns(mart, types[mart.name], audience) for mart in wanted]


def choose_tenants(connection: Connection, wanted: Sequence[str]) -> list[str]:
    """Return the ids of the tenants that short names or ids name; a `SetupError` says who is known."""
    if not wanted:
        return []
    if TENANTS not in _read_types(connection, [TENANTS]):
        raise SetupError(f"Not built in this database: {TENANTS}.", cure="Run `agentp build`.")
    rows = connection.execute("select tenant_id::text, slug from dashboard.tenant_settings order by slug, tenant_id")
    known = rows.fetchall()
    found: list[str] = []
    for name in wanted:
        matching = [tenant_id for tenant_id, slug in known if name.lower() == tenant_id or name == slug]
        if not matching:
            slugs = [slug or tenant_id for tenant_id, slug in known]
            raise SetupError(f"There is no tenant '{name}'.", cure=f"The tenants: {_list_some(slugs) or 'none'}.")
        if len(matching) > 1:
            raise SetupError(
                f"Several tenants are called '{name}'.", cure=f"Name one by its id: {_list_some(matching)}."
            )
        found += matching
    return list(dict.fromkeys(found))


def read_last_build(connection: Connection) -> tuple[str, datetime] | None:
    """Return the as-of of the last complete build and when it ended; None where there is none, or no right to look."""
    readable = connection.execute(
        "select 1 from pg_catalog.pg_class "
        "inner join pg_catalog.pg_namespace on pg_class.relnamespace = pg_namespace.oid "
        "where nspname = 'build' and relname = 'runs' and has_schema_privilege(pg_namespace.oid, 'usage') "
        "and has_table_privilege(pg_class.oid, 'select')"
    ).fetchone()
    if readable is None:
        return None
    found = connection.execute(
        "select as_of, finished_at from build.runs where outcome = 'complete' order by finished_at desc limit 1"
    ).fetchone()
    return None if found is None else (found[0], found[1])


def _choose_columns(mart: DeclaredMart, types: Mapping[str, str], audience: Audience) -> ExportedMart:
    missing = [column.name for column in mart.columns if column.name not in types]
    if missing:
        raise SetupError(f"dashboard.{mart.name} was built without {_list_some(missing)}.", cure=REBUILD)
    # Only what is declared: of other columns nobody knows what they hold.
    shown = [column for column in mart.columns if column.sort not in HIDDEN[audience]]
    names = {column.name for column in shown}
    return ExportedMart(
        name=mart.name,
        columns=tuple(ExportColumn(name=column.name, data_type=types[column.name]) for column in shown),
        left_out=tuple(column.name for column in mart.columns if column.name not in names),
        key=mart.key,
    )


def _read_types(connection: Connection, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the columns of relations of `dashboard` with their types, in their order."""
    rows = connection.execute(
        "select relname, attname, format_type(atttypid, atttypmod) from pg_catalog.pg_attribute "
        "inner join pg_catalog.pg_class on pg_attribute.attrelid = pg_class.oid "
        "inner join pg_catalog.pg_namespace on pg_class.relnamespace = pg_namespace.oid "
        "where nspname = 'dashboard' and relname = any(%s) and attnum > 0 and not attisdropped "
        "order by relname, attnum",
        (list(names),),
    )
    types: dict[str, dict[str, str]] = {}
    for relation, column, data_type in rows:
        types.setdefault(relation, {})[column] = data_type
    return types


def _list_some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
