"""CSV on its way to COPY: what Postgres would take and make something else of is found here, with its place.

COPY lets a quote begin and end quoting wherever it stands, so that quotes that an export did not double are dropped
without a word; `cells` tells what else. One regular expression, made of the header, runs over the bytes; only a record
that it does not know is looked at field by field. What is wrong in another way is Postgres' to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from agentp.errors import LoadError
from sources.exports.catalog import Column, Shape
from sources.exports.cells import describe_refused, find_form, find_refused, is_refused
from sources.exports.faults import make_fault, make_value_fault
from sources.exports.folder import ExportFile

QUOTED = rb'"(?:[^"]++|"")*+"'
WHOLE = re.compile(rb'(?:[^"\n]++|"[^"]*+")*+\n')
"""A record as COPY sees it: a quote toggles quoting, and a line break outside ends the record."""


ESCAPE = re.compile(rb"\\[bfnrtvN\\]")
"""How COPY's text format, which is no CSV, writes what would end a field."""

LONGEST = 1 << 30
"""Bytes of a record, of which Postgres takes none; it says so itself."""


class StrictRecords:
    """Passes the bytes of an export on, up to the first record that is not to be loaded, which is the ``fault`` then.

    Who reads all of it lets Postgres refuse what comes before, and raises the fault after that. Blank lines at the end
    are left out.
    """

    def __init__(
        self, export: ExportFile, shape: Shape, columns: tuple[str, ...], chunks: Iterator[bytes], *, line: int
    ) -> None:
        self._export = export
        self._columns = [shape.by_name[name] for name in columns]
        self._chunks = chunks
        self._line = line
        self._records = _compile_records(self._columns, export.delimiter)
        self.fault: LoadError | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Yield pieces of whole records; the last may lack its line end."""
        held = b""
        is_first = True
        for piece in self._check():
            data = held + piece
            body = data.rstrip(b"\r\n")
            held = data[len(body) :]
            if body:
                is_first = False
                yield body
        if held and not is_first:
            yield b"\r\n" if held.startswith(b"\r\n") else b"\n"

    def _check(self) -> Iterator[bytes]:
        rest = b""
        awaited = 0
        for chunk in chain(self._chunks, (b"\n",)):
            rest += chunk
            if len(rest) < awaited and len(chunk) > 1:
                continue
            place = 0
            while True:
                found = self._records.match(rest, place)
                place = found.end() if found else place
                unknown = WHOLE.match(rest, place)
                if unknown is None:
                    break
                self.fault = self._find_fault(unknown[0], rest[:place].count(b"\n"))
                if self.fault is not None:
                    yield rest[:place]
                    return
                place = unknown.end()
            yield rest[:place]
            self._line += rest.count(b"\n", 0, place)
            rest = rest[place:]
            # A record that does not end is looked at again when there is twice as much of it.
            awaited = 2 * len(rest)
            if len(rest) > LONGEST:
                yield rest
                yield from self._chunks
                return
        yield rest

    def _find_fault(self, record: bytes, lines_before: int) -> LoadError | None:
        """What is wrong with a record, where it is ours to say; it ends in a line feed."""
        data = record.removesuffix(b"\n").removesuffix(b"\r")
        delimiter = self._export.delimiter
        field = re.compile(QUOTED + b"|[^" + re.escape(delimiter) + b'"]*+')
        place, fault = 0, None
        for number in range(data.count(delimiter) + 1):
            line = self._line + lines_before + data.count(b"\n", 0, place)
            column = self._columns[number] if number < len(self._columns) else None
            found = field.match(data, place)
            place = found.end() if found else place
            if place < len(data) and data[place : place + 1] != delimiter:
                return make_fault(
                    self._export, line=line, column=column.name if column else None,
                    problem="a quote within the value is not doubled, so that nobody can say where the value ends; "
                    'expected "" for each quote, and quotes around the value',
                )  # fmt: skip
            if fault is None and found and column:
                fault = self._judge(found[0], column, line)
            if place >= len(data):
                # With values in the wrong columns nothing is known of any.
                return fault if number + 1 == len(self._columns) else None
            place += 1
        return None

    def _judge(self, field: bytes, column: Column, line: int) -> LoadError | None:
        is_quoted = field.startswith(b'"')
        if not is_quoted and self._export.delimiter == b"\t" and ESCAPE.search(field):
            return make_fault(
                self._export, line=line, column=column.name,
                problem="found an escape of COPY's text format (\\N, \\t, \\n), expected CSV divided by tabs, with "
                "quotes around the value where it needs them",
            )  # fmt: skip
        text = (field[1:-1].replace(b'""', b'"') if is_quoted else field).decode("utf-8", "replace")
        if not is_refused(column, text, is_quoted=is_quoted):
            return None
        return make_value_fault(
            self._export, line=line, column=column, value=text, expected=describe_refused(column, is_csv=True)
        )


def _compile_records(columns: list[Column], delimiter: bytes) -> re.Pattern[bytes]:
    """Return what matches as many records as are all right, from where it is asked to."""
    limit = re.escape(delimiter)
    fields = [_make_field(column, limit) for column in columns]
    return re.compile(b"(?:" + limit.join(fields) + rb"\r?\n)*+")


def _make_field(column: Column, limit: bytes) -> bytes:
    end = rb"(?=" + limit + rb"|\r?\n)"
    form = find_form(column)
    if form is not None:
        # Postgres refuses "", and says how no value is written.
        return rb'(?:(?:%(form)s)?+|"(?:%(form)s)?+")' % {b"form": form.encode()} + end
    pattern, quotes_count = find_refused(column)
    # A backslash among tabs may be an escape.
    plain = rb'[^"' + limit + (rb"\\" if limit == re.escape(b"\t") else b"") + rb"\r\n]*+"
    if not pattern:
        return rb"(?:" + QUOTED + b"|" + plain + b")"
    refused = pattern.encode()
    guard = rb"(?!(?:" + refused + b")" + end + b")"
    if not quotes_count:
        guard += rb'(?!"(?:' + refused + b')"' + end + b")"
    return guard + rb"(?:" + QUOTED + b"|" + plain + b")"
