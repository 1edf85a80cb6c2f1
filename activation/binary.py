"""Rows of fixed width between Postgres and numpy, as binary COPY moves them.

Millions of ids and instants as Python objects would take minutes and gigabytes; their bytes take seconds. The format is
that of the Postgres manual, "COPY", "Binary Format": a header of 19 bytes, then for each row the number of fields and
for each field its length and its bytes, in network order.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
CHUNK = 1 << 25
"""Bytes that are parsed at a time."""
WIRE_TYPES = {"uuid": "V16", "int8": ">i8", "int2": ">i2", "float8": ">f8", "timestamptz": ">i8"}
POSTGRES_EPOCH = np.datetime64("2000-01-01", "us")
"""Postgres counts the microseconds of a timestamptz from here."""


def read_rows(
    connection: psycopg.Connection[Any], query: sql.Composable, columns: dict[str, str]
) -> dict[str, npt.NDArray[Any]]:
    """Return a query's columns as arrays: uuids as 16 bytes, the rest as numbers; no value may be NULL.

    ``columns`` names each column of the query in its order, and its Postgres type, one of WIRE_TYPES.
    """
    row = _describe_row(columns)
    parts: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in columns}
    pending = bytearray()
    header_left = len(HEADER)

    def parse() -> None:
        whole = len(pending) // row.itemsize
        if not whole:
            return
        found = np.frombuffer(bytes(pending[: whole * row.itemsize]), dtype=row)
        for name, kind in columns.items():
            parts[name].append(found[name].astype(WIRE_TYPES[kind].replace(">", "=")))
        del pending[: whole * row.itemsize]

    with connection.cursor().copy(sql.SQL("copy ({}) to stdout (format binary)").format(query)) as copy:
        for block in copy:
            pending += block
            if header_left and len(pending) >= header_left:
                del pending[:header_left]
                header_left = 0
            if len(pending) >= CHUNK:
                parse()
    parse()
    if bytes(pending) not in (TRAILER, b""):
        raise ValueError(f"{len(pending)} bytes are left over: a column is NULL or of another type than {columns}")
    return {
        name: np.concatenate(found) if found else np.empty(0, WIRE_TYPES[columns[name]].replace(">", "="))
        for name, found in parts.items()
    }


def write_rows(
    connection: psycopg.Connection[Any], table: sql.Composable, columns: dict[str, str], values: dict[str, Any]
) -> int:
    """Copy arrays into a table, columns as in `read_rows`; return the number of rows."""
    row = _describe_row(columns)
    count = len(next(iter(values.values())))
    rows = np.zeros(count, dtype=row)
    rows["field_count"] = len(columns)
    for name, kind in columns.items():
        rows[f"{name}_length"] = np.dtype(WIRE_TYPES[kind]).itemsize
        rows[name] = values[name]
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with connection.cursor().copy(sql.SQL("copy {} ({}) from stdin (format binary)").format(table, names)) as copy:
        copy.write(HEADER)
        for start in range(0, count, CHUNK // row.itemsize):
            copy.write(rows[start : start + CHUNK // row.itemsize].tobytes())
        copy.write(TRAILER)
    return count


def to_datetimes(instants: npt.NDArray[np.int64]) -> npt.NDArray[np.datetime64]:
    """Return Postgres instants as numpy's, in microseconds, UTC."""
    return POSTGRES_EPOCH + instants.astype("timedelta64[us]")


def to_instant(moment: datetime) -> int:
    """Return a time as Postgres counts it."""
    naive = moment.astimezone(UTC).replace(tzinfo=None)
    return int((np.datetime64(naive, "us") - POSTGRES_EPOCH).astype(np.int64))


def _describe_row(columns: dict[str, str]) -> np.dtype[Any]:
    fields: list[tuple[str, str]] = [("field_count", ">i2")]
    for name, kind in columns.items():
        fields += [(f"{name}_length", ">i4"), (name, WIRE_TYPES[kind])]
    return np.dtype(fields)
