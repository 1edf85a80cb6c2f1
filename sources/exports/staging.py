"""The staging table of one export: Postgres itself checks the types, and numbers the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import sql

from sources.exports.catalog import Shape
from sources.exports.csv_records import count_rows, read_header
from sources.exports.faults import make_fault
from sources.exports.folder import ExportFile, open_export
from sources.exports.json_rows import JsonRows
from sources.exports.refusals import REFUSALS, explain_refusal
from sources.exports.staged import ROW, Staged, name_staging
from sources.exports.strict_csv import StrictRecords

Progress = Callable[[str, int], None]


def stage_export(
    connection: psycopg.Connection[Any], export: ExportFile, shape: Shape, *, progress: Progress
) -> Staged:
    """Copy an export into its staging table; a row that Postgres refuses is a `LoadError` with its place."""
    with open_export(export) as stream:
        if export.is_csv:
            columns = read_header(export, stream, shape)
            _create_staging(connection, shape, columns, demanded=columns)
            options = _csv_options(export, shape, columns)
            records = StrictRecords(export, shape, columns, iter(stream.read_chunk, b""), line=2)
            watch = _EndMarkerWatch(iter(records))
            rows = _copy(connection, export, shape, columns, options=options, chunks=iter(watch), progress=progress)
            if records.fault is not None:
                raise records.fault from None
            if watch.is_suspicious and connection.info.server_version < 180_000 and rows != count_rows(export):
                raise make_fault(
                    export,
                    line=None,
                    problem="a line that holds only \\. ends the data for Postgres 15 to 17",
                )
            return Staged(export, shape, columns, rows)
        _create_staging(connection, shape, shape.names, demanded=shape.find_required())
        objects = JsonRows(export, shape, defaults=_read_defaults(connection, shape))
        rows = _copy(
            connection,
            export,
            shape,
            shape.names,
            options=sql.SQL("format text, encoding 'UTF8'"),
            chunks=objects.encode(stream),
            progress=progress,
        )
        return Staged(export, shape, objects.columns, rows)


class _EndMarkerWatch:
    """Passes chunks on and notes whether a line may hold only `\\.`, which ends COPY before Postgres 18."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.is_suspicious = False

    def __iter__(self) -> Iterator[bytes]:
        last = b"\n"
        for chunk in self._chunks:
            if not self.is_suspicious and (b"\n\\." in chunk or b"\n\\." in last + chunk[:2]):
                self.is_suspicious = True
            last = chunk[-2:]
            yield chunk


def _csv_options(export: ExportFile, shape: Shape, columns: tuple[str, ...]) -> sql.Composable:
    """An empty field is NULL, but empty text where text is required and nothing stands in for it."""
    texts = [
        sql.Identifier(name)
        for name in columns
        if (column := shape.by_name[name]).is_text and column.not_null and column.default is None
    ]
    options = sql.SQL("format csv, encoding 'UTF8', delimiter {}").format(export.delimiter.decode())
    return sql.SQL("{}, force_not_null ({})").format(options, sql.SQL(", ").join(texts)) if texts else options


def _create_staging(
    connection: psycopg.Connection[Any], shape: Shape, columns: tuple[str, ...], *, demanded: tuple[str, ...]
) -> None:
    """Make the table with the raw table's own checks, and its NOT NULLs on the ``demanded`` columns.

    Not where an empty field means the default: that is filled in later.
    """
    name = name_staging(shape.table)
    target = sql.Identifier(shape.schema, shape.table)
    connection.execute(sql.SQL("create temporary table {} (like {}) on commit drop").format(name, target))
    key = set(shape.choose_key(demanded))
    changes: list[sql.Composable] = [
        sql.SQL("alter column {} drop not null").format(sql.Identifier(column.name))
        for column in shape.columns
        if column.not_null and column.name not in key and (column.name not in demanded or column.is_filled)
    ]
    changes += [
        sql.SQL("add constraint {} ").format(sql.Identifier(check.name)) + sql.SQL(check.definition)
        for check in shape.checks
        if set(check.columns).issubset(columns)
    ]
    changes.append(sql.SQL("add column {} bigint generated always as identity").format(sql.Identifier(ROW)))
    connection.execute(sql.SQL("alter table {} {}").format(name, sql.SQL(", ").join(changes)))


def _read_defaults(connection: psycopg.Connection[Any], shape: Shape) -> dict[str, str]:
    """The texts of the defaults that stand in for a missing key where NULL would be accepted."""
    defaults = {}
    for column in shape.columns:
        if column.default is not None and not column.not_null:
            row = connection.execute(sql.SQL("select ({})::text").format(sql.SQL(column.default))).fetchone()
            if row is not None and row[0] is not None:
                defaults[column.name] = row[0]
    return defaults


def _copy(
    connection: psycopg.Connection[Any],
    export: ExportFile,
    shape: Shape,
    columns: tuple[str, ...],
    *,
    options: sql.Composable,
    chunks: Iterator[bytes],
    progress: Progress,
) -> int:
    statement = sql.SQL("copy {} ({}) from stdin ({})").format(
        name_staging(shape.table), sql.SQL(", ").join(map(sql.Identifier, columns)), options
    )
    lines = 0
    with connection.cursor() as cursor:
        try:
            with cursor.copy(statement) as copy:
                for chunk in chunks:
                    copy.write(chunk)
                    lines += chunk.count(b"\n")
                    progress(shape.table, lines)
        except REFUSALS as error:
            # Not chained: the server's own report shows whole rows, secrets included.
            raise explain_refusal(export, shape, columns, error) from None
        progress(shape.table, cursor.rowcount)
        return cursor.rowcount
