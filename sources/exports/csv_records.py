"""CSV records with their lines: the header of every file, and a guilty row once Postgres refused it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agentp.errors import LoadError
from sources.exports.catalog import Shape
from sources.exports.faults import CURE, make_fault, show_value
from sources.exports.folder import CHUNK, GZIP_MAGIC, ExportFile, ExportStream, open_export

KEPT_BYTES = 16 * CHUNK
"""Of a record that never ends (an open quote) no more than this is kept."""


@dataclass(frozen=True)
class Field:
    """One field: its raw bytes without quotes, and the line it begins on."""

    value: bytes
    line: int
    is_quoted: bool

    @property
    def text(self) -> str | None:
        """The value as text, broken bytes marked; None for an empty field without quotes."""
        return self.value.decode("utf-8", "replace") if self.value or self.is_quoted else None


@dataclass(frozen=True)
class Record:
    """One record: the line it begins on, its bytes (see `KEPT_BYTES`) and the line breaks within them.

    ``has_cr`` tells whether it ended in CR LF, ``is_closed`` whether its last quote closes.
    """

    line: int
    data: bytes
    breaks: int
    has_cr: bool
    is_closed: bool

    def split(self, delimiter: bytes) -> list[Field]:
        """Return the fields, by the rules of Postgres: a quote toggles quoting wherever it stands."""
        fields = []
        value = bytearray()
        is_inside = is_quoted = False
        begin = line = self.line
        data = self.data
        place = 0
        while place < len(data):
            sign = data[place : place + 1]
            if sign == b'"':
                if is_inside and data[place + 1 : place + 2] == b'"':
                    value += b'"'
                    place += 1
                else:
                    is_inside = not is_inside
                    is_quoted = True
            elif sign == delimiter and not is_inside:
                fields.append(Field(bytes(value), begin, is_quoted))
                value.clear()
                is_quoted = False
                begin = line
            else:
                value += sign
                line += sign == b"\n"
            place += 1
        return [*fields, Field(bytes(value), begin, is_quoted)]


def read_records(stream: ExportStream) -> Iterator[Record]:
    """Yield the records, the header first, in flat memory."""
    line = 1
    while first := stream.read_line():
        begin = line
        kept = bytearray()
        piece = first
        quotes = breaks = 0
        ended = False
        while True:
            quotes += piece.count(b'"')
            ended = piece.endswith(b"\n")
            line += ended
            breaks += ended
            if len(kept) < KEPT_BYTES:
                kept += piece
            if ended and quotes % 2 == 0:
                break
            piece = stream.read_line()
            if not piece:
                break
        data = bytes(kept)
        has_cr = data.endswith(b"\r\n")
        if ended and quotes % 2 == 0:
            data = data.removesuffix(b"\n").removesuffix(b"\r")
            breaks -= 1
        yield Record(line=begin, data=data, breaks=breaks, has_cr=has_cr, is_closed=quotes % 2 == 0)


def read_header(export: ExportFile, stream: ExportStream, shape: Shape) -> tuple[str, ...]:
    """Read the first record and return the file's columns; the stream then stands at the first row.

    Unknown, repeated and missing columns are a `LoadError` that names them.
    """
    header = next(read_records(stream), None)
    if header is None or not header.data.strip():
        raise make_fault(export, line=1, problem="the file is empty, expected a header with column names")
    if header.data.startswith(GZIP_MAGIC):
        raise LoadError(f"{export.name} is compressed by gzip.", cure=f"Rename it to {export.table}.csv.gz.")
    if not header.is_closed:
        raise make_fault(export, line=1, problem="a quote in the header is never closed")
    try:
        columns = tuple(field.value.decode("utf-8") for field in header.split(export.delimiter))
    except UnicodeDecodeError:
        raise make_fault(export, line=1, problem="the header is not UTF-8; save the file as UTF-8") from None
    if "\r" in header.data.decode("utf-8"):
        raise make_fault(export, line=1, problem="lines end in CR alone; LF or CR LF is expected")
    check_columns(export, shape, columns)
    return columns


def check_columns(export: ExportFile, shape: Shape, columns: tuple[str, ...]) -> None:
    """Refuse unknown, repeated and missing columns, naming them."""
    if columns and not any(name in shape.by_name for name in columns):
        other = next((sign for sign in (";", "\t", "|", ",") if sign in columns[0]), None) if export.is_csv else None
        if other is not None and columns[0].split(other)[0].strip('"') in shape.by_name:
            raise make_fault(
                export, line=1,
                problem=f"fields are divided by {other!r}, expected {export.delimiter.decode()!r} (export it so)",
            )  # fmt: skip
        # Without a header the first row would be told of as names of columns.
        raise make_fault(
            export, line=1,
            problem=f"no column of {shape.table} is named here, expected a header of {', '.join(shape.names)}",
        )  # fmt: skip
    unknown = [show_value(name, column=None) for name in columns if name not in shape.by_name]
    if unknown:
        raise LoadError(
            f"{export.name}: {shape.table} has no column {', '.join(unknown)}; "
            f"its columns are {', '.join(shape.names)}.",
            cure="Take these columns out of the file, or rename them (columns are separated by commas); " + CURE,
        )
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise LoadError(f"{export.name} has these columns more than once: {', '.join(repeated)}.", cure=CURE)
    missing = [name for name in shape.find_required() if name not in columns]
    if missing:
        raise LoadError(f"{export.name} lacks columns that {shape.table} requires: {', '.join(missing)}.", cure=CURE)


@dataclass(frozen=True)
class Place:
    """A row in its file: the record, by its own line, and its fields."""

    record: Record
    fields: list[Field]


def find_row(export: ExportFile, *, row: int) -> Place | None:
    """Return the row with this number, counted from 1 after the header."""
    with open_export(export) as stream:
        for number, record in enumerate(read_records(stream)):
            if number == row:
                return Place(record, record.split(export.delimiter))
    return None


def find_copy_line(export: ExportFile, *, copy_line: int) -> Place | None:
    """Return the row that Postgres means by a line number, when it was sent all after the header.

    Postgres counts a record as one line, and each line break within quotes as one more. It takes CRs
    for the breaks in a file whose lines end in CR LF, and in the first record, before it has seen an end.
    """
    counted = 0
    has_cr: bool | None = None
    with open_export(export) as stream:
        records = read_records(stream)
        next(records, None)
        for record in records:
            counted += 1 + (record.breaks if has_cr is False else record.data.count(b"\r"))
            if has_cr is None:
                has_cr = record.has_cr
            if counted >= copy_line:
                return Place(record, record.split(export.delimiter))
    return None


def find_broken_text(export: ExportFile) -> Place | None:
    """Return the first row that is not UTF-8 or holds a NUL character."""
    with open_export(export) as stream:
        for record in read_records(stream):
            if is_broken(record.data):
                return Place(record, record.split(export.delimiter))
    return None


def is_broken(data: bytes) -> bool:
    """Tell whether bytes are not UTF-8 text that Postgres can hold."""
    try:
        return "\0" in data.decode("utf-8")
    except UnicodeDecodeError:
        return True


def count_rows(export: ExportFile) -> int:
    """Return the number of rows after the header, without blank lines at the end."""
    rows = 0
    with open_export(export) as stream:
        for number, record in enumerate(read_records(stream)):
            if record.data:
                rows = number
    return rows
