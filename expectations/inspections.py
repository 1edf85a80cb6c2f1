"""What is looked at when a raw table is checked: its key, its client, and the rows elsewhere its rules ask about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite


@dataclass(frozen=True)
class Lookup:
    """A row of another table, found by that table's key: `left join <table> as <alias> on <alias>.<key> = <on>`.

    ``client`` is the column of whose row that is, where it may be another client's, whose changes concern the row too.
    """

    alias: str
    table: str
    key: str
    on: str
    client: str | None = None


@dataclass(frozen=True)
class Tally:
    """Facts about all rows of a table that share some values with the row in question.

    ``keys`` maps that table's columns to expressions over `rows`; ``facts`` names aggregates. Over a whole
    table they are grouped once; for a few clients they are looked up by index.
    """

    alias: str
    table: str
    keys: dict[str, str]
    facts: dict[str, str]
    is_of_itself: bool = False


@dataclass(frozen=True)
class Inspection:
    """How one raw table is looked at.

    ``key`` names rows in `quality.rows_set_aside`; ``label`` names them in examples. ``client`` is None for
    tenants themselves. ``is_read_in_parts`` is for what grows with every dialogue: parts end at clients. Of columns
    that ``may_lack`` names, rules ask by `shape.lacks_<column>` whether the table has them at all.
    """

    table: str
    key: str
    label: str
    tenant: str = "rows.tenant_id"
    client: str | None = None
    lookups: tuple[Lookup, ...] = ()
    tallies: tuple[Tally, ...] = ()
    joins: tuple[str, ...] = ()
    may_lack: tuple[str, ...] = ()
    is_read_in_parts: bool = False

    @property
    def links(self) -> tuple[Lookup, ...]:
        """The rows of other clients that a row may hang on."""
        return tuple(lookup for lookup in self.lookups if lookup.client)

    @property
    def is_linked(self) -> str:
        """SQL that says whether a row hangs on a row of another client."""
        return (
            " or ".join(
                f"({lookup.alias}.tenant_id, {lookup.alias}.{lookup.client}) <> ({self.tenant}, {self.client})"
                for lookup in self.links
            )
            or "false"
        )


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A table whose rows a day are watched for days that are unusual: measures by name, each with SQL over `rows`.

    Rows count on the local day of the table's clock. ``has_silences`` is for the one whose silences are watched.
    """

    table: str
    measures: Mapping[str, str]
    has_silences: bool = False


@dataclass(frozen=True, kw_only=True)
class Standard:
    """A system's data standard: a suite a table, how each is looked at, and the problems that are told of by name.

    ``parted_by`` is the table whose rows say where parts of a whole reading end, where there is one. A problem has what
    is counted and what it does to those who read the marts.
    """

    suites: tuple[Callable[[], ExpectationSuite], ...]
    inspections: tuple[Inspection, ...]
    problems: Mapping[str, tuple[str, str]]
    parted_by: str | None = None
    watched: tuple[Watched, ...] = ()

    @property
    def tables_of_tenants(self) -> list[str]:
        """The tables whose rows are tenants themselves, and no client's."""
        return [inspection.table for inspection in self.inspections if inspection.client is None]

    @property
    def asked_tables(self) -> frozenset[str]:
        """The tables that rows of other tables are judged by: without one of them hardly a row can be judged."""
        found: set[str] = set()
        for inspection in self.inspections:
            found |= {lookup.table for lookup in inspection.lookups} | {tally.table for tally in inspection.tallies}
        return frozenset(found)

    def find_inspection(self, table: str) -> Inspection:
        """Return how a table is looked at."""
        return next(inspection for inspection in self.inspections if inspection.table == table)


def label_standard(standard: Standard, prefix: str) -> Standard:
    """Return a standard whose tables are called by what they are in schemas that systems share."""
    return replace(
        standard,
        inspections=tuple(_label_inspection(inspection, prefix) for inspection in standard.inspections),
        watched=tuple(replace(watched, table=prefix + watched.table) for watched in standard.watched),
    )


def _label_inspection(inspection: Inspection, prefix: str) -> Inspection:
    return replace(
        inspection,
        table=prefix + inspection.table,
        lookups=tuple(replace(lookup, table=prefix + lookup.table) for lookup in inspection.lookups),
        tallies=tuple(replace(tally, table=prefix + tally.table) for tally in inspection.tallies),
    )
