"""One run of `agentp activate`: memories, then messages, under the lock that builds hold."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg

from activation.candidates import Rules
from activation.memories import MemoryReport, plan_memories, require_columns, write_memories
from activation.outbox import KINDS, OutboxPlan, plan_outbox, write_outbox
from activation.schema import prepare_tables
from agentp.database import open_connection
from agentp.errors import SetupError
from agentp.pipeline import find_last_moment
from agentp.present import is_ahead
from sources.sight import hold_marts

NEEDED = (
    "dashboard.clients", "dashboard.persons", "dashboard.win_back", "dashboard.slot_offers",
    "dashboard.tenant_settings", "dashboard.outbox", "intermediate.int_clients_kin", "scoring.client_scores",
)  # fmt: skip
OLDEST_MARTS = timedelta(days=3)
"""Marts older than that do not know who came meanwhile; nobody is written to by them."""


@dataclass(frozen=True, kw_only=True)
class ActivationReport:
    """What a run did, or would do (``is_applied`` tells)."""

    is_applied: bool
    memories: MemoryReport
    outbox: OutboxPlan


def activate(
    url: str,
    *,
    as_of: date,
    is_applied: bool,
    rules: Rules | None = None,
    announce: Callable[[str], None] = lambda line: None,
    report: Callable[[int], None] = lambda done: None,
) -> ActivationReport:
    """Write churn figures to the bot's memories and queue messages; without ``is_applied`` only say what would be.

    ``as_of`` is the present: an instant with its zone, or a day, which means its end in every salon's own zone.
    As of a moment that lies ahead nothing is ever written. ``announce`` hears that another build is waited for,
    ``report`` how many memories are written. A run that dies anywhere is run again: memories are written in whole
    batches, messages all at once.
    """
    if is_applied and is_ahead(as_of.isoformat()):
        announce(f"Nothing is written as of {as_of.isoformat()}, which lies ahead.")
        is_applied = False
    with (
        hold_marts(url, purpose="activate", announce=announce, is_written=is_applied),
        open_connection(url) as connection,
    ):
        require_ready(connection, as_of=as_of)
        if is_applied:
            prepare_tables(connection)
        memories = plan_memories(connection)
        if is_applied:
            memories = write_memories(connection, memories, announce=report)
        plan = plan_outbox(connection, as_of=as_of, rules=rules or Rules())
        if is_applied:
            write_outbox(connection, plan)
            connection.commit()
        else:
            connection.rollback()
        return ActivationReport(is_applied=is_applied, memories=memories, outbox=plan)


def require_ready(connection: psycopg.Connection[Any], *, as_of: date, kinds: Collection[str] = KINDS) -> None:
    """Refuse to write to anybody by marts that are missing, unscored, or of another time than ``as_of``.

    Offers of slots alone need neither scores nor memories.
    """
    absent = connection.execute(
        "select name from unnest(%s::text[]) as name where to_regclass(name) is null", (list(NEEDED),)
    ).fetchall()
    if absent:
        raise SetupError("Nothing has been built, so nobody is due yet.", cure="Run `agentp run` first.")
    if "win_back" in kinds:
        require_columns(connection)
    built = connection.execute(
        "select as_of from build.runs where outcome = 'complete' order by finished_at desc limit 1"
    ).fetchone()
    if built is None:
        raise SetupError("No build has ended well yet.", cure="Run `agentp build`.")
    _require_same_time(built[0], as_of=as_of)
    if "win_back" in kinds:
        _require_scores(connection)


def _require_scores(connection: psycopg.Connection[Any]) -> None:
    unscored = connection.execute(
        "select exists (select 1 from dashboard.clients where visits_count > 0) "
        "and not exists (select 1 from scoring.client_scores)"
    ).fetchone()
    if unscored and unscored[0]:
        raise SetupError("No client has been scored yet.", cure="Run `agentp score`, then activate.")


def _require_same_time(built_as_of: str, *, as_of: date) -> None:
    built, present = find_last_moment(built_as_of), find_last_moment(as_of.isoformat())
    if present - built > OLDEST_MARTS:
        raise SetupError(
            f"The marts are as of {built_as_of}, {(present - built).days} days before the present: they do not know "
            "who came meanwhile.",
            cure="Run `agentp run` and `agentp score` first; for a demo, name its last day with --as-of.",
        )
    # A day ends at another moment in every zone.
    if built - present > timedelta(days=1):
        raise SetupError(
            f"The marts are as of {built_as_of}, after the moment that --as-of names: they know what was ahead of it.",
            cure="Leave --as-of away, or build with the same --as-of first.",
        )
