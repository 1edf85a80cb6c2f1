"""Loading a folder of exports: in one transaction, all tables or none; a second time changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from agentp.locks import lock_until_commit
from sources.exports.catalog import Shape, read_shapes
from sources.exports.checking import (
    check_keys,
    check_references,
    check_unique,
    drop_repeated,
    keep_orphans,
)
from sources.exports.folder import ExportFile, describe_left_out, find_exports
from sources.exports.merging import advance_sequences, drop_staging, is_empty, merge_rows
from sources.exports.staging import Progress, stage_export

LOAD_LOCK = "loads"
"""The lock that one load holds: a second one waits for the first."""

SESSION_SETTINGS = (
    # Times without a zone are UTC, and a hosted server's time limit is for queries, not for loads.
    "set local timezone = 'UTC'",
    "set local datestyle = 'ISO, YMD'",
    "set local statement_timeout = 0",
    # A second load waits for the first.
    "set local lock_timeout = 0",
    "set local idle_in_transaction_session_timeout = 0",
    # For joining a million staged rows; compiling the few statements costs more than it gives.
    "set local work_mem = '128MB'",
    "set local jit = off",
)


@dataclass(frozen=True)
class TableLoad:
    """What became of one file: rows read, and how many of them were inserted, updated or changed nothing."""

    table: str
    file: str
    rows_read: int
    rows_inserted: int
    rows_updated: int
    rows_unchanged: int


@dataclass(frozen=True)
class LoadReport:
    """What a load did, table by table in the order of loading, and what the reader should know of."""

    tables: tuple[TableLoad, ...]
    warnings: tuple[str, ...]


def load_exports(
    connection: psycopg.Connection[Any], folder: Path, *, progress: Callable[[str, int], None] | None = None
) -> LoadReport:
    """Load a folder of exports (`<table>.csv`, `.csv.gz`, `.jsonl`, `.jsonl.gz`) into the raw tables.

    Stored rows are known by their key, updated where they differ in the file's columns, and left alone
    where they do not. ``progress`` is told a table and the lines copied so far. On a connection that is
    within a transaction already, its owner commits. Any fault of a file is a `LoadError` that names the
    place, and leaves the database as it was.
    """
    exports = find_exports(folder)
    tables: list[TableLoad] = []
    warnings = describe_left_out(folder, exports)
    with connection.transaction():
        for setting in SESSION_SETTINGS:
            connection.execute(setting)
        lock_until_commit(connection, LOAD_LOCK)
        for export in exports:
            shape = read_shapes(connection, export.system, [export.table])[export.table]
            loaded, notes = _load_export(connection, export, shape, progress or (lambda *_: None))
            tables.append(loaded)
            warnings += notes
        for export, loaded in zip(exports, tables, strict=True):
            if loaded.rows_inserted or loaded.rows_updated:
                # The marts are built next, by plans for the tables as they are now.
                name = sql.Identifier(export.system.raw_schema, export.table)
                connection.execute(sql.SQL("analyze {}").format(name))
    return LoadReport(tables=tuple(tables), warnings=tuple(warnings))


def _load_export(
    connection: psycopg.Connection[Any], export: ExportFile, shape: Shape, progress: Progress
) -> tuple[TableLoad, list[str]]:
    warnings = []
    staged = stage_export(connection, export, shape, progress=progress)
    if not export.is_csv:
        check_keys(connection, staged)
    repeated = drop_repeated(connection, staged)
    if repeated:
        warnings.append(f"{export.table}: {repeated} rows of {export.name} repeat an earlier row; they were skipped")
    is_target_empty = is_empty(connection, staged)
    check_unique(connection, staged, is_target_empty=is_target_empty)
    check_references(connection, staged)
    staged, orphans = keep_orphans(connection, staged)
    if orphans and (kept := shape.kept_reference):
        warnings.append(
            f"{export.table}: {orphans} rows point at no row of {kept.table}; their value is kept in {kept.kept_as}"
        )
    merged = merge_rows(connection, staged, is_target_empty=is_target_empty)
    if merged.inserted:
        advance_sequences(connection, staged)
    drop_staging(connection, staged)
    loaded = TableLoad(
        table=export.table,
        file=export.name,
        rows_read=staged.rows,
        rows_inserted=merged.inserted,
        rows_updated=merged.updated,
        rows_unchanged=staged.rows - merged.inserted - merged.updated,
    )
    return loaded, warnings
