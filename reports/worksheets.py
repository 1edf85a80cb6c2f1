"""Rows of a worksheet as XML: text is inline text, and there is no way to a formula or a link.

XlsxWriter makes the workbook around them. Its own way from a value to a cell looks at each value anew and costs two
thirds of the time; and it takes a text from `<r>` to `</r>` for markup of its own, which a client could have written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from reports.cells import is_boolean, is_missing, is_whole_number

CUT = "…[cut]"
"""What a text ends in that was longer than a cell may be."""
CELL_LENGTH = 32_767
"""What a cell of Excel holds, in UTF-16."""
EXACT = 10**15
"""Whole numbers from here on lose digits in Excel, which keeps fifteen."""
FIRST_DAY = date(1900, 3, 1)
"""Before it, Excel counts a day that never was, and before 1900 none at all."""
ORIGIN = datetime(1899, 12, 30)  # noqa: DTZ001  # Excel's days have no zone
SECONDS_A_DAY = 86_400

_PLAIN = re.compile(r"[^&<>_\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]*")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LINE_END = re.compile(r"\r\n?")
_ESCAPE_OF_EXCEL = re.compile(r"_(?=x[0-9a-fA-F]{4}_)")


class PlainWorksheet(Worksheet):  # type: ignore[misc]
    """A worksheet of a workbook in constant memory whose rows come many at a time, in order, from the first on."""

    def write_rows(
        self, first_row: int, rows: Sequence[Sequence[Any]], kinds: Sequence[str], formats: Mapping[str, Any]
    ) -> None:
        """Write rows from ``first_row`` on, which counts from 1 as Excel does; ``formats`` are those of the kinds."""
        numbers = range(first_row, first_row + len(rows))
        parts: list[Sequence[str]] = [[f'<row r="{number}">' for number in numbers]]
        for position, (kind, values) in enumerate(zip(kinds, zip(*rows, strict=True), strict=True)):
            write = _WRITERS[kind]
            form = formats.get(kind)
            start = f'<c r="{xl_col_to_name(position)}'
            style = f'" s="{form._get_xf_index()}' if form else ""
            parts.append(
                [
                    "" if (tail := write(value)) == "" else f"{start}{number}{style}{tail}</c>"
                    for number, value in zip(numbers, values, strict=True)
                ]
            )
        self.row_data_fh.write("".join([f"{''.join(row)}</row>" for row in zip(*parts, strict=True)]))
        self._check_dimensions(first_row - 1, 0)
        self._check_dimensions(first_row + len(rows) - 2, max(len(kinds) - 1, 0))


def fit_text(text: str) -> str:
    """Return the text as a cell of XLSX can hold it: without what XML cannot, LF for CR LF, cut at Excel's limit."""
    text = _UNWRITABLE.sub("", _LINE_END.sub("\n", text))
    if len(text) * 2 <= CELL_LENGTH or len(text.encode("utf-16-le")) <= 2 * CELL_LENGTH:
        return text
    kept = text.encode("utf-16-le")[: 2 * (CELL_LENGTH - len(CUT))]
    return kept.decode("utf-16-le", errors="ignore") + CUT


def _write_text(value: Any) -> str:
    if type(value) is not str:
        if is_missing(value):
            return ""
        value = str(value)
    if not _PLAIN.fullmatch(value) or len(value) * 2 > CELL_LENGTH:
        value = fit_text(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        value = _ESCAPE_OF_EXCEL.sub("_x005F_", value)
    return value and f'" t="inlineStr"><is><t xml:space="preserve">{value}</t></is>'


def _write_number(value: Any) -> str:
    if type(value) is int and -EXACT < value < EXACT:
        return f'"><v>{value}</v>'
    if is_missing(value):
        return ""
    if isinstance(value, float | Decimal):
        number = float(value)
        return f'"><v>{number!r}</v>' if math.isfinite(number) else _write_text(str(value))
    if not is_whole_number(value):
        return _write_text(value)
    whole = int(value)
    return f'"><v>{whole}</v>' if -EXACT < whole < EXACT else _write_text(str(whole))


def _write_moment(value: Any, *, is_day: bool) -> str:
    if not isinstance(value, date) or is_missing(value):
        return _write_text(value)
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001
    local = value.replace(tzinfo=None)
    if local.date() < FIRST_DAY:
        return _write_text(local.date().isoformat() if is_day else local.isoformat(sep=" "))
    past = local - ORIGIN
    if is_day:
        return f'"><v>{past.days}</v>'
    # Excel keeps milliseconds; the last microseconds of 9999 would round to a day that it does not have.
    seconds = past.seconds + past.microseconds // 1000 / 1000
    return f'"><v>{past.days + seconds / SECONDS_A_DAY!r}</v>'


def _write_boolean(value: Any) -> str:
    return f'" t="b"><v>{int(value)}</v>' if is_boolean(value) else _write_text(value)


_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "head": _write_text,
    "text": _write_text,
    "integer": _write_number,
    "decimal": _write_number,
    "money": _write_number,
    "percent": _write_number,
    "day": partial(_write_moment, is_day=True),
    "moment": partial(_write_moment, is_day=False),
    "boolean": _write_boolean,
}
