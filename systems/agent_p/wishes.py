"""Which wishes of public.wishlist_v2 are new, changed or gone, without triggers and without a clock (issue 5).

Wishes have no clock that can be trusted, and neither ids nor `created_at` come in the order of commits. So every wish
is held against a ledger of what was reacted to, a fingerprint a wish, and the ledger alone decides. The cursor only
spares work: rows written by transactions before it need not be looked at again. It is the oldest transaction that was
at work when wishes were looked at (all before it had ended, so that nothing of theirs can appear later), or the
transaction of the oldest wish that the ledger lacks, whichever comes first. So a cursor never passes a wish that nobody
has reacted to, and may be stored at once, lost, or set back: what is looked at again is known to the ledger. Rows of
savepoints carry transaction numbers above that of their transaction, which a comparison by number allows for.

This holds as long as the ledger stands still between a look and the look that it compares with: who looks holds the
lock of whoever writes the ledger (`activation.wishes`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql

from agentp.errors import RawTablesError
from systems.agent_p import SYSTEM

TABLE = "public.wishlist_v2"
LEDGER = "dashboard.wish_reactions"
NOTED = "changed_wishes"
"""The temporary table that `note_changed_wishes` makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WishChange:
    """One wish that the ledger does not know as it stands; of one that is gone, the fingerprint that it had.

    One that comes back after it was deleted is new again.
    """

    tenant_id: str
    wish_id: int
    fingerprint: str
    is_new: bool
    is_deleted: bool


@dataclass(frozen=True, kw_only=True)
class WishChanges:
    """All changes, and the cursor to look from next time."""

    wishes: tuple[WishChange, ...]
    cursor: str


@dataclass(frozen=True, kw_only=True)
class WishCount:
    """How many wishes the ledger does not know as they stand, and the cursor to look from next time."""

    count: int
    cursor: str


def count_changed_wishes(connection: psycopg.Connection[Any], cursor: str | None) -> WishCount:
    """Return how many wishes are new, changed or gone; writes nothing.

    ``cursor`` is what an earlier call returned; None, one that cannot be read, one of another server, database or life
    of the server, and one that lies ahead all mean that every wish is looked at. Rows without tenant or id are left out
    (the gate sets them aside). A missing table or column raises `RawTablesError`.
    """
    return _look(connection, cursor)[0]


def read_changed_wishes(connection: psycopg.Connection[Any], cursor: str | None) -> WishChanges:
    """Return the wishes that are new, changed or gone, by salon and id, as `count_changed_wishes` counts them."""
    counted, parameters, query = _look(connection, cursor)
    rows = connection.execute(query + _ROWS, parameters).fetchall()
    wishes = tuple(
        WishChange(tenant_id=str(tenant), wish_id=wish, fingerprint=fingerprint, is_new=is_new, is_deleted=is_deleted)
        for tenant, wish, fingerprint, is_new, is_deleted in rows
    )
    return WishChanges(wishes=wishes, cursor=counted.cursor)


def note_changed_wishes(connection: psycopg.Connection[Any], cursor: str | None) -> WishCount:
    """Note the changes in the temporary table `changed_wishes`, which goes with the transaction and holds a million."""
    counted, parameters, query = _look(connection, cursor)
    made = sql.SQL("create temporary table {} on commit drop as ").format(sql.Identifier(NOTED))
    # What was committed since the count is noted too; the cursor, being older, does not pass it.
    noted = psycopg.ClientCursor(connection).execute(made + query + _ROWS, parameters).rowcount
    connection.execute(sql.SQL("analyze {}").format(sql.Identifier(NOTED)))
    return WishCount(count=noted, cursor=counted.cursor)


def widen_xid(xid: sql.Composable, *, next_xid: sql.Composable) -> sql.Composed:
    """Return SQL for the 64 bits of a row's transaction number, of which the row keeps 32.

    ``next_xid`` is the number that comes next, in 64 bits: what is above its lower half belongs to the epoch before.
    Rows older than an epoch come out too young, which makes them looked at, not missed; so does a number above the next
    one in the first epoch.
    """
    return sql.SQL(
        "({next} >> 32 << 32) + {xid} - case when {xid} > ({next} & 4294967295) and {next} >> 32 > 0 "
        "then 4294967296 else 0 end"
    ).format(next=next_xid, xid=xid)


