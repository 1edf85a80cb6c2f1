"""Reacting to new, changed and deleted wishes (issue 5; REQUIREMENTS C10, C13, D1): offers queued, matches counted.

`dashboard.wish_reactions` is the truth about what was reacted to. A wish enters it, as it stood, in the transaction
that queues its offers, and nothing else says that a wish is done: not the cursor, which only spares looking, and not a
run that was started. So a process that dies anywhere leaves either both or neither, the next look finds what is left,
and what was done is not found again. Reactions are made one at a time, under the ledger's lock.

A look takes that lock too, or says that a reaction is at work. Otherwise a wish that turns A, B, A while a reaction
that read B has not ended would look done (the ledger says A yet), the cursor would pass it, and the ledger say B for
good.

The build lock is held where offers are queued, as `activate` holds it: marts must not change under the plan. Most
wishes bear on no offer; they are reacted to at once, while a build is at work too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import psycopg
from psycopg import IsolationLevel

from activation.candidates import Rules
from activation.outbox import plan_outbox, write_outbox
from activation.queries import read_query
from activation.runs import require_ready
from activation.schema import prepare_tables
from agentp.database import open_connection
from agentp.errors import SetupError
from agentp.locks import lock_until_commit
from agentp.present import is_ahead
from sources.sight import hold_marts, require_sight
from systems.agent_p.wishes import LEDGER, WishCount, count_changed_wishes, note_changed_wishes

LEDGER_LOCK = "wish_reactions"
"""The lock of `dashboard.wish_reactions`: shared by looks, held alone by a reaction until it commits."""
OFFERS = ("slot_offer",)


@dataclass(frozen=True, kw_only=True)
class WishTick:
    """What a look saw: how many wishes await a reaction, and the cursor to keep, whatever comes of them.

    While a reaction is at work (``is_busy``) nothing is counted and the cursor stays.
    """

    changed: int
    cursor: str | None
    is_busy: bool


@dataclass(frozen=True, kw_only=True)
class WishReport:
    """What was reacted to: ``wishes`` is the sum of ``new``, ``changed`` and ``deleted``.

    ``matches`` counts their rows in waitlist_matches, None where nothing has been built. ``offers_queued`` are those
    that the bot may send, ``offers_ended`` were withdrawn or expired. ``obstacle`` says why no offers were queued where
    some might have been: the next reaction or `agentp activate` does so once it is mended.
    """

    cursor: str
    wishes: int
    new: int
    changed: int
    deleted: int
    matches: int | None
    offers_queued: int = 0
    offers_ended: int = 0
    obstacle: str | None = None


def look_for_wishes(connection: psycopg.Connection[Any], cursor: str | None) -> WishTick:
    """Return whether wishes await a reaction; writes nothing and waits for nobody.

    The cursor is any that an earlier look or reaction returned, or None. The connection must be in no transaction that
    has read already. Without the raw table it is a `RawTablesError`.
    """
    try:
        with connection.transaction():
            # The next statement has to see what was committed before the lock was had.
            connection.execute("set transaction isolation level read committed")
            require_sight(connection)
            lock_until_commit(connection, LEDGER_LOCK, mode="share mode nowait")
            found = count_changed_wishes(connection, cursor)
            return WishTick(changed=found.count, cursor=found.cursor, is_busy=False)
    except psycopg.errors.LockNotAvailable:
        return WishTick(changed=0, cursor=cursor, is_busy=True)


def react_to_wishes(
    url: str,
    *,
    as_of: date,
    cursor: str | None,
    is_applied: bool,
    rules: Rules | None = None,
    announce: Callable[[str], None] = lambda line: None,
) -> WishReport:
    """React to every wish that is new, changed or gone since the last reaction; offers only where ``is_applied``.

    ``as_of`` is the present, as for `activate`. ``cursor`` may be that of before or after the look that led here. Of
    two at a time the second waits and finds what the first left. Marts that are missing or too old to write to anybody
    by are no error: wishes are noted, and the report says so. `activate` makes up for what was not queued.
    """
    is_applied = is_applied and not is_ahead(as_of.isoformat())
    with open_connection(url) as connection:
        # Whoever waited for a lock has to see what was committed meanwhile.
        connection.isolation_level = IsolationLevel.READ_COMMITTED
        require_sight(connection)
        _prepare_ledger(url, connection, announce=announce)
        found = _take_changes(connection, cursor)
        held = _hold_back(connection) if is_applied else 0
        report = _mark(connection, found)
        connection.commit()
        if not held:
            return report
        # The build lock first, then the ledger's: nobody takes them the other way round.
        with hold_marts(url, purpose="react to wishes", announce=announce):
            prepare_tables(connection)
            found = _take_changes(connection, cursor)
            queued, ended, obstacle = _queue_offers(connection, as_of=as_of, rules=rules or Rules())
            later = _mark(connection, found)
            connection.commit()
    return replace(
        _add(report, later), cursor=later.cursor, offers_queued=queued, offers_ended=ended, obstacle=obstacle
    )  # fmt: skip


def _prepare_ledger(url: str, connection: psycopg.Connection[Any], *, announce: Callable[[str], None]) -> None:
    """Make the ledger where there is none; under the build lock, because builds make the same tables."""
    found = connection.execute("select to_regclass(%s) is not null", (LEDGER,)).fetchone()
    connection.rollback()
    if not (found and found[0]):
        with hold_marts(url, purpose="react to wishes", announce=announce):
            prepare_tables(connection)


def _take_changes(connection: psycopg.Connection[Any], cursor: str | None) -> WishCount:
    """Take the ledger's lock until the transaction ends; note the changes, and what each matches by now."""
    lock_until_commit(connection, LEDGER_LOCK)
    found = note_changed_wishes(connection, cursor)
    built = connection.execute(
        "select to_regclass('dashboard.waitlist_matches') is not null "
        "and to_regclass('dashboard.slot_offers') is not null"
    ).fetchone()
    connection.execute(
        "create temporary table wish_counts (tenant_id uuid, wish_id bigint, matches_count bigint, "
        "offers_count bigint, primary key (tenant_id, wish_id)) on commit drop"
    )
    if found.count and built and built[0]:
        connection.execute(read_query("wish_counts"))
        connection.execute("analyze wish_counts")
    return found


