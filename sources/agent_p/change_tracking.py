"""Whether a database tells which rows changed (migration 0005)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

BUILT_FROM = ("tenants_v2", "clients_v2", "conversation_sessions_v2", "recent_history_v2", "user_ltm_v2")
"""What marts are built from."""
CHECKED = (*BUILT_FROM, "wishlist_v2", "active_sessions_v2")
"""What the data standard is checked on."""
TRIGGERS = ("agentp_note_insert", "agentp_note_update", "agentp_note_delete", "agentp_note_truncate")


def tracks_changes(connection: psycopg.Connection[Any], *, tables: Sequence[str] = BUILT_FROM) -> bool:
    """Whether each of the tables has all its triggers, enabled: a queue that misses one table is worse than none."""
    found = connection.execute(
        "select count(*) = %s from pg_trigger as t join pg_class as c on c.oid = t.tgrelid "
        "join pg_namespace as n on n.oid = c.relnamespace where n.nspname = 'public' and c.relname = any(%s) "
        "and t.tgname = any(%s) and t.tgenabled in ('O', 'A') "
        "and to_regclass('change_tracking.changed_clients') is not null",
        (len(tables) * len(TRIGGERS), list(tables), list(TRIGGERS)),
    ).fetchone()
    return bool(found and found[0])
