"""The queries of activation, one file each, by name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def read_query(name: str) -> str:
    """Return the text of a query."""
    return files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
