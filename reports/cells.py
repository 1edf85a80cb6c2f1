"""What cells hold, whatever the kind of file: what counts as nothing, and numbers, days and moments as text.

What the kinds of columns are stands in `reports.spreadsheets`. A value of another type than its column's is written as
text, defused in CSV: a guess about it would be worse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any

from reports.defusing import defuse

BOOLEANS: Mapping[Any, str] = {True: "true", False: "false", None: ""}


def is_missing(value: object) -> bool:
    """Whether a value is nothing: None, NaN (also Postgres's numeric one), NaT or pandas.NA."""
    if value is None:
        return True
    try:
        return bool(value != value)  # quicker than to ask for types, and needs no pandas
    except TypeError:
        return True  # of pandas.NA nothing can be said, not even that


def is_whole_number(value: object) -> bool:
    """Whether a value is an int of Python or numpy; booleans count as 0 and 1."""
    return hasattr(value, "__index__")


def is_boolean(value: object) -> bool:
    """Whether a value is a bool of Python or numpy."""
    return type(value).__name__ in ("bool", "bool_")


def convert_for_csv(kind: str, values: Sequence[Any]) -> Iterable[Any]:
    """Return the texts of one column's values; what `csv.writer` writes right by itself is handed on as it is.

    Most columns hold one type, and are converted at the cost of a loop; others go value by value.
    """
    expected, convert, convert_one = _CSV[kind]
    if set(map(type, values)) <= expected:
        return convert(values)
    return [convert_one(value) for value in values]


def _write_text(value: Any) -> str:
    return "" if is_missing(value) else defuse(str(value))


def _write_integer(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():  # what pandas makes of whole numbers beside empty cells
        return str(int(value))
    return _write_number(value)


def _write_number(value: Any) -> str:
    if is_missing(value):
        return ""
    if isinstance(value, float | Decimal):
        exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
        return format(exact, "f") if exact.is_finite() else str(exact)
    return str(int(value)) if is_whole_number(value) else _write_text(value)


def _write_day(value: Any) -> str:
    if isinstance(value, date) and not is_missing(value):
        return (value.date() if isinstance(value, datetime) else value).isoformat()
    return _write_text(value)


def _write_moment(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) and not is_missing(value) else _write_text(value)


def _write_boolean(value: Any) -> str:
    return BOOLEANS[bool(value)] if is_boolean(value) else _write_text(value)


def _keep(values: Sequence[Any]) -> Sequence[Any]:
    return values


def _defuse_all(values: Sequence[Any]) -> list[str | None]:
    return [value and defuse(value) for value in values]


def _write_decimals(values: Sequence[Any]) -> list[str | None]:
    # `str` of a very small number has an exponent, and of NaN its name; all others it writes as they should be.
    texts = [None if value is None else str(value) for value in values]
    return [
        _write_number(value) if text and ("E" in text or "N" in text) else text
        for text, value in zip(texts, values, strict=True)
    ]


def _write_moments(values: Sequence[Any]) -> list[str | None]:
    return [value and value.isoformat() for value in values]


def _write_booleans(values: Sequence[Any]) -> list[str]:
    return [BOOLEANS[value] for value in values]


_Conversion = tuple[frozenset[type], Callable[[Sequence[Any]], Iterable[Any]], Callable[[Any], str]]
_NUMBERS: _Conversion = (frozenset({Decimal, NoneType}), _write_decimals, _write_number)
_CSV: Mapping[str, _Conversion] = {
    "text": (frozenset({str, NoneType}), _defuse_all, _write_text),
    "integer": (frozenset({int, NoneType}), _keep, _write_integer),
    "decimal": _NUMBERS,
    "money": _NUMBERS,
    "percent": _NUMBERS,
    "day": (frozenset({date, NoneType}), _keep, _write_day),
    "moment": (frozenset({datetime, NoneType}), _write_moments, _write_moment),
    "boolean": (frozenset({bool, NoneType}), _write_booleans, _write_boolean),
}
