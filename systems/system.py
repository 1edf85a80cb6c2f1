"""What a source system declares: its raw tables, and what engines have to know of them."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from agentp.settings import DBT_PROJECT

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
    """A raw table. ``prefix`` is what the ids of its rules begin with; ``clock`` the column that says when a row came;
    ``is_written`` says that `agentp activate` writes to it.

    Whether marts follow its changes is said in dbt's sources (`TrackedTable`); the checks follow those of every table.
    """

    name: str
    prefix: str
    clock: str | None = None
    is_written: bool = False
    kept_reference: KeptReference | None = None


@dataclass(frozen=True, kw_only=True)
class TrackedTable:
    """A raw table whose changes reach marts, as the `meta` of dbt's sources says (macros/engine/entities.sql).

    ``tenant`` is SQL over a row, and so are the values of ``touches``, by entity; no entity means all of the tenant.
    ``watches`` are expressions that alone matter; without any every column does.
    """

    name: str
    tenant: str
    touches: Mapping[str, str]
    watches: tuple[str, ...]

    def reads(self, column: str) -> bool:
        """Whether what is noted of a row depends on its column of this name."""
        return any(re.search(rf"\b{re.escape(column)}\b", sql) for sql in self._expressions)

    @cached_property
    def _expressions(self) -> tuple[str, ...]:
        return (self.tenant, *self.touches.values(), *self.watches)


@dataclass(frozen=True, kw_only=True)
class System:
    """A source system: ``tables`` in the order in which they are loaded, parents first.

    ``tenants`` is SQL that gives (tenant_id uuid, name text, timezone text, is_active boolean), where the raw schema is
    `{raw}`; a zone that is none counts as not told. Its marts stand in ``mart_schema``.

    ``steps`` are those behind marts that it has part in: `scores`, `messages`, `wishes`, `digests`, `report`.

    ``package`` holds its parts. ``oldest_migration`` gives the shape without which nothing can be built;
    ``optional_migrations`` are those that a database may do without: builds are right, only slower.
    ``has_own_triggers`` says that one of them tells which rows changed; else triggers are generated
    (sources/change_tracking.py). ``has_fixed_schema`` says that its migrations name ``raw_schema``;
    those of others name none, and are applied with it as `search_path`.
    """

    name: str
    package: str
    raw_schema: str
    mart_schema: str
    tables: tuple[Table, ...]
    tenants: str
    oldest_migration: str
    optional_migrations: tuple[str, ...] = ()
    steps: frozenset[str] = frozenset()
    has_own_triggers: bool = False
    has_fixed_schema: bool = False

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

    @cached_property
    def _source(self) -> Mapping[str, Any]:
        """Its source of dbt's; empty for a system without models."""
        for models in (DBT_PROJECT / "models" / self.name, self.folder / "dbt" / "models"):
            path = models / "staging" / "_sources.yml"
            if path.is_file():
                found = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
                return next(source for source in found if source["name"] == self.name)
        return {}

    @property
    def _meta(self) -> Mapping[str, Any]:
        meta: Mapping[str, Any] = self._source.get("config", {}).get("meta", {})
        return meta

    @property
    def prefix(self) -> str:
        """What the names of its relations in schemas that systems share begin with: `build`, `staging`, `live`, …."""
        return str(self._meta.get("prefix", f"{self.name}__"))

    @property
    def entities(self) -> Mapping[str, str]:
        """The types of the ids of the entities that raw tables touch, by name."""
        touched = {entity for table in self.tracked for entity in table.touches}
        return {name: each["type"] for name, each in self._meta.get("entities", {}).items() if name in touched}

    @cached_property
    def tracked(self) -> tuple[TrackedTable, ...]:
        """The tables whose changes builds follow."""
        metas = {table["name"]: table.get("config", {}).get("meta", {}) for table in self._source.get("tables", ())}
        return tuple(
            TrackedTable(
                name=name,
                tenant=meta["tenant"],
                touches={} if meta["touches"] == "tenant" else meta["touches"],
                watches=tuple(meta.get("watches", ())),
            )
            for name, meta in metas.items()
            if meta.get("touches")
        )

    @property
    def needed_columns(self) -> Mapping[str, list[str]]:
        """The columns that a build needs, by table."""
        return {
            table: [column.name for column in columns.values() if column.is_needed]
            for table, columns in self.columns.items()
        }
