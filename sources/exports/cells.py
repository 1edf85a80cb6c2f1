"""What of a cell is refused although Postgres would take it: dates that say another day than was meant, words for NULL.

Postgres reads `10.03.26`, `March 10`, `yesterday` and `UTC+3` (three hours west of Greenwich) as moments of its own
choosing, depending on settings and on the day of the load; exports write ISO 8601. An export that spells out NULL (a
notebook's `nan` and `None`, a tool's `NULL`, COPY's `\\N`) would make a booking called "NULL" out of no booking.
"""

from __future__ import annotations

import re
from functools import cache

from sources.exports.catalog import Column

TEMPORAL = ("timestamp with time zone", "timestamp without time zone", "date")
FRACTIONS = ("numeric", "double precision", "real")

ISO = (
    # 2026-03-10 13:00:00.000+03:00 and what is left out of it: seconds, the offset, the time; T or a blank between.
    r"[0-9]{4,6}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    # As DBeaver (+0300 after a blank), BigQuery (UTC) and Postgres itself (+00, BC) write it.
    r"(?: ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?))?)?(?: BC)?"
)
MACHINES = r"NULL|null|None|nan|NaN|NAN|NaT|\\N|\[(?:NULL|null)\]|\((?:NULL|null)\)|<(?:NULL|null|NA)>|#N/A|undefined"
"""Words for no value that programs write, and people do not."""
CODES = MACHINES + r"|Null|NONE|N/A|n/a|nil"
IDS = r"(?i:null|none|nan|nat|\\n|\[null\]|\(null\)|<null>|<na>|#?n/a|#?na|nil|undefined)"
NAN = r"(?i:nan)"

ID_COLUMNS = frozenset({"booking_id", "item_id", "preferred_staff_id", "slug", "phone", "whatsapp_id"})
CODE_COLUMNS = frozenset({
    "channel", "role", "status", "source", "item_type", "intent", "final_status", "final_intent", "booking_source",
    "booking_status", "booking_currency",
})  # fmt: skip
SPOKEN_COLUMNS = frozenset({"message"})
"""What people say in a dialogue, which may be any word."""


@cache
def find_refused(column: Column) -> tuple[str, bool]:
    """Return a pattern of whole cells that the column does not take, and whether quotes around them make them text.

    An empty pattern refuses nothing. Names and comments may be a word for NULL, when quotes say so; ids may not.
    """
    if column.type in TEMPORAL:
        # Nothing at all is told by the one who asks for it.
        return rf"(?!(?:{ISO})?\Z)(?s:.*)", False
    if column.type.split("(")[0] in FRACTIONS:
        return NAN, False
    if not column.is_text or column.name in SPOKEN_COLUMNS:
        return "", False
    if column.name in ID_COLUMNS:
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
    if column.type in TEMPORAL:
        return None
    empty = "an empty field" if is_csv else "null"
    quotes = ", or quotes around what is meant as text" if is_csv and find_refused(column)[1] else ""
    return f"{empty} for no value{quotes}"


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
