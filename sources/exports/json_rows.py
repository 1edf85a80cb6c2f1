"""JSON as the text that COPY reads: objects a line each or in an array, numbers digit by digit as they were written."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any

from agentp.errors import LoadError
from sources.exports.catalog import Column, Shape
from sources.exports.cells import describe_refused, is_refused
from sources.exports.csv_records import check_columns
from sources.exports.faults import make_fault, make_value_fault, show_value
from sources.exports.folder import CHUNK, GZIP_MAGIC, ExportFile, ExportStream, open_export

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})


class RawNumber(str):
    """A JSON number as it was written: it never passes through a float."""

    __slots__ = ()


class JsonRows:
    """The rows of a JSON Lines export, encoded for COPY; afterwards ``columns`` holds the keys that occurred.

    A missing key is the column's default or NULL; an empty line is no row.
    """

    def __init__(self, export: ExportFile, shape: Shape, *, defaults: dict[str, str]) -> None:
        self._export = export
        self._shape = shape
        self._defaults = defaults
        self._required = shape.find_required()
        self._seen: set[str] = set()

    @property
    def columns(self) -> tuple[str, ...]:
        """The table's columns that occurred as keys, or were required."""
        names = self._seen | set(self._required)
        return tuple(name for name in self._shape.names if name in names)

    def encode(self, stream: ExportStream) -> Iterator[bytes]:
        """Yield pieces of about 1 MiB in COPY's text format, all the table's columns in its order."""
        pieces: list[bytes] = []
        size = 0
        for line, row in read_objects(self._export, stream):
            encoded = self._encode_row(line, row)
            pieces.append(encoded)
            size += len(encoded)
            if size >= CHUNK:
                yield b"".join(pieces)
                pieces.clear()
                size = 0
        yield b"".join(pieces)

    def _encode_row(self, line: int, row: dict[str, Any]) -> bytes:
        if not row.keys() <= self._seen:
            check_columns(self._export, self._shape, (*row, *(name for name in self._required if name not in row)))
            self._seen.update(row)
        missing = [name for name in self._required if name not in row]
        if missing:
            raise make_fault(
                self._export,
                line=line,
                problem=f"{self._shape.table} requires {', '.join(missing)}, the row lacks it",
            )
        values = [self._encode_value(line, column, row) for column in self._shape.columns]
        return b"\t".join(values) + b"\n"

    def _encode_value(self, line: int, column: Column, row: dict[str, Any]) -> bytes:
        if column.name not in row:
            default = None if column.is_filled else self._defaults.get(column.name)
            return b"\\N" if default is None else default.translate(_ESCAPES).encode()
        value = row[column.name]
        if value is None:
            return b"\\N"
        text = _write_json_column(value) if column.is_json else _write_scalar(value, column)
        if text is None:
            shown = dump(value)
            raise make_value_fault(self._export, line=line, column=column, value=shown)
        if is_refused(column, text, is_quoted=True):
            expected = describe_refused(column, is_csv=False)
            raise make_value_fault(self._export, line=line, column=column, value=text, expected=expected)
        if "\0" in text:
            raise make_fault(
                self._export,
                line=line,
                column=column.name,
                problem=f"found a NUL character in {show_value(text, column=column)}, expected text without it",
            )
        try:
            return text.translate(_ESCAPES).encode()
        except UnicodeEncodeError:
            raise make_fault(
                self._export,
                line=line,
                column=column.name,
                problem="found half of a surrogate pair (\\ud800 to \\udfff), expected whole characters",
            ) from None


