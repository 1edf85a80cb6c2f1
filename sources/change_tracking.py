"""Whether and how a database tells which rows changed: triggers that note whose rows a statement touched.

A statement's own transaction writes the queues of schema `change_tracking`, so that a change is seen there exactly when
its rows are, deletes included, whatever the clocks say. Builds empty the queues (dbt's macro `claim_changes`); where
triggers are not allowed they compare fingerprints of all rows instead. What a table touches is said in the `meta` of
dbt's sources (macros/engine/entities.sql), and triggers are generated from it (change_tracking.sql), unless a migration
of the system's brings its own (`System.has_own_triggers`).
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import jinja2
import psycopg
from psycopg import sql

from systems.system import System

EVENTS = {
    "insert": "referencing new table as new_rows",
    "update": "referencing old table as old_rows new table as new_rows",
    "delete": "referencing old table as old_rows",
    "truncate": "",
}
TRIGGERS = [f"agentp_note_{event}" for event in EVENTS]


def tracks_changes(connection: psycopg.Connection[Any], system: System, *, is_for_checks: bool = False) -> bool:
    """Whether each table has all its triggers, enabled: a queue that misses one table is worse than none.

    Builds follow the tables that touch something; ``is_for_checks`` asks for those of every table.
    """
    tables = [table.name for table in (system.tables if is_for_checks else system.tracked)]
    found = connection.execute(
        "select count(*) = %s from pg_trigger as t join pg_class as c on c.oid = t.tgrelid "
        "join pg_namespace as n on n.oid = c.relnamespace where n.nspname = %s and c.relname = any(%s) "
        "and t.tgname = any(%s) and t.tgenabled in ('O', 'A') "
        "and (select bool_and(to_regclass(queue) is not null) from unnest(%s::text[]) as queue)",
        (
            len(tables) * len(TRIGGERS), system.raw_schema, tables, TRIGGERS,
            [_name_queue(system, entity) for entity in system.entities],
        ),
    ).fetchone()  # fmt: skip
    return bool(found and found[0])


def track_changes(connection: psycopg.Connection[Any], system: System) -> None:
    """Make the queues and triggers of a system's tables, in one transaction; what stands is left alone."""
    if system.has_own_triggers or not system.tracked:
        return
    with connection.transaction():
        connection.execute(write_triggers(system).encode())


def write_triggers(system: System) -> str:
    """Return the SQL that makes a system's queues and triggers; it may be run any number of times."""
    # SQL, not HTML; what is filled in is our declaration.
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters |= {
        "identifier": lambda name: sql.Identifier(name).as_string(None),
        "literal": lambda value: sql.Literal(value).as_string(None),
    }
    template = (files(__package__) / "change_tracking.sql").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        events=EVENTS,
        tables=system.tracked,
        types=system.entities,
        queues={entity: _name_queue(system, entity) for entity in system.entities},
        functions={table.name: f"note_{system.name}__{table.name}" for table in system.tracked},
        places={table.name: sql.Identifier(system.raw_schema, table.name).as_string(None) for table in system.tracked},
        # By the columns that a table's expressions read, their types.
        read={
            table.name: {
                column.name: column.base_type
                for column in system.columns[table.name].values()
                if table.reads(column.name)
            }
            for table in system.tracked
        },
    )


def _name_queue(system: System, entity: str) -> str:
    return f"change_tracking.{system.prefix}changed_{entity}s"
