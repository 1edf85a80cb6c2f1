"""Generation and load, and the cheapest things that could write such files and fill such tables."""

from __future__ import annotations

import csv
import gzip
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from agentp.database import open_connection
from sources.exports import load_exports
from sources.exports.folder import find_exports
from sources.migrations import apply_migrations
from systems.agent_p.demo import DEMO_LAST_DAY, write_demo
from systems.registry import get_main_system

HISTORY = "recent_history_v2"
MESSAGES_PER_SESSION = 11
CHUNK = 1 << 20
LAST_DAY = DEMO_LAST_DAY


def time_generation(folder: Path, *, messages: int) -> tuple[float, float]:
    """Write the demo with about so many messages; return its seconds and those of the floor."""
    begin = time.perf_counter()
    summary = write_demo(folder, sessions=max(1, messages // MESSAGES_PER_SESSION))
    seconds = time.perf_counter() - begin
    shapes = [
        (export.path.name, summary.tables[export.table], *_measure_file(export.path)) for export in find_exports(folder)
    ]
    constant = folder.with_name(folder.name + "-constant")
    constant.mkdir()
    begin = time.perf_counter()
    for name, rows, columns, size in shapes:
        _write_constant(constant / name, rows=rows, columns=columns, size=size)
    return seconds, time.perf_counter() - begin


def time_load(url: str, folder: Path) -> float:
    """Migrate an empty database and load the folder; return the load's seconds."""
    with open_connection(url, autocommit=True) as connection:
        apply_migrations(connection, get_main_system())
        begin = time.perf_counter()
        load_exports(connection, folder)
        return time.perf_counter() - begin


def time_copy(url: str, folder: Path, *, loaded_url: str) -> float:
    """Migrate an empty database and COPY the unpacked files into it; return the seconds of COPY and analyze.

    COPY cannot move the session ids that nobody archived, so the files are freed of them beforehand.
    """
    plain = folder.with_name(folder.name + "-plain")
    plain.mkdir()
    _unpack(folder, plain, orphans=_find_orphans(loaded_url))
    with open_connection(url, autocommit=True) as connection:
        apply_migrations(connection, get_main_system())
        begin = time.perf_counter()
        with connection.transaction():
            for export in find_exports(plain):
                _copy(connection, export.table, export.path)
                connection.execute(sql.SQL("analyze {}").format(sql.Identifier(export.table)))
        return time.perf_counter() - begin


def _measure_file(path: Path) -> tuple[int, int]:
    """Return a file's number of columns and its unpacked bytes."""
    with gzip.open(path, "rb") as source:
        header = source.readline()
        size = len(header)
        while chunk := source.read(CHUNK):
            size += len(chunk)
    return header.count(b",") + 1, size


def _write_constant(path: Path, *, rows: int, columns: int, size: int) -> None:
    width = max(1, size // max(1, rows) // columns - 1)
    row = ["x" * width] * columns
    with (
        gzip.open(path, "wb", compresslevel=1) as target,
        io.TextIOWrapper(target, encoding="utf-8", newline="") as text,
    ):
        writer = csv.writer(text, lineterminator="\n")
        for _ in range(rows):
            writer.writerow(row)


def _find_orphans(url: str) -> dict[bytes, bytes]:
    with open_connection(url) as connection:
        rows = connection.execute(
            "select id::text, legacy_session_id::text from recent_history_v2 where legacy_session_id is not null"
        ).fetchall()
    return {number.encode(): session.encode() for number, session in rows}


def _unpack(folder: Path, plain: Path, *, orphans: dict[bytes, bytes]) -> None:
    for export in find_exports(folder):
        with gzip.open(export.path, "rb") as source, (plain / f"{export.table}.csv").open("wb") as target:
            if export.table != HISTORY:
                while chunk := source.read(CHUNK):
                    target.write(chunk)
                continue
            for line in source:
                session = orphans.get(line.partition(b",")[0])
                target.write(line.replace(session, b"", 1) if session else line)


def _copy(connection: psycopg.Connection[tuple[object, ...]], table: str, path: Path) -> None:
    with connection.cursor() as cursor, path.open("rb") as source:
        header = source.readline().decode().strip().split(",")
        statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, header))
        )
        with cursor.copy(statement) as copy:
            while chunk := source.read(CHUNK):
                copy.write(chunk)


@contextmanager
def make_database(server_url: str, name: str) -> Iterator[str]:
    """Yield the URL of an empty database of that name; drop it after."""
    base, _, _ = server_url.rpartition("/")
    quoted = sql.Identifier(name)
    with open_connection(server_url, autocommit=True) as server:
        server.execute(sql.SQL("drop database if exists {} with (force)").format(quoted))
        server.execute(sql.SQL("create database {}").format(quoted))
    try:
        yield f"{base}/{name}"
    finally:
        with open_connection(server_url, autocommit=True) as server:
            server.execute(sql.SQL("drop database if exists {} with (force)").format(quoted))
