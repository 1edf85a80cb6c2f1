"""Whether a database tells which rows changed, by the triggers of an optional migration."""

from __future__ import annotations

from typing import Any

import psycopg

from systems.system import System

TRIGGERS = ("agentp_note_insert", "agentp_note_update", "agentp_note_delete", "agentp_note_truncate")


def tracks_changes(connection: psycopg.Connection[Any], system: System, *, is_for_checks: bool = False) -> bool:
    """Whether each table has all its triggers, enabled: a queue that misses one table is worse than none.

    Builds follow the tables that marts are built from; ``is_for_checks`` asks for those of every table.
    """
    tables = [table.name for table in system.tables if table.is_built_from or is_for_checks]
    found = connection.execute(
        "select count(*) = %s from pg_trigger as t join pg_class as c on c.oid = t.tgrelid "
        "join pg_namespace as n on n.oid = c.relnamespace where n.nspname = %s and c.relname = any(%s) "
        "and t.tgname = any(%s) and t.tgenabled in ('O', 'A') "
        "and to_regclass('change_tracking.changed_clients') is not null",
        (len(tables) * len(TRIGGERS), system.raw_schema, tables, list(TRIGGERS)),
    ).fetchone()
    return bool(found and found[0])