# What of a wish matters, in this order; `updated_at` alone says nothing. What older shapes lack stands as the migration
# will fill it in (REQUIREMENTS A2). Any other text would be another fingerprint of every wish. No setting of a session
# shows in it.
_COLUMNS = {
    "user_id": ("wishes.user_id", "null"),
    "item_type": ("wishes.item_type", "null"),
    "item_id": ("wishes.item_id", "null"),
    "source": ("wishes.source", "null"),
    "comment": ("wishes.comment", "null"),
    "meta": ("wishes.meta", "null"),
    "created_at": ("extract(epoch from wishes.created_at)", "null"),
    "status": ("coalesce(wishes.status, 'pending')", "'pending'"),
    "processed_at": ("extract(epoch from wishes.processed_at)", "null"),
    "amount": ("wishes.amount", "null"),
}
_EMPTY_LEDGER = sql.SQL(
    "(select null::uuid as tenant_id, 0 as wish_id, '' as fingerprint, false as is_deleted limit 0)"
)

_TOTALS = sql.SQL("""
select
    (select count(*) from changed) + (select count(*) from gone),
    server.life || ':' || least(server.oldest, (select min(xid) from changed)),
    (select wishes from surplus) < 0 and reach.since > 0
from server
cross join reach
""")
# One row a key, also where somebody has dropped the key.
_ROWS = sql.SQL("""
select distinct on (tenant_id, wish_id) tenant_id, wish_id, fingerprint, is_new, is_deleted
from (
    select tenant_id, wish_id, fingerprint, seen_fingerprint is null as is_new, false as is_deleted from changed
    union all
    select tenant_id, wish_id, fingerprint, false, true from gone
) as changes
order by tenant_id, wish_id, fingerprint
""")


def _look(connection: psycopg.Connection[Any], cursor: str | None) -> tuple[WishCount, dict[str, Any], sql.Composed]:
    """Count; return with it what reads the same changes: the query, and from where."""
    query = _compose(connection)
    found = re.fullmatch(r"([0-9a-f]{32}):([0-9]{1,18})", cursor or "")
    parameters = {"life": found[1] if found else "", "since": int(found[2]) if found else 0}
    row = connection.execute(query + _TOTALS, parameters).fetchone()
    if row and row[2]:
        # The ledger was emptied or set back: what it lost may lie before the cursor.
        parameters = {"life": "", "since": 0}
        row = connection.execute(query + _TOTALS, parameters).fetchone()
    assert row is not None, "totals are one row"
    return WishCount(count=row[0], cursor=row[1]), parameters, query


def _compose(connection: psycopg.Connection[Any]) -> sql.Composed:
    """Return the query for the columns that the table has; before anything was reacted to there is no ledger."""
    row = connection.execute(
        "select coalesce(array_agg(attname::text), '{}'), to_regclass(%s) is not null from pg_attribute "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        (LEDGER, TABLE),
    ).fetchone()
    present, has_ledger = row or ([], False)
    missing = [name for name in SYSTEM.needed_columns["wishlist_v2"] if name not in (*present, "updated_at")]
    if missing:
        what = f"lacks {', '.join(missing)}" if present else "is not there"
        raise RawTablesError(
            f"{TABLE} {what}, so that nobody knows which wishes are new.",
            cure="Run `agentp migrate`, which makes missing tables; restore a column that was dropped or renamed.",
        )
    values = [sql.SQL(has if name in present else lacks) for name, (has, lacks) in _COLUMNS.items()]
    return sql.SQL(_read_query()).format(
        xid=widen_xid(sql.SQL("wishes.xmin::text::bigint"), next_xid=sql.SQL("(select next from server)")),
        values=sql.SQL(", ").join(values),
        ledger=sql.Identifier(*LEDGER.split(".")) if has_ledger else _EMPTY_LEDGER,
    )


@cache
def _read_query() -> str:
    return files("systems.agent_p").joinpath("changed_wishes.sql").read_text(encoding="utf-8")
