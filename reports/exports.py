"""The marts as files, for notebooks and spreadsheets (issue 6; REQUIREMENTS E3, D4): `agentp export`.

All files show one moment: they are read in one transaction that sees nothing of what is built meanwhile. What an
audience may not see is never asked for: only columns that the project declares are read, and of those only the ones
whose class (`agentp.classification`) is open to the audience. Rows come ordered by their key, those of live views by
all their columns, so that equal marts make equal files.

Moments are UTC. Those that neither Python nor spreadsheets know (infinity, years before 1 and after 9999) are empty.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import IsolationLevel

from agentp.database import open_connection
from agentp.errors import SetupError
from reports.audiences import Audience
from reports.export_queries import Connection, ExportedMart, choose_marts, choose_tenants, read_last_build
from reports.parquet import write_parquet
from reports.placement import write_aside
from reports.spreadsheets import Sheet, SheetColumn, write_csv, write_workbook
from sources.sight import require_sight

FORMATS = ("csv", "xlsx", "parquet")
MANIFEST = "manifest.json"
ROWS_AT_ONCE = 1_000
"""How many rows are fetched at a time."""


@dataclass(frozen=True, kw_only=True)
class ExportedFile:
    """One file: the mart, its rows and columns, the columns left out for the audience, and what proves it whole."""

    mart: str
    file: str
    rows: int
    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """What was exported: ``as_of`` and ``built_at`` are of the last complete build, empty where there is none.

    ``tenants`` are the ids that were asked for; empty means all.
    """

    format: str
    audience: str
    as_of: str | None
    built_at: str | None
    tenants: tuple[str, ...]
    files: tuple[ExportedFile, ...]


def export_marts(
    url: str, folder: Path, *,
    file_format: str = "csv", marts: Sequence[str] = (), tenants: Sequence[str] = (), audience: str = "analyst",
    report: Callable[[str, int], None] = lambda mart, number: None,
) -> ExportReport:  # fmt: skip
    """Write marts to `<mart>.<format>` in the folder, and what they are to `manifest.json`; return that.

    Without names, all marts and all tenants. Tenants are named by short name or id. ``report`` hears of each mart
    before it is written, and how many were. An unknown format, audience, mart or tenant is a `SetupError`, and nothing
    is written then. Memory does not grow with the rows. An export that died leaves whole files and no manifest: that of
    before does not tell what is there any more.
    """
    if file_format not in FORMATS:
        raise SetupError(f"--format is '{file_format}'.", cure=f"Write one of {', '.join(FORMATS)}.")
    if audience not in tuple(Audience):
        raise SetupError(f"--audience is '{audience}'.", cure=f"Write one of {', '.join(Audience)}.")
    with open_connection(url) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        chosen = choose_marts(connection, marts, Audience(audience))
        tenant_ids = choose_tenants(connection, tenants)
        require_sight(connection, through_views=True)
        build = read_last_build(connection)
        _make_folder(folder)
        (folder / MANIFEST).unlink(missing_ok=True)
        files = []
        for number, mart in enumerate(chosen):
            report(mart.name, number)
            path = folder / f"{mart.name}.{file_format}"
            rows = _write_mart(connection, mart, tenant_ids, path, build[1] if build else None)
            files.append(_describe_file(path, mart, rows))
    done = ExportReport(
        format=file_format, audience=audience, as_of=build[0] if build else None,
        built_at=build[1].astimezone(UTC).isoformat() if build else None, tenants=tuple(tenant_ids), files=tuple(files),
    )  # fmt: skip
    with write_aside(folder / MANIFEST) as aside:
        aside.write_text(json.dumps(asdict(done), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return done


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"The folder {folder} cannot be made: {error.strerror}.", cure="Name another: --out DIR."
        ) from error


def _write_mart(
    connection: Connection, mart: ExportedMart, tenants: Sequence[str], path: Path, built_at: datetime | None
) -> int:
    """Write one mart and return its rows."""
    if path.suffix == ".parquet":
        return write_parquet(path, mart.columns, lambda: _read_rows(connection, mart, tenants))
    sheet = Sheet(
        name=mart.name,
        title=mart.name,
        columns=[SheetColumn(title=column.name, kind=column.kind) for column in mart.columns],
        rows=_read_rows(connection, mart, tenants),
    )
    if path.suffix == ".csv":
        return write_csv(path, sheet)
    # Beside equal rows the time in its properties makes a workbook equal.
    created = built_at.astimezone(UTC).replace(tzinfo=None) if built_at else None
    return write_workbook(path, [sheet], title=mart.name, comments="Moments are UTC.", created=created)


def _read_rows(connection: Connection, mart: ExportedMart, tenants: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(name="agentp_export") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        # Postgres plans cursors for their first tenth; here all rows are read.
        connection.execute("set local cursor_tuple_fraction = 1")
        cursor.execute(mart.compose_query(tenants), (list(tenants),) if tenants else None, binary=True)
        yield from cursor


def _describe_file(path: Path, mart: ExportedMart, rows: int) -> ExportedFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ExportedFile(
        mart=mart.name, file=path.name, rows=rows, columns=tuple(column.name for column in mart.columns),
        left_out=mart.left_out, bytes=path.stat().st_size, sha256=digest,
    )  # fmt: skip
