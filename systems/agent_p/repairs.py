"""Repairs of what the standard complains about, each logged and undoable.

`sessions`: messages without a session_id (the first of the five problems) get the session that the last build
matched them to (REQUIREMENTS B4, C1). Sessions that were only inferred are not archived, so nothing can point at them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from agentp.database import open_connection
from agentp.errors import AgentpError, SetupError
from expectations.schema import prepare_store
from sources.sight import hold_marts

BATCH = 5_000
"""Messages a transaction: long enough to be quick, short enough never to keep the bot waiting."""

CANDIDATES = """
    from dashboard.dialogs as dialogs
    left join public.tenants_v2 as tenants on tenants.id = dialogs.tenant_id
    join public.recent_history_v2 as messages
        on messages.tenant_id = dialogs.tenant_id and messages.id = dialogs.message_id
    join public.conversation_sessions_v2 as sessions
        on sessions.tenant_id = dialogs.tenant_id and sessions.session_id = dialogs.session_id
    where dialogs.session_source = 'matched' and messages.session_id is null
"""
QUEUES = ("change_tracking.changed_clients", "build.touched_clients")
"""Where clients wait whose rows changed since the last build."""
UNCHANGED_SINCE_BUILD = """
    and not exists (
        select 1 from pending
        where coalesce(pending.tenant_id, messages.tenant_id) = messages.tenant_id
        and coalesce(pending.client_id, messages.user_id) = messages.user_id
    )
"""


@dataclass(frozen=True)
class TenantRepair:
    """What a repair does, or would do, to one salon's messages."""

    tenant_id: str
    tenant_name: str
    messages: int
    sessions: int


@dataclass(frozen=True)
class RepairReport:
    """One repair: its number (none for a dry run), what it changed, and what it left for a reason.

    ``unarchived_dialogues`` were never archived: their messages' sessions are inferred (REQUIREMENTS C1), and no row
    in the archive is there to point at.
    """

    repair_id: int | None
    tenants: tuple[TenantRepair, ...]
    left_changed: int
    unarchived_messages: int = 0
    unarchived_dialogues: int = 0

    @property
    def messages(self) -> int:
        """Messages over all salons."""
        return sum(tenant.messages for tenant in self.tenants)


def plan_session_repair(url: str) -> RepairReport:
    """Return what `repair_sessions` would do, salon by salon; changes nothing."""
    with hold_marts(url, purpose="repair"), open_connection(url) as connection:
        _require_ready(connection)
        return _read_plan(connection)


def repair_sessions(url: str, *, announce: Callable[[int], None] = lambda done: None) -> RepairReport:
    """Write matched sessions back to `recent_history_v2`, a batch a transaction, each change logged with it.

    A repair that dies half-way leaves whole batches, all in the log; run again, it goes on. Messages of clients whose
    rows changed since the last build are left: what they match may be another session by now.
    """
    with hold_marts(url, purpose="repair", is_written=True), open_connection(url) as connection:
        _require_ready(connection)
        plan = _read_plan(connection)
        if not plan.messages:
            return plan
        row = connection.execute(
            "insert into quality.repairs (kind) values ('sessions') returning repair_id"
        ).fetchone()
        repair_id = int(row[0]) if row else 0
        connection.execute(
            sql.SQL(
                "create temporary table planned as "
                "select messages.tenant_id, messages.id as message_id, dialogs.session_id {} {}"
            ).format(sql.SQL(CANDIDATES), sql.SQL(UNCHANGED_SINCE_BUILD))
        )
        connection.execute("create index on planned (message_id); analyze planned")
        connection.commit()
        done, last = 0, -(2**63)
        while True:
            found = connection.execute(_REPAIR_BATCH, {"last": last, "batch": BATCH, "repair": repair_id}).fetchone()
            connection.commit()
            if found is None or found[0] is None:
                break
            last, done = found[0], done + found[1]
            announce(done)
        return replace(plan, repair_id=repair_id, tenants=_read_tenants(connection, repair_id))


def undo_repair(url: str, repair_id: int) -> tuple[int, int]:
    """Take a repair back; return how many messages lost their session again, and how many were left.

    Left is what somebody changed since: a message that names another session now is not ours to touch.
    """
    with hold_marts(url, purpose="repair", is_written=True), open_connection(url) as connection:
        prepare_store(connection)
        known = connection.execute("select 1 from quality.repairs where repair_id = %s", (repair_id,)).fetchone()
        if known is None:
            raise SetupError(f"There is no repair {repair_id}.", cure="`select * from quality.repairs` lists them.")
        undone = connection.execute(_UNDO, {"repair": repair_id}).rowcount
        left = connection.execute(
            "select count(*) from quality.session_repairs where repair_id = %s and undone_at is null", (repair_id,)
        ).fetchone()
        connection.commit()
        return undone, left[0] if left else 0


