"""Whether raw tables have the columns, types and keys that the standard declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import psycopg

from sources.raw_tables import read_raw_columns
from sources.types import is_same_type
from systems.registry import find_labelled, list_labels, list_systems
from systems.system import System

LIKELY_RENAMED = 0.5
"""How alike two names must be (difflib's ratio), where several new columns have the type, to suggest a renaming."""


@dataclass(frozen=True)
class Shape:
    """What the catalog says of the raw tables.

    ``types`` by table and column; ``unique_columns`` are (table, column) with a unique index of their own,
    ``indexed_columns`` those whose values, other than NULL, an index finds among all rows or those of a tenant;
    ``references`` are the tables that foreign keys of one column point at, by table and column.
    """

    types: dict[str, dict[str, str]]
    unique_columns: frozenset[tuple[str, str]]
    indexed_columns: frozenset[tuple[str, str]]
    references: Mapping[tuple[str, str], str]

    def has(self, table: str, column: str) -> bool:
        """Whether the database has the column."""
        return column in self.types.get(table, {})


def read_shape(connection: psycopg.Connection[Any]) -> Shape:
    """Read the catalog; no table is touched. Tables are named by their labels."""
    shapes = [_read_shape(connection, system) for system in list_systems()]
    return Shape(
        types={table: types for shape in shapes for table, types in shape.types.items()},
        unique_columns=frozenset().union(*(shape.unique_columns for shape in shapes)),
        indexed_columns=frozenset().union(*(shape.indexed_columns for shape in shapes)),
        references={column: table for shape in shapes for column, table in shape.references.items()},
    )


def _read_shape(connection: psycopg.Connection[Any], system: System) -> Shape:
    schema, prefix = system.raw_schema, system.prefix
    unique = connection.execute(
        "select c.relname, a.attname from pg_index as i join pg_class as c on c.oid = i.indrelid "
        "join pg_namespace as n on n.oid = c.relnamespace "
        "join pg_attribute as a on a.attrelid = c.oid and a.attnum = i.indkey[0] "
        "where n.nspname = %s and i.indisunique and i.indisvalid and i.indnkeyatts = 1 and i.indpred is null",
        (schema,),
    ).fetchall()
    indexed = connection.execute(
        "select c.relname, a.attname from pg_index as i join pg_class as c on c.oid = i.indrelid "
        "join pg_namespace as n on n.oid = c.relnamespace "
        "cross join lateral unnest(i.indkey) with ordinality as part (attnum, place) "
        "join pg_attribute as a on a.attrelid = c.oid and a.attnum = part.attnum "
        "join pg_attribute as led on led.attrelid = c.oid and led.attnum = i.indkey[0] "
        "join pg_class as x on x.oid = i.indexrelid join pg_am on pg_am.oid = x.relam "
        "where n.nspname = %s and i.indisvalid and pg_am.amname in ('btree', 'hash') "
        "and (part.place = 1 or part.place = 2 and led.attname = 'tenant_id') "
        "and coalesce(pg_get_expr(i.indpred, i.indrelid) = format('(%%I IS NOT NULL)', a.attname), true)",
        (schema,),
    ).fetchall()
    references = connection.execute(
        "select c.relname, a.attname, r.relname from pg_constraint as f join pg_class as c on c.oid = f.conrelid "
        "join pg_namespace as n on n.oid = c.relnamespace join pg_class as r on r.oid = f.confrelid "
        "join pg_attribute as a on a.attrelid = f.conrelid and a.attnum = f.conkey[1] "
        "where f.contype = 'f' and n.nspname = %s and cardinality(f.conkey) = 1 order by f.oid desc",
        (schema,),
    ).fetchall()
    present = read_raw_columns(connection, schema)
    return Shape(
        types={
            prefix + table: {column.name: column.base_type for column in columns.values()}
            for table, columns in present.items()
        },
        unique_columns=frozenset((prefix + table, column) for table, column in unique),
        indexed_columns=frozenset((prefix + table, column) for table, column in indexed),
        references={(prefix + table, column): prefix + referenced for table, column, referenced in references},
    )


def find_shape_faults(table: str, shape: Shape) -> dict[str, list[str]]:
    """Return what is wrong with a table, by its label, by aspect (`columns_present`, …), one sentence a fault."""
    system, named = find_labelled(table)
    declared, kept = system.columns[named.name], named.kept_reference
    present = shape.types.get(table)
    if present is None:
        return {"columns_present": [f"the table {table} is missing"]}
    strangers = [column for column in present if column not in declared]
    faults: dict[str, list[str]] = {"columns_present": [], "column_types": [], "no_new_columns": []}
    for column in declared.values():
        found = present.get(column.name)
        if found is None:
            if kept is None or column.name != kept.kept_as:
                faults["columns_present"].append(
                    f"{column.name} is missing{_suggest_name(column.name, column.type, strangers, present)}"
                )
        elif not is_same_type(found, column.base_type):
            faults["column_types"].append(f"{column.name} is {found}, not {column.type}")
    faults["no_new_columns"] = [f"{column} ({present[column]}) is not in the standard" for column in strangers]
    if kept and (referenced := shape.references.get((table, kept.column))) != system.prefix + kept.table:
        faults["kept_reference"] = [f"{kept.column} refers to {referenced or 'no table'}"]
    return faults


def find_stopping_faults(shape: Shape) -> list[str]:
    """Return the faults that nothing right can be built with: needed columns missing, types that are others."""
    return [f"{table}: {fault}" for table, faults in find_unreadable_tables(shape).items() for fault in faults]


def find_unreadable_tables(shape: Shape) -> dict[str, list[str]]:
    """Return the tables that nothing right can be built of, each with its faults, one sentence a fault."""
    unreadable = {}
    for table in list_labels():
        system, named = find_labelled(table)
        columns = system.columns[named.name]
        found = find_shape_faults(table, shape)
        faults = []
        for fault in found["columns_present"]:
            name = fault.split(" ", 1)[0]
            if name not in columns or columns[name].is_needed:
                faults.append(fault)
        faults += found.get("column_types", [])
        if faults:
            unreadable[table] = faults
    return unreadable


def _suggest_name(name: str, data_type: str, strangers: list[str], present: dict[str, str]) -> str:
    alike = sorted(
        (stranger for stranger in strangers if present[stranger] == data_type), key=lambda other: -_compare(name, other)
    )
    is_likely = alike and (len(alike) == 1 or _compare(name, alike[0]) >= LIKELY_RENAMED)
    return f" (renamed to {alike[0]}?)" if is_likely else ""


def _compare(name: str, other: str) -> float:
    return SequenceMatcher(None, name, other).ratio()
