"""Which pages there are, in the order of the menu."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from reports.blocks import Page
from reports.pages.chain import build_leaderboard, build_quality, build_runs
from reports.pages.changes import build_changes
from reports.pages.clients import build_clients, build_win_back
from reports.pages.cohorts import build_cohorts
from reports.pages.context import Context
from reports.pages.funnel import build_funnel
from reports.pages.overview import build_overview
from reports.pages.services import build_services
from reports.pages.sessions import build_sessions
from reports.pages.waitlist import build_waitlist

SALON_PAGES: dict[str, Callable[[Context], Page]] = {
    "index": build_overview,
    "waitlist": build_waitlist,
    "win-back": build_win_back,
    "sessions": build_sessions,
    "funnel": build_funnel,
    "clients": build_clients,
    "services": build_services,
    "cohorts": build_cohorts,
    "changes": build_changes,
}
CHAIN_PAGES: dict[str, Callable[[Context, dict[UUID, str]], Page]] = {
    "index": build_leaderboard,
    "quality": build_quality,
    "runs": build_runs,
    "changes": lambda context, names: build_changes(context, salons=names),
}
CHAIN_TEXTS = {"index": "leaderboard"}
"""Pages of the chain whose texts have another key than their file."""
LANGUAGE_NAMES = (("ru", "Русский"), ("en", "English"))
