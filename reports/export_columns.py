"""Columns of an export (issue 6): how Postgres' types are read, and what they become in spreadsheets and in Parquet.

Whatever has no type of its own here (uuid, jsonb and others) is read as its text. `time` is text in spreadsheets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from psycopg import sql

from reports.spreadsheets import Kind

DECIMAL = pa.decimal128(38, 10)
"""What a numeric is in Parquet, whatever its digits, so that the type does not change with the data. What the marts
compute fits; a column with a value that does not (more than ten decimals, infinity) is text instead of rounded."""
MOMENT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Treatment:
    """How a type is read and written: ``reading`` is SQL with a place for the column."""

    kind: Kind
    arrow: Any
    reading: str = "{}"


# What lies outside is not to be told from anything else by Python, and infinity not to be read at all.
_WITHIN = "case when {{0}} between {type} '0001-01-01' and {type} '9999-12-31{last}' then {{0}} end"
TREATMENTS: Mapping[str, Treatment] = {
    "text": Treatment("text", pa.string()),
    "boolean": Treatment("boolean", pa.bool_()),
    "smallint": Treatment("integer", pa.int16()),
    "integer": Treatment("integer", pa.int32()),
    "bigint": Treatment("integer", pa.int64()),
    "numeric": Treatment("decimal", DECIMAL),
    "double precision": Treatment("decimal", pa.float64()),
    "date": Treatment("day", pa.date32(), _WITHIN.format(type="date", last="")),
    "timestamp with time zone": Treatment(
        "moment", MOMENT, _WITHIN.format(type="timestamptz", last=" 23:59:59.999999")
    ),
    "timestamp without time zone": Treatment(
        "moment", pa.timestamp("us"), _WITHIN.format(type="timestamp", last=" 23:59:59.999999")
    ),
    "time without time zone": Treatment("text", pa.time64("us"), "nullif({0}, time '24:00')"),
}
OTHER = Treatment("text", pa.string(), "{}::text")


@dataclass(frozen=True, kw_only=True)
class ExportColumn:
    """A column that an export holds: ``data_type`` is what Postgres calls its type."""

    name: str
    data_type: str

    @property
    def treatment(self) -> Treatment:
        """How its values are read and written."""
        return TREATMENTS.get(self.data_type.partition("(")[0], OTHER)

    @property
    def kind(self) -> Kind:
        """Its kind in a spreadsheet; numerics that are called amounts are money."""
        kind = self.treatment.kind
        return "money" if kind == "decimal" and self.name.endswith("_amount") else kind

    @property
    def reading(self) -> sql.Composable:
        """The expression that reads it."""
        return sql.SQL(self.treatment.reading).format(sql.Identifier(self.name))
