"""Raw rows of a client become nobody's: they stay, so that totals do, and nothing in them is the person's (issue 7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from access.people import REMOVED, Person
from agentp.errors import AgentpError, SetupError
from systems.registry import get_main_system

LOCK_TIMEOUT = "10s"
TABLES = (
    ("clients_v2", "tenant_id", "id"), ("conversation_sessions_v2", "tenant_id", "user_id"),
    ("recent_history_v2", "tenant_id", "user_id"), ("wishlist_v2", "tenant_id", "user_id"),
    ("active_sessions_v2", "tenant_id", "user_id"), ("user_ltm_v2", "tenant_id", "user_id"),
)  # fmt: skip
"""The raw tables that hold people's rows, with the columns of the salon and the client."""
ALL_TABLES = (("tenants_v2", "id", "id"), *TABLES)
REPOINTED = ("conversation_sessions_v2", "recent_history_v2", "wishlist_v2", "active_sessions_v2")
KEPT_KEYS: Mapping[str, tuple[str, ...]] = {
    "conversation_sessions_v2": (
        "drop_off_stage", "services_selected", "staff_id", "selected_datetime", "visit_status",
        "cancelled_booking_id", "rescheduled_from",
    ),
    "wishlist_v2": ("date", "service_id", "service_title", "staff_id", "staff_name", "time_preference"),
}  # fmt: skip
"""What marts and the standard read of `meta`, and is no person's; all else goes."""
FREE_TEXT: Mapping[tuple[str, str], str | None] = {
    ("conversation_sessions_v2", "final_summary"): None, ("recent_history_v2", "message"): REMOVED,
    ("wishlist_v2", "comment"): None,
}  # fmt: skip
SPOKEN = tuple({column for _, column in FREE_TEXT})
"""Columns in which anybody may speak of anybody."""

# Lists keep their length and what is plain in them; what lies deeper could hold anything.
_KEEP_KEYS = sql.SQL("""coalesce((
    select jsonb_object_agg(pair.key, case jsonb_typeof(pair.value)
        when 'object' then '{{}}'::jsonb
        when 'array' then (
            select coalesce(jsonb_agg(
                case when jsonb_typeof(item.value) in ('object', 'array') then '{{}}'::jsonb else item.value end
                order by item.place
            ), '[]') from jsonb_array_elements(pair.value) with ordinality as item (value, place)
        )
        else pair.value end)
    from jsonb_each(case when jsonb_typeof(rows.meta) = 'object' then rows.meta else '{{}}'::jsonb end) as pair
    where pair.key = any({keys})
), '{{}}')""")
_IS_PENDING = sql.SQL("coalesce(lower(nullif(btrim(rows.status), '')), 'pending') = 'pending'")


