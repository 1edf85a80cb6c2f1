"""Spreadsheets: tables as CSV and XLSX that open anywhere and hold no formula (issue 6; REQUIREMENTS E3).

What a kind of column takes, and how it is written. None, NaN, NaT and pandas.NA are empty cells everywhere.

=========  ===================  ========================================  =============================================
kind       values               CSV                                       XLSX
=========  ===================  ========================================  =============================================
text       whatever has a text  defused (`reports.defusing.defuse`)       text, cut at Excel's limit
integer    int                  digits                                    number; text from 16 digits on
decimal    Decimal, float       digits with a point, never an exponent    number
money      Decimal, float       the same                                  number, two digits shown
percent    a share, 0.25        the same: 0.25                            number, shown as 25.0%
day        date                 2026-01-31                                date; text before March 1900
moment     datetime             ISO 8601 with the offset that it carries  the local time that it carries; text likewise
boolean    bool                 true, false                               TRUE, FALSE
=========  ===================  ========================================  =============================================
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

from reports.cells import convert_for_csv
from reports.defusing import defuse
from reports.placement import write_aside
from reports.tabs import choose_tab_names

Kind = Literal["text", "integer", "decimal", "money", "percent", "day", "moment", "boolean"]
ROWS_A_TAB = 1_048_576
"""Rows of a worksheet, the header among them."""
ROWS_AT_ONCE = 1_000
"""How many rows are converted together, column by column."""
WIDTHS: Mapping[str, int] = {
    "text": 24, "integer": 12, "decimal": 12, "money": 14, "percent": 10, "day": 12, "moment": 20, "boolean": 9,
}  # fmt: skip
"""Characters, where a column does not say its own."""
FORMATS: Mapping[str, dict[str, Any]] = {
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"},
    "integer": {"num_format": "0"},
    "money": {"num_format": "#,##0.00"},
    "percent": {"num_format": "0.0%"},
    "day": {"num_format": "yyyy-mm-dd"},
    "moment": {"num_format": "yyyy-mm-dd hh:mm:ss"},
}


@dataclass(frozen=True, kw_only=True)
class SheetColumn:
    """One column: ``title`` stands in the header; ``width`` is in characters."""

    title: str
    kind: Kind
    width: int | None = None


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One table: ``name`` names file and tab; ``title`` is printed above it; ``rows`` are read once, in order."""

    name: str
    title: str
    columns: Sequence[SheetColumn]
    rows: Iterable[Sequence[object]]


def write_csv(path: Path, sheet: Sheet) -> int:
    """Write the table as CSV and return its rows: RFC 4180, UTF-8 with a mark so that Excel shows Russian.

    Values are for machines. Half a character pair, which no UTF-8 holds, becomes a question mark.
    """
    kinds = [column.kind for column in sheet.columns]
    count = 0
    with write_aside(path) as aside, aside.open("w", encoding="utf-8", errors="replace", newline="") as file:
        file.write("\ufeff")
        out = csv.writer(file, lineterminator="\r\n")
        out.writerow([defuse(column.title) for column in sheet.columns])
        for rows in _take_rows(iter(sheet.rows)):
            columns = zip(kinds, zip(*rows, strict=True), strict=True)
            out.writerows(zip(*(convert_for_csv(kind, values) for kind, values in columns), strict=True))
            count += len(rows)
    return count


def write_workbook(
    path: Path, sheets: Sequence[Sheet], *,
    title: str = "", subject: str = "", comments: str = "", created: datetime | None = None,
) -> int:  # fmt: skip
    """Write the tables as one XLSX, a tab each, and return their rows together.

    Text is written as text, never as a formula or a link; what XML cannot hold is left out of it, CR LF becomes LF, and
    what is longer than a cell may be ends in `reports.worksheets.CUT`. More rows than a tab holds go on in the next
    one, under the same header. The memory that it takes does not grow with the rows. ``created`` stands in the file's
    properties: equal rows and an equal ``created`` make an equal file.
    """
    from xlsxwriter import Workbook

    count = 0
    with write_aside(path) as aside, Workbook(str(aside), {"constant_memory": True}) as book:
        properties = {"title": title, "subject": subject, "comments": comments}
        book.set_properties({**properties, **({"created": created} if created else {})})
        formats = {kind: book.add_format(dict(form)) for kind, form in FORMATS.items()}
        name_tab = choose_tab_names()
        for sheet in sheets:
            rows = iter(sheet.rows)
            is_more = True
            while is_more:
                count += _write_tab(book, name_tab(sheet.name), sheet, islice(rows, ROWS_A_TAB - 1), formats)
                following = next(rows, None)
                is_more = following is not None
                rows = rows if following is None else chain([following], rows)
    return count


def _write_tab(book: Any, name: str, sheet: Sheet, rows: Iterator[Sequence[object]], formats: Mapping[str, Any]) -> int:
    """Write a tab with the header and as many of the rows as there are; return how many that was."""
    from reports.worksheets import PlainWorksheet, fit_text

    tab = book.add_worksheet(name, worksheet_class=PlainWorksheet)
    if sheet.title:
        tab.set_header("&C" + fit_text(sheet.title)[:120].replace("&", "&&"))
    tab.freeze_panes(1, 0)
    tab.repeat_rows(0)
    # Phones and booking ids are text on purpose.
    tab.ignore_errors({"number_stored_as_text": f"A1:XFD{ROWS_A_TAB}"})
    for position, column in enumerate(sheet.columns):
        tab.set_column(position, position, column.width or WIDTHS[column.kind])
    if sheet.columns:
        tab.write_rows(1, [[column.title for column in sheet.columns]], ["head"] * len(sheet.columns), formats)
    written = 0
    kinds = [column.kind for column in sheet.columns]
    for part in _take_rows(rows):
        tab.write_rows(written + 2, part, kinds, formats)
        written += len(part)
    tab.autofilter(0, 0, max(written, 1), max(len(sheet.columns) - 1, 0))
    return written


def _take_rows(rows: Iterator[Sequence[object]]) -> Iterator[list[Sequence[object]]]:
    """Yield the rows in lists, so that no more than a list of them is in memory."""
    while part := list(islice(rows, ROWS_AT_ONCE)):
        yield part
