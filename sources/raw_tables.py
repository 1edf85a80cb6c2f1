"""The raw tables as a system declares them, and as a database has them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import psycopg

from agentp.errors import RawTablesError
from sources.types import is_same_type, shorten_type
from systems.registry import list_systems
from systems.system import RawColumn, System


def read_raw_columns(connection: psycopg.Connection[Any], schema: str) -> dict[str, dict[str, RawColumn]]:
    """Return the columns of every relation in a schema, as the database has them; none of them is called needed."""
    rows = connection.execute(
        "select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) from pg_class as c "
        "join pg_namespace as n on n.oid = c.relnamespace join pg_attribute as a on a.attrelid = c.oid "
        "where n.nspname = %s and c.relkind in ('r', 'p', 'f', 'v', 'm') and a.attnum > 0 and not a.attisdropped "
        "order by c.relname, a.attnum",
        (schema,),
    ).fetchall()
    found: dict[str, dict[str, RawColumn]] = {}
    for table, column, data_type in rows:
        found.setdefault(table, {})[column] = RawColumn(column, shorten_type(data_type), is_needed=False)
    return found


def find_missing_columns(connection: psycopg.Connection[Any], system: System) -> list[str]:
    """Return `table` or `table.column` for everything a build needs and the database lacks."""
    present = read_raw_columns(connection, system.raw_schema)
    missing = []
    for table, columns in system.needed_columns.items():
        if table not in present:
            missing.append(table)
        else:
            missing += [f"{table}.{column}" for column in columns if column not in present[table]]
    return missing


def has_standard_shape(connection: psycopg.Connection[Any], system: System) -> bool:
    """Whether every column that the standard declares is there, those too that builds do without."""
    present = read_raw_columns(connection, system.raw_schema)
    return all(columns.keys() <= present.get(table, {}).keys() for table, columns in system.columns.items())


def find_missing_tables(connection: psycopg.Connection[Any], system: System) -> list[str]:
    """Return the raw tables that the database has not got."""
    return [name for name in find_missing_columns(connection, system) if "." not in name]


@dataclass(frozen=True)
class RetypedColumn:
    """A column whose type is another than the standard's: no model can read it."""

    schema: str
    table: str
    column: str
    is_type: str
    should_be: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column} is {self.is_type} and should be {self.should_be}"

    @property
    def cure(self) -> str:
        """What its owner does about it; text that is no such value makes it fail, and nothing is changed then."""
        return (
            f"Restore the type: alter table {self.schema}.{self.table} alter column {self.column} "
            f"type {self.should_be} using {self.column}::text::{self.should_be}. "
            "Views of others on it have to go first."
        )


def find_retyped_columns(connection: psycopg.Connection[Any], system: System) -> list[RetypedColumn]:
    """Return the columns whose type is not the declared one; those that are missing are told of elsewhere."""
    present = read_raw_columns(connection, system.raw_schema)
    return [
        RetypedColumn(system.raw_schema, table, column.name, found.base_type, column.base_type)
        for table, columns in system.columns.items()
        for column in columns.values()
        if (found := present.get(table, {}).get(column.name)) and not is_same_type(found.base_type, column.base_type)
    ]


def require_raw_types(connection: psycopg.Connection[Any], *, without: Collection[str] = ()) -> None:
    """Refuse to work where a raw column has another type than the standard's; raises `RawTablesError`."""
    retyped = [
        column
        for system in list_systems()
        for column in find_retyped_columns(connection, system)
        if column.table not in without
    ]
    if retyped:
        raise RawTablesError(
            f"The raw data has other types than the standard: {'; '.join(map(str, retyped[:8]))}.", cure=retyped[0].cure
        )


def has_no_raw_tables(connection: psycopg.Connection[Any], system: System) -> bool:
    """Whether not one raw table is there: a database that nobody has used yet.

    A table that is only called like one, and has not even half of its columns, is somebody else's.
    """
    present = read_raw_columns(connection, system.raw_schema)
    return not any(
        2 * len(present.get(table, {}).keys() & set(columns)) >= len(columns)
        for table, columns in system.needed_columns.items()
    )


def require_raw_tables(connection: psycopg.Connection[Any], *, without: Collection[str] = ()) -> None:
    """Refuse to build where a raw table or column is missing or of another type, before any mart is touched.

    ``without`` are tables of which nothing is to be built. Those that tell what changed have to be there.
    """
    missing = [
        name
        for system in list_systems()
        for name in find_missing_columns(connection, system)
        if name.split(".")[0] not in without or name in {table.name for table in system.tracked}
    ]
    if missing:
        tables = [name for name in missing if "." not in name]
        cure = (
            "Restore what was lost; a table that never was there is made, empty, by `agentp migrate`."
            if tables
            else ("Restore the column (it belongs to the data standard), or restore the name it had.")
        )
        raise RawTablesError(f"The raw data lacks {', '.join(missing[:8])}.", cure=cure)
    require_raw_types(connection, without=without)


def require_some_raw_table(connection: psycopg.Connection[Any]) -> None:
    """Refuse a database that nobody has used yet, or that is another product's."""
    systems = list_systems()
    if all(has_no_raw_tables(connection, system) for system in systems):
        info = connection.info
        names = ", ".join(table.name for system in systems for table in system.tables)
        raise RawTablesError(
            f"The database {info.dbname} at {info.host}:{info.port} has none of the raw tables "
            f"({names}): is it the right one?",
            cure="Correct AGENTP_DATABASE_URL. A database that is to hold them gets them by `agentp migrate --create`, "
            "`agentp load FOLDER` or `agentp demo`.",
        )


def owns_raw_tables(connection: psycopg.Connection[Any], system: System) -> bool:
    """Return whether the login may alter the raw tables that there are; of none it may make them."""
    row = connection.execute(
        "select coalesce(bool_and(pg_has_role(current_user, relowner, 'usage')), true) from pg_class "
        "where relnamespace = to_regnamespace(%s) and relname = any(%s)",
        (system.raw_schema, list(system.by_name)),
    ).fetchone()
    return bool(row and row[0])
