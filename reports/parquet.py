"""Rows to Parquet: typed columns, row groups of bounded size (issue 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from reports.export_columns import DECIMAL, ExportColumn
from reports.placement import write_aside

ROWS_AT_ONCE = 2_000
ROWS_A_GROUP = 64_000
BYTES_A_GROUP = 64 << 20


class _UnfitError(Exception):
    """A numeric that no decimal of the export holds: its column has to be text."""


def write_parquet(path: Path, columns: Sequence[ExportColumn], read_rows: Callable[[], Iterable[Sequence[Any]]]) -> int:
    """Write the rows and return how many there are.

    ``read_rows`` is called anew when a numeric does not fit: the file is then written again, with that column as text.
    NaN is empty, as in spreadsheets.
    """
    texts: set[str] = set()
    while True:
        try:
            return _write_rows(path, columns, read_rows(), texts)
        except _UnfitError as error:
            texts.add(str(error))


def _write_rows(path: Path, columns: Sequence[ExportColumn], rows: Iterable[Sequence[Any]], texts: set[str]) -> int:
    schema = pa.schema(
        [(column.name, pa.string() if column.name in texts else column.treatment.arrow) for column in columns]
    )
    source = iter(rows)
    batches: list[Any] = []
    count = pending = size = 0
    with write_aside(path) as aside, parquet.ParquetWriter(aside, schema, compression="zstd") as writer:
        while part := list(islice(source, ROWS_AT_ONCE)):
            arrays = [_make_array(field, values) for field, values in zip(schema, zip(*part, strict=True), strict=True)]
            batches.append(pa.record_batch(arrays, schema=schema))
            count, pending, size = count + len(part), pending + len(part), size + batches[-1].nbytes
            if pending >= ROWS_A_GROUP or size >= BYTES_A_GROUP:
                writer.write_table(pa.Table.from_batches(batches))
                batches, pending, size = [], 0, 0
        if batches:
            writer.write_table(pa.Table.from_batches(batches))
    return count


def _make_array(field: Any, values: Sequence[Any]) -> Any:
    if field.type == DECIMAL:
        finite = [None if value is None or value != value else value for value in values]
        try:
            return pa.array(finite, DECIMAL)
        except (pa.ArrowException, OverflowError) as error:
            raise _UnfitError(field.name) from error
    if field.type == pa.string():
        return pa.array([None if value is None else str(value) for value in values], field.type)
    return pa.array(values, field.type)
