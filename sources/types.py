"""The names of Postgres' types: as people write them, and as the catalog calls them."""

from __future__ import annotations

import re

SHORT_NAMES = {
    "timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp",
    "time with time zone": "timetz", "time without time zone": "time", "character varying": "varchar",
    "character": "bpchar",
}  # fmt: skip
"""What `format_type` says at length."""
CATALOG_NAMES = {
    "bigint": "int8", "integer": "int4", "smallint": "int2", "boolean": "bool", "double precision": "float8",
    "real": "float4",
}  # fmt: skip
"""What the catalog calls otherwise than people do."""
TEXT_TYPES = ("text", "varchar", "bpchar")
"""Types that hold a text: one is as good as another."""


def shorten_type(formatted: str) -> str:
    """Return what `format_type` says in the usual short words: `timestamptz`, `varchar(20)[]`."""
    for long, short in SHORT_NAMES.items():
        # The number of digits stands in the middle: timestamp(3) with time zone.
        first, _, rest = long.partition(" ")
        found = re.fullmatch(rf"{first}(\([^)]*\))?{' ' + rest if rest else ''}(\([^)]*\))?((?:\[\])*)", formatted)
        if found:
            return short + "".join(part or "" for part in found.groups())
    return formatted


def qualify_type(base_type: str) -> str:
    """Return a type without length as only the catalog's own can be meant: who reads may have types of such names."""
    name, dimensions = re.fullmatch(r"(.*?)((?:\[\])*)", base_type).groups()  # type: ignore[union-attr]
    return f"pg_catalog.{CATALOG_NAMES.get(name, name)}{dimensions}"


def is_same_type(found: str, declared: str) -> bool:
    """Whether models read the one type, without its length, as they do the other."""
    return found == declared or {found, declared} <= set(TEXT_TYPES)
