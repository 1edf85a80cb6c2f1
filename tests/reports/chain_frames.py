"""Three salons of a chain, two of them with the same name: the frames that the pages across salons are made from."""

# ruff: noqa: DTZ001  (times are the salon's wall clock, without a zone, as reading gives them)

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pandas as pd

from reports.audiences import Veil
from reports.blocks import Frames
from reports.reading import Salon
from reports.salon_pages import name_apart
from reports.selections import CHAIN
from tests.reports.salon_frames import OWNER, make_figure, make_frame, make_rate, veil_frames

NORTH, SOUTH, QUIET = (UUID(int=number << 96 | number) for number in (17, 34, 51))
SALONS = [
    Salon(tenant_id=NORTH, name="Бухта", slug="buhta-north", timezone="Europe/Moscow", language="ru",
          last_day=date(2026, 10, 31)),
    Salon(tenant_id=SOUTH, name="Бухта", slug="buhta-south", timezone="Asia/Yekaterinburg", language="ru",
          last_day=date(2026, 10, 30)),
    Salon(tenant_id=QUIET, name="Тихая", slug="tihaya", timezone="Europe/Berlin", language="en", last_day=None),
]  # fmt: skip
NAMES = name_apart(SALONS)

KPI_ROWS = [
    *((NORTH, *row) for row in (
        make_figure("dialogs", 80, 50), make_figure("bookings", 20, 19), make_rate("conversion", (20, 80), (19, 50)),
        make_figure("unique_clients", 60, 61),
        make_figure("kept_amount", Decimal("120.50"), 0, currency="EUR"),
        make_figure("kept_amount", Decimal("56000.00"), 0, currency="RUB"),
        make_figure("avg_response_ms", Decimal("12400.0"), None, n=310), make_rate("arrival_rate", (14, 20), (1, 2)),
        make_rate("no_show_rate", (2, 20), (0, 0)),
    )),
    *((SOUTH, *row) for row in (
        make_figure("dialogs", 19, 0), make_figure("bookings", 19, 0), make_rate("conversion", (19, 19), (0, 0)),
        make_figure("kept_amount", Decimal("700.00"), 0, currency="XXX"),
    )),
]  # fmt: skip
PROBLEMS = [
    (NORTH, date(2026, 10, 31), "session_id_null", 100, 4), (SOUTH, date(2026, 10, 31), "session_id_null", 50, 3),
    (SOUTH, date(2026, 10, 31), "wish_without_status", 5, 0), (NORTH, date(2026, 10, 30), "session_id_null", 90, 9),
]  # fmt: skip
RESULTS = [
    (NORTH, 7, 11, 100, 4), (SOUTH, 7, 11, 50, 3), (SOUTH, 8, 11, 50, 1), (NORTH, 7, 10, 90, 9), (NORTH, 8, 10, 90, 2),
]  # fmt: skip
RULES = {7: "messages.have_session", 8: "sessions.done_when_booked"}


def make_chain(veil: Veil = OWNER) -> Frames:
    """Return the chain."""
    return veil_frames(CHAIN_FRAMES, CHAIN, veil)


def make_empty_chain(veil: Veil = OWNER) -> Frames:
    """Return a chain of which nothing is known yet."""
    return veil_frames({name: make_frame(selection, []) for name, selection in CHAIN.items()}, CHAIN, veil)


def _make_frames() -> dict[str, pd.DataFrame]:
    rows: dict[str, list[tuple[Any, ...]]] = {
        "kpis": KPI_ROWS,
        "traffic": [
            (SOUTH, date(2026, 10, 28), 8, 4, 1), (SOUTH, date(2026, 10, 20), 8, 4, 1),
            (NORTH, date(2026, 11, 1), 16, 8, 2), (NORTH, date(2026, 10, 31), 16, 8, 2),
        ],
        "standard_problems": PROBLEMS,
        "row_accounts": [
            (NORTH, "clients_v2", 100, 98, 2, True), (SOUTH, "clients_v2", 50, 49, 0, False),
        ],
        "latest_results": [
            (NORTH, RULES[7], "recent_history_v2", "critical", "report", 100, 4),
            (SOUTH, RULES[7], "recent_history_v2", "critical", "report", 50, 3),
            (SOUTH, RULES[8], "conversation_sessions_v2", "warning", "set_aside", 50, 1),
        ],
        "rule_results": [(tenant, RULES[rule], run, seen, failed) for tenant, rule, run, seen, failed in RESULTS],
        "quality_runs": [
            (11, datetime(2026, 11, 1, 3), datetime(2026, 11, 1, 3, 1), "failed", 240),
            (10, datetime(2026, 10, 31, 3), datetime(2026, 10, 31, 3, 1), "warned", 90),
        ],
        "rules": [
            (RULES[7], "recent_history_v2", "2", "critical", "report", "A message has a session.",
             "У сообщения есть сессия."),
            (RULES[8], "conversation_sessions_v2", "3", "warning", "set_aside", "Booked is done.",
             "Запись значит done."),
        ],
        "run_history": [
            ("r2", "daily", "schedule", "2026-11-01", datetime(2026, 11, 1, 3), datetime(2026, 11, 1, 3, 2),
             Decimal("120.4"), "failed", "The gate <stopped> it.", 1, 12, 1, 2),
            ("r1", "daily", "schedule", "2026-10-31", datetime(2026, 10, 31, 3), None, None, "complete", None, 1, 12,
             0, 0),
        ],
        "problems": [
            ("check", "A critical check does not pass", "messages.have_session", datetime(2026, 11, 1, 3), None),
            ("freshness", "Nothing comes", "Тихая", datetime(2026, 10, 1, 3), datetime(2026, 10, 2, 3)),
        ],
        "restatements": [
            (NORTH, date(2026, 10, 24), "dialogs_started", "", Decimal(7), datetime(2026, 10, 25, 3), Decimal(7),
             Decimal(8), Decimal(1), datetime(2026, 10, 27, 3), "late_rows", True),
        ],
    }  # fmt: skip
    return {name: make_frame(CHAIN[name], found) for name, found in rows.items()}


CHAIN_FRAMES = _make_frames()
