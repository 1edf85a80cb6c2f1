"""What of a cell is refused although Postgres would take it: values that say another thing than was meant.

Postgres reads `10.03.26`, `March 10`, `yesterday` and `UTC+3` (three hours west of Greenwich) as moments of its own
choosing, depending on settings and on the day of the load; exports write ISO 8601. `1_500` and `0x10` are numbers from
version 16 on, `inf` is one that no sum survives. An export that spells out NULL (a notebook's `nan` and `None`, COPY's
`\\N`, a spreadsheet's `#N/A`) would make a booking called "NULL" out of no booking, and one that took ids for numbers
(`12345.0`, `1.23E+11`) a second booking out of the first.
"""

from __future__ import annotations

import re
from functools import cache

from sources.exports.catalog import Column

ISO = (
    # 2026-03-10 13:00:00.000+03:00 and what is left out of it: seconds, the offset, the time; T or a blank between.
    r"[0-9]{4,6}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    # As DBeaver (+0300 after a blank), BigQuery (UTC) and Postgres itself (+00, BC) write it.
    r"(?: ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?))?)?(?: BC)?"
)
WHOLE = r" *[+-]?[0-9]+ *"
FRACTION = r" *[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)? *"
FORMS = {
    "timestamp with time zone": ISO, "timestamp without time zone": ISO, "date": ISO,
    "smallint": WHOLE, "integer": WHOLE, "bigint": WHOLE,
    "numeric": FRACTION, "double precision": FRACTION, "real": FRACTION,
}  # fmt: skip
"""How values of a type are written, where Postgres reads more than that."""

SIGN = r"[ !#$%&'()*+./:<=>?@\[\\\]^_`{|}~-]"
"""What programs write around a word: brackets, single quotes, blanks. No quote or divider of CSV."""
ERRORS = r"#(?:N/A|Н/Д|[A-ZА-Я0-9/]{2,20}[!?])"
"""A spreadsheet's: #REF!, #VALUE!, #ССЫЛКА!."""
MACHINES = rf"{SIGN}*+(?:NULL|null|None|nan|NaN|NAN|NaT){SIGN}*|\\+N|{SIGN}+NA{SIGN}+|undefined|{ERRORS}"
"""Words for no value that programs write, and people do not."""
CODES = MACHINES + r"|Null|NONE|N/A|n/a|nil"
IDS = (
    rf"{SIGN}*+(?i:null|none|nan|nat|nil|n/?a|undef(?:ined)?|empty|missing|nullptr|(?:system\.)?dbnull|pd\.na|true|false)"
    rf"{SIGN}*|\\+[Nn] *|-?1\.#[A-Z]+|(?i:nan)\.0+|{ERRORS}"
    # An id that whatever wrote the file took for a number: 12345.0, 1.23E+11.
    r"|[0-9]+\.0+|[0-9]+(?:[.,][0-9]+)?[eE]\+[0-9]+"
)
# Blanks alone are no value for every model, and stay.
SIGNS = rf"(?! *(?:\Z|[\",\t\r\n]))(?:{SIGN}|—|–)+"
"""Neither letter nor digit: a dash for no booking."""

ID_COLUMNS = frozenset({"booking_id", "item_id", "preferred_staff_id"})
NAME_COLUMNS = frozenset({"slug", "phone", "whatsapp_id"})
"""Ids that people type, who type a dash as well."""
CODE_COLUMNS = frozenset({
    "channel", "role", "status", "source", "item_type", "intent", "final_status", "final_intent", "booking_source",
    "booking_status", "booking_currency",
})  # fmt: skip
SPOKEN_COLUMNS = frozenset({"message"})
"""What people say in a dialogue, which may be any word."""


def find_form(column: Column) -> str | None:
    """Return a pattern of how the column's values are written; None where every text is left to Postgres."""
    return FORMS.get(column.type.split("(")[0])


@cache
def find_refused(column: Column) -> tuple[str, bool]:
    """Return a pattern of whole cells that the column does not take, and whether quotes around them make them text.

    An empty pattern refuses nothing. Names and comments may be a word for NULL, when quotes say so; ids may not.
    """
    form = find_form(column)
    if form is not None:
        # Nothing at all is told by the one who asks for it.
        return rf"(?!(?:{form})?\Z)(?s:.*)", False
    if not column.is_text or column.name in SPOKEN_COLUMNS:
        return "", False
    if column.name in ID_COLUMNS:
        return f"{IDS}|{SIGNS}", False
    if column.name in NAME_COLUMNS:
        return IDS, False
    if column.name in CODE_COLUMNS:
        return CODES, False
    return MACHINES, True


def is_refused(column: Column, text: str, *, is_quoted: bool) -> bool:
    """Tell whether a cell's text, without its quotes, is one that the column does not take."""
    pattern, quotes_count = find_refused(column)
    return bool(pattern) and not (is_quoted and quotes_count) and _compile(pattern).fullmatch(text) is not None


def describe_refused(column: Column, *, is_csv: bool) -> str | None:
    """Return what is expected instead of a word for NULL; None where the column's kind says it."""
    if find_form(column) is not None:
        return None
    empty = "an empty field" if is_csv else "null"
    if column.name in ID_COLUMNS | NAME_COLUMNS:
        return f"{empty} for no value, and an id digit by digit"
    quotes = ", or quotes around what is meant as text" if is_csv and find_refused(column)[1] else ""
    return f"{empty} for no value{quotes}"


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
