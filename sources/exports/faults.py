"""What is wrong with a row, in words: file, line, column, value, and what was expected."""

from __future__ import annotations

import re

import psycopg

from agentp.errors import LoadError
from agentp.redaction import scrub, scrub_error
from sources.exports.catalog import Check, Column
from sources.exports.folder import ExportFile

SHOWN_LENGTH = 80
CURE = "Correct the file and load the folder again; the database is as it was before."

EXPECTATIONS = {
    "uuid": "a UUID such as 3f2b8c1e-5d4a-4b6f-9e7d-2a1c0b9f8e7d",
    "timestamp with time zone": "a timestamp with time zone such as 2026-01-31 09:00:00+00",
    "timestamp without time zone": "a timestamp such as 2026-01-31 09:00:00",
    "date": "a date such as 2026-01-31",
    "smallint": "a whole number from -32768 to 32767",
    "integer": "a whole number from -2147483648 to 2147483647",
    "bigint": "a whole number from -9223372036854775808 to 9223372036854775807",
    "numeric": "a number such as 1500.00",
    "double precision": "a number such as 1500.00",
    "real": "a number such as 1500.00",
    "boolean": "true or false",
    "jsonb": 'JSON such as {"stage": "time_selection"}',
    "json": 'JSON such as {"stage": "time_selection"}',
    "text": "text",
}

SHOWN_TEXTS = frozenset({
    "slug", "role", "channel", "status", "final_status", "item_type", "item_id", "intent", "language",
    "booking_id", "booking_source", "booking_status", "booking_currency", "final_intent", "source",
    "preferred_staff_id",
})  # fmt: skip
"""The text columns whose values are words of the bots; every other holds, or may hold, what belongs to a person."""
PERSONAL_NUMBERS = frozenset({"telegram_chat_id", "yclients_client_id"})

_SECRET = re.compile(r"token|secret|passw|api.?key|bearer|\benc:", re.IGNORECASE)
_AMOUNTS = ("N", "D")
"""How the catalog calls kinds of numbers, and of times."""
# A number too large for its column; not 8916…, a phone that a stray comma moved here.
_AMOUNT = re.compile(r"-?(?![78][0-9]{10}\Z)[0-9]{1,40}(?:[.,][0-9]{0,40})?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def describe_expected(column: Column) -> str:
    """Return in plain words what a column takes."""
    if column.type.startswith("numeric("):
        return f"a number that fits {column.type}"
    return EXPECTATIONS.get(column.type, f"a value of type {column.type}")


def describe_check(check: Check) -> str:
    """Return what a check constraint asks: the list of allowed values, else its own SQL."""
    allowed = re.findall(r"'((?:[^']|'')*)'::", check.definition)
    if allowed and "= ANY" in check.definition and len(check.columns) == 1:
        return "one of " + ", ".join(value.replace("''", "'") for value in allowed)
    return f"what the constraint {check.name} asks: {check.definition}"


def show_value(value: str | None, *, column: Column | None) -> str:
    """Return a value for a message: quoted, cut, on one line, and not at all when it may be a secret's or a person's.

    A tenant's `metadata` holds access tokens (seed 01, section 1), and a row with a stray comma shows them in its
    neighbour columns; names, phones and messages are their owners' (issue 7). Of such a value its kind and length are
    told. Without a ``column`` it is what stands in a header.
    """
    if value is None:
        return "(no value)"
    if not value:
        return '""'
    if _SECRET.search(value):
        return f"({len(value)} characters, not shown: they may hold a secret)"
    if column is None and not _NAME.fullmatch(value):
        return f"(a text of {len(value)} characters)"
    if column is not None and (column.is_json or (column.is_text and column.name not in SHOWN_TEXTS)):
        return f"({'JSON' if column.is_json else 'a text'} of {len(value)} characters)"
    if column is not None and column.name in PERSONAL_NUMBERS:
        return f"(a number of {len(value)} characters)"
    scrubbed = scrub(value)
    is_amount = column is not None and column.category in _AMOUNTS
    if not (is_amount and _AMOUNT.fullmatch(value)) or "[card]" in scrubbed:
        value = scrubbed
    shown = value if len(value) <= SHOWN_LENGTH else value[:SHOWN_LENGTH] + "…"
    return '"' + "".join(sign if sign.isprintable() else _escape(sign) for sign in shown) + '"'


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def tell_reason(error: psycopg.Error) -> str:
    """Return the server's own words, without values of the row."""
    reason = scrub_error(error.diag.message_primary or "no reason given")
    return f"SQLSTATE {error.sqlstate}" if _SECRET.search(reason) else reason[: 2 * SHOWN_LENGTH]


def make_fault(export: ExportFile, *, line: int | None, problem: str, column: str | None = None) -> LoadError:
    """Return the error for a place in a file; ``problem`` is a clause without its full stop."""
    place = export.name
    if line is not None:
        place += f", line {line}"
    if column is not None:
        place += f", column {column}"
    return LoadError(f"{place}: {problem}.", cure=CURE)


def make_value_fault(
    export: ExportFile, *, line: int | None, column: Column, value: str | None, expected: str | None = None
) -> LoadError:
    """Return the error for one value: shown as far as it may be, with what was expected."""
    expected = expected or describe_expected(column)
    hint = "; for no value leave the field empty, without quotes" if value == "" and export.is_csv else ""
    return make_fault(
        export,
        line=line,
        column=column.name,
        problem=f"found {show_value(value, column=column)}, expected {expected}{hint}",
    )
