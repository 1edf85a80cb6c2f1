"""Tables of a page: which columns of a frame are shown, how, and what goes into files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import pandas as pd

from reports.cells import is_missing
from reports.formats import NO_CURRENCY, NOTHING, Formats
from reports.spreadsheets import Sheet, SheetColumn
from reports.texts import Texts

Kind = Literal[
    "text", "name", "word", "phone", "integer", "decimal", "money", "percent", "day", "month", "moment", "duration",
    "boolean", "reason", "currency",
]  # fmt: skip
NUMERIC = frozenset({"integer", "decimal", "money", "percent", "duration"})
LARGEST = 1e300
"""By what larger numbers are sorted: JSON, in which long tables travel, has no infinity."""
SHEET_KINDS = {
    "integer": "integer", "decimal": "decimal", "money": "money", "percent": "percent", "duration": "integer",
    "day": "day", "month": "day", "moment": "moment", "boolean": "boolean",
}  # fmt: skip
"""How a kind is kept in files; all others as text. Durations are milliseconds there, as in the marts."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its name in the frame, and how it is shown.

    ``kind`` says how values are written; money needs ``currency``, the column that holds it. A ``word`` is one of a few
    values, whose texts stand under ``words`` (a key of the texts, such as ``status``). ``has_filter`` puts a choice of
    its values above the table. A column that ``is_searched`` is not shown, but search finds rows by it; one that is
    not ``on_page`` is in the files alone, where a row may be as long as it likes. ``unknown`` is the key of what stands
    in place of an amount that nobody knows.
    """

    name: str
    kind: Kind = "text"
    currency: str | None = None
    words: str | None = None
    has_filter: bool = False
    is_searched: bool = False
    is_in_files: bool = True
    on_page: bool = True
    unknown: str | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a page: ``name`` is its file's name and the key of its texts (``table.<name>.<column>``).

    ``frame`` holds one row a line in the order to show them. A table that ``is_searchable`` gets a search field,
    sorting and pages; one that ``is_long`` travels as data that the browser draws page by page. ``opens`` names a
    column whose value opens something when a row is chosen (the dialog of a session). Rows of a table of people,
    ``has_cards``, are cards on a phone, each value beside its title, so that nothing is scrolled sideways.
    """

    name: str
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    is_searchable: bool = False
    is_long: bool = False
    opens: str | None = None
    has_cards: bool = False
    empty: str = "table.empty"

    @property
    def shown(self) -> tuple[Column, ...]:
        """The columns that the frame has: those of other audiences are not in it."""
        return tuple(column for column in self.columns if column.name in self.frame)

    @property
    def on_page(self) -> tuple[Column, ...]:
        """Those that travel with the page, what is only searched last."""
        found = [column for column in self.shown if column.on_page]
        return tuple(sorted(found, key=lambda column: column.is_searched))


class Cell(NamedTuple):
    """What is shown and, where they differ, what it is sorted by, what it leads to, and what else it is found by."""

    text: str
    order: str | float | None = None
    href: str | None = None
    search: str | None = None


def write_cells(table: Table, texts: Texts, formats: Formats) -> list[list[Cell]]:
    """Return the cells of every row."""
    columns = [_write_column(column, table.frame, texts, formats) for column in table.on_page]
    return [list(row) for row in zip(*columns, strict=True)]


def make_sheet(table: Table, texts: Texts | None = None) -> Sheet:
    """Return the table for files: raw values, titled in a language or by the names of the columns."""
    columns = [column for column in table.shown if column.is_in_files]
    extra = [column.currency for column in columns if column.currency and not _has(columns, column.currency)]
    names = [column.name for column in columns] + list(dict.fromkeys(extra))
    kinds = {column.name: SHEET_KINDS.get(column.kind, "text") for column in columns}
    return Sheet(
        name=table.name,
        title=texts.get(f"table.{table.name}.title") if texts else table.name,
        columns=[
            SheetColumn(title=get_title(table, name, texts), kind=kinds.get(name, "text"))  # type: ignore[arg-type]
            for name in names
        ],
        rows=_list_rows(
            table.frame, names, hidden={*extra, *(column.name for column in columns if column.kind == "currency")}
        ),
    )


def _has(columns: Iterable[Column], name: str) -> bool:
    return any(column.name == name for column in columns)


def get_title(table: Table, name: str, texts: Texts | None) -> str:
    """Return what a column is called: for people in a language, for programs by its own name."""
    return name if texts is None else texts.find(f"column.{table.name}.{name}", texts.find(f"column.{name}", name))


def _list_rows(frame: pd.DataFrame, names: list[str], *, hidden: set[str]) -> Iterable[tuple[object, ...]]:
    """The values of every row; of the columns that are ``hidden`` not the code of no currency."""
    columns = [
        [None if value == NO_CURRENCY else value for value in frame[name].tolist()]
        if name in hidden
        else frame[name].tolist()
        for name in names
    ]
    return zip(*columns, strict=True) if columns else ()


def _write_column(column: Column, frame: pd.DataFrame, texts: Texts, formats: Formats) -> list[Cell]:
    values = frame[column.name].tolist()
    if column.kind == "money":
        currencies = frame[column.currency].tolist() if column.currency else [None] * len(values)
        unknown = Cell(texts.get(column.unknown) if column.unknown else NOTHING, "")
        return [
            unknown if is_missing(value) else Cell(formats.write_money(value, currency), _order(value))
            for value, currency in zip(values, currencies, strict=True)
        ]
    if column.kind == "currency":
        return [Cell(write_currency(value, texts) or NOTHING) for value in values]
    if column.kind in ("word", "boolean"):
        # A few words in many rows.
        known = {value: Cell(_write_word(value, column.words or "boolean", texts)) for value in set(values)}
        return [known[value] for value in values]
    if column.kind in ("text", "name", "reason"):
        empty = texts.get("site.nameless") if column.kind == "name" else NOTHING
        return [Cell(empty if is_missing(value) or value == "" else str(value)) for value in values]
    if column.kind == "phone":
        return [
            Cell(formats.write_phone(value), None, formats.link_phone(value), formats.list_digits(value))
            for value in values
        ]
    write = _WRITERS[column.kind]
    return [Cell(write(formats, value), _order(value)) for value in values]


def write_currency(currency: str | None, texts: Texts) -> str:
    """Return a currency's code, or in words that an amount has none; what is no money has none either."""
    if is_missing(currency) or not currency:
        return ""
    return texts.get("kpi.no_currency") if currency == NO_CURRENCY else currency


def _write_word(value: Any, words: str, texts: Texts) -> str:
    if is_missing(value):
        return NOTHING
    return texts.find(f"{words}.{str(value).lower()}", str(value))


def _order(value: Any) -> str | float:
    if is_missing(value):
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S")
    return value.isoformat() if hasattr(value, "isoformat") else max(-LARGEST, min(float(value), LARGEST))


_WRITERS: dict[str, Callable[[Formats, Any], str]] = {
    "integer": Formats.write_number,
    "decimal": lambda formats, value: formats.write_number(value, 2),
    "percent": Formats.write_percent,
    "day": Formats.write_day,
    "month": Formats.write_month,
    "moment": Formats.write_moment,
    "duration": Formats.write_duration,
}
