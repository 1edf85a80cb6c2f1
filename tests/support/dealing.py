"""Which worker runs what: a folder whose tests share something dear goes to one worker, the dearest folders first."""

from __future__ import annotations

import pytest

from tests.support.costs import name_folder, read_shares

TOGETHER = frozenset(
    {"tests/access", "tests/activation", "tests/dbt", "tests/faults", "tests/orchestration", "tests/reports"}
)
"""Folders that build a chain, a site or a first run once for all of their tests."""


def deal(items: list[pytest.Item]) -> None:
    """Put the folders that stay together in front, by what docs/testing.md says they cost; the rest fills the gaps."""
    shares = read_shares()
    for item in items:
        folder = name_folder(item.nodeid)
        if folder in TOGETHER:
            item.add_marker(pytest.mark.xdist_group(folder))
    items.sort(key=lambda item: -shares.get(name_folder(item.nodeid), 0) if name_folder(item.nodeid) in TOGETHER else 1)
