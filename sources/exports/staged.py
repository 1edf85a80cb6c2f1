"""An export in its staging table, and the way back from a staged row to its place in the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psycopg import sql

from agentp.errors import LoadError
from sources.exports.catalog import Shape
from sources.exports.csv_records import find_row
from sources.exports.faults import make_fault, show_value
from sources.exports.folder import ExportFile
from sources.exports.json_rows import dump, find_object

ROW = "agentp_export_row"
"""The staging column that numbers the rows in the order of the file."""


@dataclass(frozen=True)
class Staged:
    """An export in its staging table: its file, the table's shape, the columns that came, its rows.

    ``has_kept_reference`` says that references were moved to a column that the file does not have.
    """

    export: ExportFile
    shape: Shape
    columns: tuple[str, ...]
    rows: int
    has_kept_reference: bool = False

    @property
    def merged(self) -> tuple[str, ...]:
        """The columns that go into the raw table."""
        kept = self.shape.kept_reference
        return (*self.columns, kept.kept_as) if kept and self.has_kept_reference else self.columns

    @property
    def key(self) -> tuple[str, ...]:
        """The columns by which a stored row is known."""
        return self.shape.choose_key(self.columns)

    @property
    def name(self) -> sql.Identifier:
        """The staging table."""
        return name_staging(self.shape.table)

    @property
    def target(self) -> sql.Identifier:
        """The raw table."""
        return sql.Identifier(self.shape.schema, self.shape.table)

    def make_row_fault(
        self,
        row: int,
        columns: tuple[str, ...],
        *,
        problem: Callable[[str], str] | None = None,
        expected: str = "",
    ) -> LoadError:
        """Return the error for values of a staged row, at the line of the file they stand on.

        ``problem`` makes the clause out of the values shown; without it the clause is "found …, expected …".
        """
        line, values = find_values(self.export, columns=self.columns, row=row)
        known = [self.shape.by_name[name] for name in columns]
        shown = ", ".join(show_value(values.get(column.name), column=column) for column in known)
        clause = problem(shown) if problem is not None else f"found {shown}, expected {expected}"
        first = line.get(columns[0]) if columns else None
        return make_fault(self.export, line=first, column=", ".join(columns) or None, problem=clause)

    def find_line(self, row: int) -> int | None:
        """Return the line on which a staged row begins."""
        return find_values(self.export, columns=self.columns, row=row)[0].get(None)


def find_values(
    export: ExportFile, *, columns: tuple[str, ...], row: int
) -> tuple[dict[str | None, int], dict[str, str | None]]:
    """Read a row again: the line of each of its columns (of the row itself under None), and its values."""
    if export.is_csv:
        place = find_row(export, row=row)
        if place is None:
            return {}, {}
        lines: dict[str | None, int] = {None: place.record.line}
        lines.update({name: field.line for name, field in zip(columns, place.fields, strict=False)})
        return lines, {name: field.text for name, field in zip(columns, place.fields, strict=False)}
    found = find_object(export, row=row)
    if found is None:
        return {}, {}
    line, values = found
    return {None: line, **dict.fromkeys(columns, line)}, {
        name: value if isinstance(value, str) else None if value is None else dump(value)
        for name, value in values.items()
    }


def name_staging(table: str) -> sql.Identifier:
    """Return the name of a table's staging table."""
    return sql.Identifier("pg_temp", f"agentp_staging_{table}")
