"""What a source system declares: its raw tables, and what engines have to know of them."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

COLUMNS = "columns.csv"
"""The file of a system's columns, written by `python -m sources.declaration` (`make docs`)."""


@dataclass(frozen=True)
class RawColumn:
    """One column of a raw table: its Postgres type, and whether a build needs it (the oldest shape has it)."""

    name: str
    type: str
    is_needed: bool

    @property
    def base_type(self) -> str:
        """The type without a length or a number of digits, which nothing that reads it depends on."""
        return re.sub(r"\([^)]*\)", "", self.type)


@dataclass(frozen=True, kw_only=True)
class KeptReference:
    """A column whose rows may point at a row of ``table`` that is not there: what it said is kept in ``kept_as``."""

    column: str
    table: str
    kept_as: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A raw table. ``prefix`` is what the ids of its rules begin with; ``clock`` the column that says when a row came.

    ``is_built_from`` says that marts follow its changes; the checks follow those of every table.
    """

    name: str
    prefix: str
    clock: str | None = None
    is_built_from: bool = True
    kept_reference: KeptReference | None = None


@dataclass(frozen=True, kw_only=True)
class System:
    """A source system: ``tables`` in the order in which they are loaded, parents first.

    ``tenants`` is SQL that gives (tenant_id uuid, name text, timezone text, is_active boolean); a zone that is none
    counts as not told.

    ``package`` holds its parts. ``oldest_migration`` gives the shape without which nothing can be built;
    ``optional_migrations`` are those that a database may do without: builds are right, only slower.
    """

    name: str
    package: str
    raw_schema: str
    tables: tuple[Table, ...]
    tenants: str
    oldest_migration: str
    optional_migrations: tuple[str, ...] = ()

    @property
    def folder(self) -> Traversable:
        """Where its files are."""
        return files(self.package)

    @cached_property
    def by_name(self) -> Mapping[str, Table]:
        """Its tables, by name."""
        return {table.name: table for table in self.tables}

    @cached_property
    def columns(self) -> Mapping[str, Mapping[str, RawColumn]]:
        """The columns of every table in the standard's shape, by their names, as the migrations leave them."""
        found: dict[str, dict[str, RawColumn]] = {table.name: {} for table in self.tables}
        with (self.folder / COLUMNS).open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                column = RawColumn(row["column"], row["type"], row["is_needed"] == "true")
                found[row["table"]][column.name] = column
        return found

    @property
    def needed_columns(self) -> Mapping[str, list[str]]:
        """The columns that a build needs, by table."""
        return {
            table: [column.name for column in columns.values() if column.is_needed]
            for table, columns in self.columns.items()
        }