def make_nobodys(
    connection: psycopg.Connection[Any], person: Person, *, present: datetime, number: str | None = None
) -> None:
    """Put nobody in the person's place in the raw tables; the caller commits.

    ``present`` is when pending wishes are closed. ``number`` is nobody's phone, where several nobodies are to stay
    one person. Waits at most ten seconds for a row that somebody else holds. Raises `SetupError` where a right is
    missing, `AgentpError` where rows are held or a constraint is in the way; then nothing has changed.
    """
    try:
        connection.execute(sql.SQL("set local lock_timeout = {}").format(LOCK_TIMEOUT))
        _replace(connection, person, present, number)
    except psycopg.errors.LockNotAvailable as error:
        raise AgentpError(
            f"Rows of the client were held by somebody else for {LOCK_TIMEOUT}; nothing was changed.",
            cure="Run `agentp forget` again when that transaction has ended.",
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise SetupError(
            f"This login may not change the raw tables: {error.diag.message_primary}.",
            cure="Connect as their owner, or let the bot delete the client: the next build removes them everywhere.",
        ) from error
    except psycopg.errors.IntegrityError as error:
        # The detail of such an error quotes the row.
        raise AgentpError(
            f"The raw tables do not let the client go: {error.diag.message_primary}; nothing was changed.",
            cure="Give a column that must be filled a default, or clear the rows of the table that it names.",
        ) from error


def _replace(connection: psycopg.Connection[Any], person: Person, present: datetime, number: str | None) -> None:
    # Held, so that no bot adds a row of theirs that the last statement would stumble over.
    connection.execute(
        sql.SQL("select 1 from public.clients_v2 as rows where {} for update").format(belongs_to(person, "id"))
    )
    connection.execute(
        sql.SQL(
            "insert into public.clients_v2 (id, tenant_id, full_name, phone, meta, created_at, updated_at) "
            "select {nobody}, tenant_id, {name}, {number}, {meta}, created_at, created_at "
            "from public.clients_v2 as rows where {}"
        ).format(
            belongs_to(person, "id"), nobody=person.nobody_id, name=REMOVED, number=number,
            meta=sql.SQL("""'{"marketing_consent": false}'"""),
        )
    )  # fmt: skip
    is_theirs = belongs_to(person, "user_id")
    columns = _read_columns(connection)
    if "status" not in columns["wishlist_v2"]:
        # The older shape cannot close a wish. One for a day to come has met no slot that is over.
        connection.execute(
            sql.SQL(
                "delete from public.wishlist_v2 as rows where {} and coalesce(rows.meta ->> 'date', '~') > {}"
            ).format(is_theirs, present.date().isoformat())
        )
    connection.execute(
        sql.SQL(
            "delete from public.active_sessions_v2 as rows where {} and not exists (select 1 from "
            "public.recent_history_v2 as messages where messages.session_id = rows.session_id)"
        ).format(is_theirs)
    )
    connection.execute(sql.SQL("delete from public.user_ltm_v2 as rows where {}").format(is_theirs))
    for table in REPOINTED:
        assignments = {"user_id": sql.Literal(person.nobody_id), **_empty(table, columns[table])}
        if table == "wishlist_v2":
            assignments |= _close_wishes(columns[table], present)
        connection.execute(
            sql.SQL("update public.{} as rows set {} where {}").format(
                sql.Identifier(table),
                sql.SQL(", ").join(
                    sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in assignments.items()
                ),
                is_theirs,
            )
        )
    connection.execute(sql.SQL("delete from public.clients_v2 as rows where {}").format(belongs_to(person, "id")))
    _remove_mentions(connection, person)


def _remove_mentions(connection: psycopg.Connection[Any], person: Person) -> None:
    """Take the person out of what others say of them; where two have one name, nobody knows whom they mean."""
    for table, column in FREE_TEXT:
        for is_here in (True, False):
            words = sql.SQL("rows.{}").format(sql.Identifier(column))
            connection.execute(
                sql.SQL(
                    "update public.{table} as rows set {column} = regexp_replace({words}, {pattern}, {removed}, 'gi') "
                    "where (rows.tenant_id is not distinct from {tenant}) = {is_here} and {is_named}"
                ).format(
                    table=sql.Identifier(table), column=sql.Identifier(column), words=words, removed=REMOVED,
                    pattern=person.write_pattern(is_here=is_here), tenant=person.tenant_id, is_here=is_here,
                    is_named=person.write_test(words, is_here=is_here),
                )
            )  # fmt: skip


def belongs_to(person: Person, column: str, *, client_id: UUID | None = None) -> sql.Composed:
    """Return the condition that a raw row, `rows`, is the person's, or nobody's by ``client_id``."""
    mine = sql.SQL("rows.{} = {}").format(sql.Identifier(column), client_id or person.client_id)
    if person.is_alone:
        return sql.Composed([mine])
    return mine + sql.SQL(" and rows.tenant_id = {}").format(person.tenant_id)


def _empty(table: str, columns: Mapping[str, tuple[str, bool]]) -> dict[str, sql.Composable]:
    """What becomes of texts and JSON; of columns that the standard does not know nobody can say what is in them."""
    found: dict[str, sql.Composable] = {}
    for name, (data_type, is_nullable) in columns.items():
        is_json = data_type in ("json", "jsonb")
        if (table, name) in FREE_TEXT:
            found[name] = sql.Literal(FREE_TEXT[table, name])
        elif name == "meta" and data_type == "jsonb":
            found[name] = _KEEP_KEYS.format(keys=sql.Literal(list(KEPT_KEYS.get(table, ()))))
        elif name == "state" and is_json:
            found[name] = sql.SQL("'{}'")
        elif name not in get_main_system().columns[table] and (is_json or data_type in ("text", "varchar")):
            found[name] = sql.SQL("null" if is_nullable else "'{}'" if is_json else "''")
    return found


def _close_wishes(columns: Mapping[str, tuple[str, bool]], present: datetime) -> dict[str, sql.Composable]:
    """Nobody waits. A wish ends after it was made, as the standard asks, and after what marts have counted it for."""
    if "status" not in columns:
        return {}
    found: dict[str, sql.Composable] = {
        "status": sql.SQL("case when {} then 'cancelled' else rows.status end").format(_IS_PENDING)
    }
    if "processed_at" in columns:
        found["processed_at"] = sql.SQL(
            "case when {} then greatest({}, rows.created_at + interval '1 second') else rows.processed_at end"
        ).format(_IS_PENDING, present)
    return found


def _read_columns(connection: psycopg.Connection[Any]) -> dict[str, dict[str, tuple[str, bool]]]:
    rows = connection.execute(
        "select c.relname, a.attname, t.typname::text, not a.attnotnull from pg_attribute as a "
        "join pg_class as c on c.oid = a.attrelid join pg_type as t on t.oid = a.atttypid "
        "where c.relnamespace = 'public'::regnamespace and c.relname = any(%s) and a.attnum > 0 "
        "and not a.attisdropped and a.attgenerated = ''",
        (list(REPOINTED),),
    ).fetchall()
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    for table, name, data_type, is_nullable in rows:
        found.setdefault(table, {})[name] = (data_type, is_nullable)
    return found