def _hold_back(connection: psycopg.Connection[Any]) -> int:
    """Take the wishes that bear on offers out of the changes; return how many they are.

    Those are wishes that a free slot would meet, and wishes with a message, which may have to be withdrawn.
    """
    return connection.execute(read_query("wishes_with_offers")).rowcount


def _queue_offers(connection: psycopg.Connection[Any], *, as_of: date, rules: Rules) -> tuple[int, int, str | None]:
    """Queue offers and end those that are not true any more; return both counts, and what is in the way."""
    try:
        require_ready(connection, as_of=as_of, kinds=OFFERS)
    except SetupError as error:
        return 0, 0, str(error)
    plan = plan_outbox(connection, as_of=as_of, rules=rules, kinds=OFFERS)
    write_outbox(connection, plan)
    return (
        sum(queue.queued for queue in plan.queues),
        sum(queue.withdrawn + queue.expired for queue in plan.queues),
        None,
    )


def _mark(connection: psycopg.Connection[Any], found: WishCount) -> WishReport:
    """Write to the ledger what was reacted to; the caller commits it together with the effect."""
    connection.execute(read_query("mark_wishes"))
    row = connection.execute(
        "select count(*), count(*) filter (where is_new), count(*) filter (where is_deleted), "
        "sum(counts.matches_count)::bigint from changed_wishes as changed left join wish_counts as counts "
        "on changed.tenant_id = counts.tenant_id and changed.wish_id = counts.wish_id"
    ).fetchone()
    assert row is not None, "an aggregate is one row"
    wishes, new, deleted, matches = row
    return WishReport(
        cursor=found.cursor, wishes=wishes, new=new, changed=wishes - new - deleted, deleted=deleted, matches=matches
    )


def _add(first: WishReport, second: WishReport) -> WishReport:
    known = [report.matches for report in (first, second) if report.matches is not None]
    return WishReport(
        cursor=second.cursor, wishes=first.wishes + second.wishes, new=first.new + second.new,
        changed=first.changed + second.changed, deleted=first.deleted + second.deleted,
        matches=sum(known) if known else None,
    )  # fmt: skip
