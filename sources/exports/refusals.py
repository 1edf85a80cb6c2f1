"""What a COPY that Postgres refused means: the place in the file, and the words for it."""

from __future__ import annotations

import re

import psycopg

from agentp.errors import LoadError
from sources.exports.catalog import Column, Shape
from sources.exports.csv_records import Place, find_broken_text, find_copy_line
from sources.exports.faults import (
    describe_check,
    describe_expected,
    make_fault,
    make_value_fault,
    show_value,
    tell_reason,
)
from sources.exports.folder import ExportFile
from sources.exports.staged import Staged, find_values

REFUSALS = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
)
"""What Postgres raises over a row; all else is a matter of the connection or of rights."""


def explain_refusal(export: ExportFile, shape: Shape, columns: tuple[str, ...], error: psycopg.Error) -> LoadError:
    """Find the place in the file that a failed COPY means.

    Words of the server's report are translated where its locale says so: only numbers, names and
    codes are read.
    """
    if export.is_csv and isinstance(error, psycopg.errors.CharacterNotInRepertoire):
        broken = find_broken_text(export)
        if broken is not None:
            return _explain_broken_text(export, shape, columns, broken)
    context = error.diag.context or ""
    match = re.search(rf"^COPY agentp_staging_{shape.table}, \S+ (\d+)(?:, \S+ ([^:]+):)?", context, flags=re.MULTILINE)
    if match is None:
        return make_fault(export, line=None, problem=f"Postgres refused a row ({tell_reason(error)})")
    copy_line = int(match[1])
    column = shape.by_name.get(match[2] or error.diag.column_name or "")
    if not export.is_csv:
        staged = Staged(export, shape, columns, 0)
        return _explain_row(staged, copy_line, column, error)
    place = find_copy_line(export, copy_line=copy_line)
    if place is None:
        return make_fault(export, line=None, problem=f"Postgres refused a row ({tell_reason(error)})")
    if isinstance(error, psycopg.errors.BadCopyFileFormat) or len(place.fields) != len(columns):
        # A row that is one field short has its values in the wrong columns: their types tell nothing.
        return _explain_format(export, columns, place, error)
    row = dict(zip(columns, place.fields, strict=False))
    check = next((check for check in shape.checks if check.name == error.diag.constraint_name), None)
    if isinstance(error, psycopg.errors.CheckViolation) and check is not None:
        known = [name for name in check.columns if name in row]
        shown = ", ".join(show_value(row[name].text, column=shape.by_name[name]) for name in known)
        line = row[known[0]].line if known else place.record.line
        return make_fault(
            export,
            line=line,
            column=", ".join(known) or None,
            problem=f"found {shown}, expected {describe_check(check)}",
        )
    if column is None or column.name not in row:
        return make_fault(export, line=place.record.line, problem=f"Postgres refused the row ({tell_reason(error)})")
    field = row[column.name]
    return make_value_fault(
        export, line=field.line, column=column, value=field.text, expected=_describe_refused(column, error)
    )


def _explain_row(staged: Staged, row: int, column: Column | None, error: psycopg.Error) -> LoadError:
    check = next((check for check in staged.shape.checks if check.name == error.diag.constraint_name), None)
    if isinstance(error, psycopg.errors.CheckViolation) and check is not None:
        return staged.make_row_fault(row, check.columns, expected=describe_check(check))
    if column is None:
        return make_fault(
            staged.export,
            line=staged.find_line(row),
            problem=f"Postgres refused the row ({tell_reason(error)})",
        )
    line, values = find_values(staged.export, columns=staged.columns, row=row)
    return make_value_fault(
        staged.export,
        line=line.get(None),
        column=column,
        value=values.get(column.name),
        expected=_describe_refused(column, error),
    )


def _describe_refused(column: Column, error: psycopg.Error) -> str | None:
    if isinstance(error, psycopg.errors.DatetimeFieldOverflow):
        return f"{describe_expected(column)}, a day that there is, from 4713 BC to 294276"
    if isinstance(error, psycopg.errors.UntranslatableCharacter):
        return "JSON without the escape \\u0000, which Postgres cannot hold"
    if isinstance(error, psycopg.errors.ProgramLimitExceeded | psycopg.errors.StatementTooComplex):
        return f"a value within the limits of Postgres ({tell_reason(error)})"
    return None


def _explain_broken_text(export: ExportFile, shape: Shape, columns: tuple[str, ...], place: Place) -> LoadError:
    for name, field in zip(columns, place.fields, strict=False):
        try:
            text = field.value.decode("utf-8")
        except UnicodeDecodeError as error:
            shown = show_value(field.text, column=shape.by_name[name])
            line = field.line + field.value[: error.start].count(b"\n")
            return make_fault(
                export,
                line=line,
                column=name,
                problem=f"found {shown}, expected UTF-8 (save the file as UTF-8)",
            )
        if "\0" in text:
            line = field.line + text.split("\0", 1)[0].count("\n")
            shown = show_value(text, column=shape.by_name[name])
            return make_fault(
                export,
                line=line,
                column=name,
                problem=f"found a NUL character in {shown}, expected text without it",
            )
    return make_fault(
        export, line=place.record.line, problem="found broken text, expected UTF-8 without NUL characters"
    )


def _explain_format(export: ExportFile, columns: tuple[str, ...], place: Place, error: psycopg.Error) -> LoadError:
    line = place.record.line
    if not place.record.is_closed:
        opened = next((field.line for field in reversed(place.fields) if field.is_quoted), line)
        return make_fault(export, line=opened, problem="a quote opens a field here and is never closed")
    if len(place.fields) != len(columns):
        hint = "; a comma, quote or line break within a value needs quotes around the value"
        return make_fault(
            export,
            line=line,
            problem=f"the row has {len(place.fields)} fields, expected {len(columns)} as in the header{hint}",
        )
    return make_fault(
        export,
        line=line,
        problem=f"the row's line ends are not those of the file, or not quoted ({tell_reason(error)})",
    )
