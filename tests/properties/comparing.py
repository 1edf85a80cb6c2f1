"""Hold what a build published against what the oracle worked out, and say where they part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from tests.oracle.marts import compute_marts
from tests.oracle.records import Row, World
from tests.properties.worlds import number_world
from tests.support.marts import MARTS, Workshop

Key = tuple[Any, ...]


class WorldError(AssertionError):
    """A mart that is not what its world makes of it; ``number`` is the world's, where one alone is to blame."""

    def __init__(self, message: str, number: int | None) -> None:
        super().__init__(message)
        self.number = number


def find_difference(name: str, found: Iterable[Row], wanted: Iterable[Row]) -> tuple[str, Key] | None:
    """Return the first row of a mart that is not as it should be, in words, and its key; None when all are."""
    found_rows, wanted_rows = _by_key(name, found), _by_key(name, wanted)
    if found_rows == wanted_rows:
        return None
    for key in sorted(found_rows.keys() | wanted_rows.keys(), key=str):
        row, right = found_rows.get(key), wanted_rows.get(key)
        if row is None:
            return f"{name} lacks {_describe(name, key)}: {right}", key
        if right is None:
            return f"{name} should not hold {_describe(name, key)}: {row}", key
        parts = [
            f"  {column}: is {row.get(column, 'missing')!r}, should be {right.get(column, 'unknown')!r}"
            for column in sorted(row.keys() | right.keys())
            if column not in row or column not in right or row[column] != right[column]
        ]
        if parts:
            return "\n".join([f"{name} differs at {_describe(name, key)}:", *parts]), key
    return None


def assert_marts_are_right(workshop: Workshop, worlds: World | Sequence[World], as_of: date) -> None:
    """Fail with the first difference between the marts and the oracle's of these worlds, which share the database."""
    wanted = compute_marts([worlds] if isinstance(worlds, World) else worlds, as_of)
    for name, rows in workshop.read_marts().items():
        assert len(rows) == len(_by_key(name, rows)), f"{name} holds a key twice"
        difference = find_difference(name, rows, wanted[name])
        if difference is not None:
            raise WorldError(f"as of {as_of}, {difference[0]}", number_world(difference[1][0]))


def assert_nothing_changes(workshop: Workshop, as_of: date, *, full_refresh: bool = False) -> None:
    """Fail when a build changes a row although the raw data is as it was."""
    for change in workshop.build(as_of=as_of.isoformat(), full_refresh=full_refresh).values():
        assert (change.inserted, change.updated, change.deleted) == (0, 0, 0), f"not the same again: {change}"


def _by_key(name: str, rows: Iterable[Row]) -> dict[Key, Row]:
    return {tuple(row[column] for column in MARTS[name]): row for row in rows}


def _describe(name: str, key: Key) -> str:
    return ", ".join(f"{column} {value}" for column, value in zip(MARTS[name], key, strict=True))
