"""What dbt spends on itself that it need not: two of its ways made cheaper, with the same result."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

WITH = re.compile(r"\s*with\s++(?!recursive\b)", re.IGNORECASE)
"""How SQL begins that CTEs can be put in front of without reading the rest of it."""


def save_costs() -> None:
    """Make dbt put ephemeral models in front of a model at once where that is plain; any number of times."""
    from dbt import compilation

    find_parser()
    compilation.inject_ctes_into_sql = prepend_ctes


@cache
def find_parser() -> Callable[[str, Sequence[Any]], str]:
    """Return dbt's own way, which `save_costs` asks for before ours takes its place."""
    from dbt.compilation import inject_ctes_into_sql

    found: Callable[[str, Sequence[Any]], str] = inject_ctes_into_sql
    return found


def prepend_ctes(sql: str, ctes: Sequence[Any]) -> str:
    """Return a model's SQL with the ephemeral models that it reads before its own CTEs, to the letter as dbt has it.

    dbt parses the whole text to find its first word, which is a sixth of a build without changes; it wanted to do
    without that itself (dbt-labs/dbt-core, pull request 7919). What begins with another word is left to dbt.
    """
    if not ctes:
        return sql
    start = WITH.match(sql)
    if start is None:
        return find_parser()(sql, ctes)
    return f"{sql[: start.end()]}{', '.join(cte.sql for cte in ctes)}, {sql[start.end() :]}"


def forget_repeated_flags() -> None:
    """Keep one of each of dbt's behaviour flags: every run adds one, and looks through the whole stack for each.

    After a hundred runs in one process most of the next would go into that (dbt-labs/dbt-adapters, issue 2136).
    """
    from dbt.adapters.base import impl

    flags = impl.DEFAULT_BASE_BEHAVIOR_FLAGS
    flags[:] = list({flag["name"]: flag for flag in flags}.values())