def read_objects(export: ExportFile, stream: ExportStream) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each row with its line; what is not a JSON object in UTF-8 is a `LoadError`.

    A file is an array of them, or an object a line, whatever its name ends in.
    """
    if stream.peek_sign() == b"[":
        yield from read_array(export, stream)
        return
    line = 0
    while data := stream.read_whole_line():
        line += 1
        if not data.strip():
            continue
        if data.startswith(GZIP_MAGIC):
            raise LoadError(f"{export.name} is compressed by gzip.", cure=f"Rename it to {export.table}.jsonl.gz.")
        try:
            row = parse(data.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise make_fault(
                export,
                line=line,
                problem=f"byte {error.start + 1} of the line is not UTF-8; save the file as UTF-8",
            ) from None
        except json.JSONDecodeError as error:
            raise make_fault(
                export, line=line, problem=f"not a JSON object: {error.msg} at character {error.pos + 1}"
            ) from None
        except RecursionError:
            raise make_fault(export, line=line, problem="the JSON is nested too deeply") from None
        if not isinstance(row, dict):
            raise make_fault(export, line=line, problem="expected one JSON object a line, such as {…}")
        yield line, row


def read_array(export: ExportFile, stream: ExportStream) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each object of an array with the line that it begins on; no more of the file is held than it takes."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    text, line, awaited, is_last = "", 1, 0, False
    # What may come next: the array, its first object or its end, an object, what follows one, nothing.
    state = "array"
    while not is_last:
        piece = stream.read_chunk()
        is_last = not piece
        try:
            text += decode(piece, is_last)
        except UnicodeDecodeError:
            line += text.count("\n")
            raise make_fault(export, line=line, problem="not UTF-8 from here on; save the file as UTF-8") from None
        place = 0
        while is_last or len(text) >= awaited:
            begin = _find_sign(text, place)
            line += text.count("\n", place, begin)
            place, sign = begin, text[begin : begin + 1]
            if not sign:
                break
            if (state, sign) in _AFTER:
                state, place = _AFTER[state, sign], place + 1
                continue
            if state not in ("first", "object"):
                problem = "expected nothing after the array" if state == "end" else "expected a comma or ] here"
                raise make_fault(export, line=line, problem=problem)
            try:
                row, end = _DECODER.raw_decode(text, place)
            except json.JSONDecodeError as error:
                if not is_last:
                    break
                at = line + text.count("\n", place, error.pos)
                raise make_fault(export, line=at, problem=f"not JSON: {error.msg}") from None
            except RecursionError:
                raise make_fault(export, line=line, problem="the JSON is nested too deeply") from None
            if not isinstance(row, dict):
                raise make_fault(export, line=line, problem="expected an array of JSON objects, such as [{…}, {…}]")
            yield line, row
            line += text.count("\n", place, end)
            state, place = "after", end
        text = text[place:]
        # An object that does not end is looked at again when there is twice as much of it.
        awaited = 2 * len(text)
    if state != "end":
        raise make_fault(export, line=line, problem="the array does not end; is the file whole?")


def _find_sign(text: str, place: int) -> int:
    while text[place : place + 1] in _SPACES:
        place += 1
    return place


def find_object(export: ExportFile, *, row: int) -> tuple[int, dict[str, Any]] | None:
    """Return the row with this number, counted from 1, and its line."""
    with open_export(export) as stream:
        for number, found in enumerate(read_objects(export, stream), start=1):
            if number == row:
                return found
    return None


def parse(text: str) -> Any:
    """Parse JSON; its numbers stay text, and NaN and Infinity are refused."""
    return _DECODER.decode(text)


def _refuse_constant(name: str) -> None:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise json.JSONDecodeError("an object has a key twice", "", 0)
    return values


_DECODER = json.JSONDecoder(
    parse_float=RawNumber, parse_int=RawNumber, parse_constant=_refuse_constant, object_pairs_hook=_refuse_repeated
)
_SPACES = frozenset(" \t\r\n")
_AFTER = {
    ("array", "["): "first", ("first", "]"): "end", ("after", ","): "object", ("after", "]"): "end",
}  # fmt: skip


def dump(value: Any) -> str:
    """Write a parsed value as JSON, its numbers as they were."""
    if isinstance(value, RawNumber):
        return str(value)
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {dump(item)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(dump(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _write_json_column(value: Any) -> str:
    """JSON for a JSON column; a string that holds an object or array was packed by a data frame's export."""
    if isinstance(value, str) and not isinstance(value, RawNumber) and value.lstrip()[:1] in ("{", "["):
        try:
            parse(value)
        except (json.JSONDecodeError, RecursionError):
            return dump(value)
        return value
    return dump(value)


def _write_scalar(value: Any, column: Column) -> str | None:
    """The text of a scalar, or None when a column of this type does not take it."""
    if isinstance(value, bool):
        return None if column.is_text else str(value).lower()
    return str(value) if isinstance(value, str) else None
