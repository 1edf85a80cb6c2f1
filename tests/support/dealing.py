"""Which worker runs what: a folder whose tests share something dear goes to one worker, the dearest folders first.

xdist's own `--dist loadgroup` writes the group into `_nodeid`, which pytest from 9 on does not read any more
(xdist 3.8), so that the groups were dealt out test by test.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.support.costs import name_folder, read_shares

TOGETHER = frozenset(
    {"tests/access", "tests/activation", "tests/dbt", "tests/faults", "tests/orchestration", "tests/reports"}
)
"""Folders that build a chain, a site or a first run once for all of their tests."""


class FolderScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Deals out those folders whole, and every other test by itself."""

    def _split_scope(self, nodeid: str) -> str:
        folder = name_folder(nodeid)
        return folder if folder in TOGETHER else nodeid


def deal(items: list[pytest.Item]) -> None:
    """Put the folders that stay together in front, by what docs/testing.md says they cost; the rest fills the gaps."""
    shares = read_shares()
    items.sort(key=lambda item: -shares.get(name_folder(item.nodeid), 0) if name_folder(item.nodeid) in TOGETHER else 1)