_REPAIR_BATCH = """
with chosen as (
    select planned.tenant_id, planned.message_id, planned.session_id
    from planned where planned.message_id > %(last)s order by planned.message_id limit %(batch)s
),
repaired as (
    update public.recent_history_v2 as messages set session_id = chosen.session_id
    from chosen
    where messages.tenant_id = chosen.tenant_id and messages.id = chosen.message_id and messages.session_id is null
    returning messages.tenant_id, messages.id, messages.session_id
),
logged as (
    insert into quality.session_repairs (repair_id, tenant_id, message_id, old_session_id, new_session_id)
    select %(repair)s, tenant_id, id, null, session_id from repaired
    returning message_id
)
select (select max(message_id) from chosen), (select count(*) from logged)
"""

_UNDO = """
with logged as (
    select tenant_id, message_id, old_session_id, new_session_id
    from quality.session_repairs where repair_id = %(repair)s and undone_at is null
),
restored as (
    update public.recent_history_v2 as messages set session_id = logged.old_session_id
    from logged
    where messages.tenant_id = logged.tenant_id and messages.id = logged.message_id
    and messages.session_id = logged.new_session_id
    returning messages.tenant_id, messages.id
)
update quality.session_repairs as log set undone_at = clock_timestamp()
from restored
where log.repair_id = %(repair)s and log.tenant_id = restored.tenant_id and log.message_id = restored.id
"""


def _require_ready(connection: psycopg.Connection[Any]) -> None:
    prepare_store(connection)
    built = connection.execute("select to_regclass('dashboard.dialogs') is not null").fetchone()
    if not (built and built[0]):
        raise AgentpError("Nothing has been built, so nothing is matched yet.", cure="Run `agentp run` first.")
    key = connection.execute(
        "select count(*) from pg_constraint where contype = 'f' and conrelid = 'public.recent_history_v2'::regclass "
        "and confrelid = to_regclass('public.active_sessions_v2')"
    ).fetchone()
    if key and key[0]:
        raise AgentpError(
            "recent_history_v2.session_id still refers to active_sessions_v2, where archived sessions are not.",
            cure="Run `agentp migrate`, then `agentp build`, then repair.",
        )
    _note_pending(connection)


def _note_pending(connection: psycopg.Connection[Any]) -> None:
    """Note once who is pending: a repair makes every client it repairs pending itself."""
    connection.execute("create temporary table pending (tenant_id uuid, client_id uuid)")
    for queue in QUEUES:
        found = connection.execute("select to_regclass(%s) is not null", (queue,)).fetchone()
        if found and found[0]:
            connection.execute(
                sql.SQL("insert into pending select distinct tenant_id, client_id from {}").format(
                    sql.Identifier(*queue.split("."))
                )
            )
    connection.execute("analyze pending")


def _read_plan(connection: psycopg.Connection[Any]) -> RepairReport:
    rows = connection.execute(
        sql.SQL(
            "select messages.tenant_id::text, coalesce(max(tenants.name), ''), count(*), "
            "count(distinct dialogs.session_id) {} {} group by messages.tenant_id order by 3 desc, 1"
        ).format(sql.SQL(CANDIDATES), sql.SQL(UNCHANGED_SINCE_BUILD))
    ).fetchall()
    total = connection.execute(sql.SQL("select count(*) {}").format(sql.SQL(CANDIDATES))).fetchone()
    tenants = tuple(TenantRepair(*row) for row in rows)
    unarchived = connection.execute(
        "select count(*), count(distinct (tenant_id, session_id)) "
        "from dashboard.dialogs where session_source = 'inferred'"
    ).fetchone()
    left = (total[0] if total else 0) - sum(tenant.messages for tenant in tenants)
    return RepairReport(None, tenants, left, *(unarchived or (0, 0)))


def _read_tenants(connection: psycopg.Connection[Any], repair_id: int) -> tuple[TenantRepair, ...]:
    rows = connection.execute(
        "select log.tenant_id::text, coalesce(max(tenants.name), ''), count(*), count(distinct log.new_session_id) "
        "from quality.session_repairs as log left join public.tenants_v2 as tenants on tenants.id = log.tenant_id "
        "where log.repair_id = %s group by log.tenant_id order by 3 desc, 1",
        (repair_id,),
    ).fetchall()
    return tuple(TenantRepair(*row) for row in rows)
