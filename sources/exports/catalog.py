"""The raw tables as the database itself describes them, which may be otherwise than the system declares."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import psycopg

from agentp.errors import LoadError
from systems.system import KeptReference, System

COLUMNS = """
select
    c.relname, a.attname, format_type(a.atttypid, a.atttypmod), t.typcategory, a.attnotnull,
    case
        when a.attidentity <> '' then format('nextval(%%L::regclass)', pg_get_serial_sequence(
            format('%%I.%%I', n.nspname, c.relname), a.attname))
        else pg_get_expr(d.adbin, d.adrelid)
    end
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
join pg_attribute as a on a.attrelid = c.oid
join pg_type as t on t.oid = a.atttypid
left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
where
    n.nspname = %(schema)s and c.relname = any(%(tables)s) and c.relkind in ('r', 'p')
    and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
order by c.relname, a.attnum
"""

UNIQUE_KEYS = """
select
    c.relname, i.indisprimary,
    array(
        select a.attname::text
        from unnest(i.indkey::smallint[]) with ordinality as k (attnum, place)
        join pg_attribute as a on a.attrelid = c.oid and a.attnum = k.attnum
        where k.place <= i.indnkeyatts
        order by k.place
    )
from pg_index as i
join pg_class as c on c.oid = i.indrelid
join pg_namespace as n on n.oid = c.relnamespace
where
    n.nspname = %(schema)s and c.relname = any(%(tables)s)
    and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
order by c.relname, i.indisprimary desc, i.indexrelid
"""

CONSTRAINTS = """
select
    c.relname, k.conname, k.contype::text, pg_get_constraintdef(k.oid), rn.nspname, r.relname,
    array(
        select a.attname::text
        from unnest(k.conkey) with ordinality as p (attnum, place)
        join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = p.attnum
        order by p.place
    ),
    array(
        select a.attname::text
        from unnest(k.confkey) with ordinality as p (attnum, place)
        join pg_attribute as a on a.attrelid = k.confrelid and a.attnum = p.attnum
        order by p.place
    )
from pg_constraint as k
join pg_class as c on c.oid = k.conrelid
join pg_namespace as n on n.oid = c.relnamespace
left join pg_class as r on r.oid = k.confrelid
left join pg_namespace as rn on rn.oid = r.relnamespace
where n.nspname = %(schema)s and c.relname = any(%(tables)s) and k.contype in ('c', 'f')
order by c.relname, k.conname
"""


@dataclass(frozen=True)
class Column:
    """A column: its type as Postgres writes it, whether NULL is refused, its default's SQL."""

    name: str
    type: str
    category: str
    not_null: bool
    default: str | None

    @property
    def is_text(self) -> bool:
        """Whether it holds text of any length."""
        return self.category == "S"

    @property
    def is_json(self) -> bool:
        """Whether it holds JSON."""
        return self.type in ("json", "jsonb")

    @property
    def is_filled(self) -> bool:
        """Whether an empty field means the default, because NULL is refused."""
        return self.not_null and self.default is not None


@dataclass(frozen=True)
class ForeignKey:
    """Columns whose values must be in another table."""

    columns: tuple[str, ...]
    schema: str
    table: str
    referenced: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """A check constraint: its name, its columns and its definition's SQL."""

    name: str
    columns: tuple[str, ...]
    definition: str


@dataclass(frozen=True)
class Shape:
    """A raw table: its columns, and which rows it accepts. The first unique key is the primary one.

    ``kept_reference`` is a column whose orphans the table itself keeps, where this database has it so, and ``kept_key``
    its foreign key.
    """

    schema: str
    table: str
    columns: tuple[Column, ...]
    unique_keys: tuple[tuple[str, ...], ...]
    foreign_keys: tuple[ForeignKey, ...]
    checks: tuple[Check, ...]
    kept_reference: KeptReference | None = None
    kept_key: ForeignKey | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names in their order."""
        return tuple(column.name for column in self.columns)

    @property
    def by_name(self) -> dict[str, Column]:
        """The columns by their names."""
        return {column.name: column for column in self.columns}

    def find_required(self) -> tuple[str, ...]:
        """Return the columns a file must have: NOT NULL without default, and something to know a row by.

        That is the primary key, unless the required columns hold another unique key (a session is known
        by its `session_id`, too).
        """
        required = {column.name for column in self.columns if column.not_null and column.default is None}
        if not any(required.issuperset(key) for key in self.unique_keys):
            required.update(self.unique_keys[0])
        return tuple(name for name in self.names if name in required)

    def choose_key(self, columns: Collection[str]) -> tuple[str, ...]:
        """Return what a file with these columns knows a stored row by: the primary key if it can."""
        return next(key for key in self.unique_keys if set(columns).issuperset(key))


def read_shapes(connection: psycopg.Connection[Any], system: System, tables: list[str]) -> dict[str, Shape]:
    """Return the shapes of a system's tables; one that is absent or has no primary key is a `LoadError`."""
    schema = system.raw_schema
    parameters = {"schema": schema, "tables": tables}
    columns = connection.execute(COLUMNS, parameters).fetchall()
    keys = connection.execute(UNIQUE_KEYS, parameters).fetchall()
    constraints = connection.execute(CONSTRAINTS, parameters).fetchall()
    shapes = {}
    for table in tables:
        own = tuple(Column(*row[1:]) for row in columns if row[0] == table)
        if not own:
            raise LoadError(
                f"The database has no table {schema}.{table}.", cure="Run `agentp migrate`, then load again."
            )
        if not any(is_primary for name, is_primary, _ in keys if name == table):
            raise LoadError(
                f"The table {schema}.{table} has no primary key: rows could not be told apart.",
                cure="Give it the primary key of the data standard, then load again.",
            )
        foreign_keys = tuple(
            ForeignKey(columns=tuple(row[6]), schema=row[4], table=row[5], referenced=tuple(row[7]))
            for row in constraints
            if row[0] == table and row[2] == "f"
        )
        declared = system.by_name[table].kept_reference
        kept_key = _find_kept_key(declared, own, foreign_keys)
        shapes[table] = Shape(
            schema=schema,
            table=table,
            columns=own,
            unique_keys=tuple(tuple(names) for name, _, names in keys if name == table),
            foreign_keys=foreign_keys,
            checks=tuple(
                Check(name=row[1], columns=tuple(row[6]), definition=row[3])
                for row in constraints
                if row[0] == table and row[2] == "c"
            ),
            kept_reference=declared if kept_key else None,
            kept_key=kept_key,
        )
    return shapes


def _find_kept_key(
    declared: KeptReference | None, columns: Collection[Column], foreign_keys: Collection[ForeignKey]
) -> ForeignKey | None:
    """Return the key of the declared column where the table has it and can keep orphans; an older shape has none."""
    if declared is None or declared.kept_as not in {column.name for column in columns}:
        return None
    return next((key for key in foreign_keys if (key.table, key.columns) == (declared.table, (declared.column,))), None)
