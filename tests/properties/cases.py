"""Histories that failed once, as files: `kept/` beside this file, lived through by every run from then on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_type_hints
from uuid import UUID

from tests.oracle.records import Client, Memory, Message, Session, Tenant, Wish, World

KEPT = Path(__file__).with_name("kept")
KINDS = {
    "tenants": Tenant, "clients": Client, "sessions": Session, "messages": Message, "memories": Memory, "wishes": Wish,
}  # fmt: skip
PARSERS: dict[type, Callable[[str], Any]] = {UUID: UUID, datetime: datetime.fromisoformat, Decimal: Decimal}


@dataclass(frozen=True)
class Case:
    """A history: the worlds between two builds together, as of when it was built, whether it was checked before."""

    chunks: tuple[tuple[World, ...], ...]
    as_ofs: tuple[date, ...]
    is_checked: bool


def keep_case(
    chunks: Sequence[Sequence[World]], as_ofs: Sequence[date], *, is_checked: bool, folder: Path = KEPT
) -> Path:
    """Write a history down and return its file, named after what it holds."""
    text = json.dumps(
        {
            "as_ofs": [day.isoformat() for day in as_ofs],
            "is_checked": is_checked,
            "chunks": [[_write_world(world) for world in chunk] for chunk in chunks],
        },
        ensure_ascii=False, indent=1,
    )  # fmt: skip
    folder.mkdir(exist_ok=True)
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    path.write_text(text + "\n", encoding="utf-8")
    return path


def read_case(path: Path) -> Case:
    """Read what `keep_case` wrote."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Case(
        tuple(tuple(map(_read_world, chunk)) for chunk in kept["chunks"]),
        tuple(map(date.fromisoformat, kept["as_ofs"])),
        kept["is_checked"],
    )


def _write_world(world: World) -> dict[str, list[dict[str, Any]]]:
    return {name: [_write_row(row) for row in getattr(world, name)] for name in KINDS}


def _write_row(row: Any) -> dict[str, Any]:
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    return {name: str(value) if type(value) in PARSERS else value for name, value in values.items()}


def _read_world(kept: dict[str, list[dict[str, Any]]]) -> World:
    return World(**{name: tuple(_read_row(kind, row) for row in kept[name]) for name, kind in KINDS.items()})


def _read_row(kind: Any, row: dict[str, Any]) -> Any:
    hints = get_type_hints(kind)
    return kind(**{name: _read_value(hints[name], value) for name, value in row.items()})


def _read_value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    for known, parse in PARSERS.items():
        if hint is known or known in getattr(hint, "__args__", ()):
            return parse(value)
    return value
