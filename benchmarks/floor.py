"""The floor under a build: the same tables, made by hand-written SQL on one connection (`floor.sql`)."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from agentp.database import open_connection

HEADING = re.compile(r"^-- relation: (?:(temporary) (\w+)|(\w+)\.(\w+) (?:(whole)|by (client|day) \((.+)\)))$", re.M)
MARK = re.compile(r"/\* touched (client|day): (.+?) \*/")
QUEUES = {
    "client": "(select tenant_id, client_id from touched_clients)",
    "day": "(select tenant_id, day from touched_days)",
}
INDEXES = """
select pg_get_indexdef(i.indexrelid), i.indisprimary, pg_get_constraintdef(k.oid)
from pg_index as i
left join pg_constraint as k on k.conindid = i.indexrelid and k.contype = 'p'
where i.indrelid = to_regclass(%s)
"""
COLUMNS = """
select array_agg(attname || ' ' || format_type(atttypid, atttypmod) order by attnum)
from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
"""


@dataclass(frozen=True)
class Section:
    """One table of the floor: the mart it equals (none for a temporary table), its scope and its query."""

    name: str
    mart: str | None
    scope: str | None
    columns: str | None
    query: str

    def narrow(self) -> str:
        """Return the query with its marks turned into filters for the touched clients and days."""
        return MARK.sub(lambda mark: f"and ({mark[2]}) in {QUEUES[mark[1]]}", self.query)


def read_sections() -> list[Section]:
    """Return the sections of `floor.sql` in their order, which is that of their dependencies."""
    text = Path(__file__).with_name("floor.sql").read_text(encoding="utf-8")
    headings = list(HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return [
        Section(
            name=heading[2] or heading[4],
            mart=None if heading[1] else f"{heading[3]}.{heading[4]}",
            scope=heading[6],
            columns=heading[7],
            query=text[heading.end() : end].strip(),
        )
        for heading, end in zip(headings, ends, strict=True)
    ]


def build_floor(url: str, *, as_of: str) -> float:
    """Make every table with its key, indexes and statistics; return the seconds.

    The indexes are those that the marts have, so the marts must have been built before.
    """
    with open_connection(url) as connection:
        indexes = {
            section.name: connection.execute(INDEXES, (section.mart,)).fetchall()
            for section in read_sections()
            if section.mart
        }
        connection.execute("drop schema if exists floor cascade")
        connection.commit()
        begin = time.perf_counter()
        connection.execute("create schema floor")
        _set_as_of(connection, as_of)
        for section in read_sections():
            if section.mart is None:
                _make_temporary(connection, section.name, section.query)
                continue
            _run(connection, f"create table floor.{section.name} as {section.query}")
            for definition, is_primary, constraint in indexes[section.name]:
                if is_primary:
                    _run(connection, f"alter table floor.{section.name} add {constraint}")
                else:
                    _run(connection, definition.replace(f" ON {section.mart} ", f" ON floor.{section.name} "))
            _run(connection, f"analyze floor.{section.name}")
        connection.commit()
        return time.perf_counter() - begin


def rebuild_floor(url: str, *, as_of: str, held: str) -> float:
    """Recompute the clients and days of the rows that came back from the schema ``held``; return the seconds."""
    with open_connection(url) as connection:
        begin = time.perf_counter()
        _set_as_of(connection, as_of)
        _make_temporary(
            connection,
            "touched_clients",
            f"select tenant_id, user_id as client_id from {held}.conversation_sessions_v2 "
            f"union select tenant_id, user_id from {held}.recent_history_v2",
        )
        has_days = False
        for section in read_sections():
            if section.scope == "day" and not has_days:
                has_days = True
                _make_temporary(connection, "touched_days", _find_days(held, as_of))
            if section.mart is None:
                _make_temporary(connection, section.name, section.narrow())
                continue
            if section.scope is None:
                _run(connection, f"delete from floor.{section.name}")
            else:
                _run(
                    connection,
                    f"delete from floor.{section.name} where ({section.columns}) in {QUEUES[section.scope]}",
                )
            _run(connection, f"insert into floor.{section.name} {section.narrow()}")
        connection.commit()
        return time.perf_counter() - begin


def find_differences(url: str) -> list[str]:
    """Return the marts that differ from the floor in columns, number of rows or any value."""
    differences = []
    with open_connection(url) as connection:
        for section in read_sections():
            if section.mart is None:
                continue
            seen = []
            for relation in (section.mart, f"floor.{section.name}"):
                columns = connection.execute(COLUMNS, (relation,)).fetchone()
                content = _run(
                    connection, f"select count(*), sum(hashtextextended(t::text, 7)::numeric) from {relation} as t"
                ).fetchone()
                seen.append((columns, content))
            if seen[0] != seen[1]:
                differences.append(section.mart)
    return differences


def find_uncovered(url: str) -> list[str]:
    """Return the published tables that the floor does not make: with them the full ratio is unfair to dbt."""
    covered = [section.mart for section in read_sections()]
    with open_connection(url) as connection:
        rows = connection.execute(
            "select schemaname || '.' || tablename from pg_tables where schemaname in ('dashboard', 'intermediate')"
        ).fetchall()
    return sorted(row[0] for row in rows if row[0] not in covered)


def _find_days(held: str, as_of: str) -> str:
    new = f"message_id in (select id from {held}.recent_history_v2)"
    return (
        f"select tenant_id, sent_day as day from floor.dialogs where {new} "
        f"union select tenant_id, session_day from floor.dialogs where {new} "
        f"union select tenant_id, started_day from floor.sessions "
        f"where session_id in (select session_id from {held}.conversation_sessions_v2) "
        f"union select id, date '{as_of}' from tenants_v2"
    )


def _make_temporary(connection: psycopg.Connection[Any], name: str, query: str) -> None:
    _run(connection, f"create temporary table {name} on commit drop as {query}")
    _run(connection, f"analyze {name}")


def _set_as_of(connection: psycopg.Connection[Any], as_of: str) -> None:
    connection.execute("select set_config('floor.as_of', %s, true)", (as_of,))


def _run(connection: psycopg.Connection[Any], statement: str) -> psycopg.Cursor[Any]:
    return connection.execute(statement.encode())
