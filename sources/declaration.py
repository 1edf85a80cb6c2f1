"""The columns of a system's raw tables, read from a database that its migrations made: `systems/<name>/columns.csv`.

Postgres knows what the migrations say; a second reading of their text would be a second, worse one.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from agentp.database import open_connection
from agentp.server import start_server
from agentp.settings import read_settings
from sources.migrations import apply_migrations
from sources.raw_tables import read_raw_columns
from systems.registry import list_systems
from systems.system import COLUMNS, System


def describe_columns(connection: psycopg.Connection[Any], system: System) -> str:
    """Migrate a database that has nothing of the system and return its columns as CSV, tables in the order of loading.

    The connection is an autocommit one. Needed are the columns of the oldest shape.
    """
    apply_migrations(connection, system, last=system.oldest_migration)
    oldest = read_raw_columns(connection, system.raw_schema)
    apply_migrations(connection, system)
    newest = read_raw_columns(connection, system.raw_schema)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("table", "column", "type", "is_needed"))
    for table in system.by_name:
        for column in newest[table].values():
            is_needed = column.name in oldest.get(table, {})
            writer.writerow((table, column.name, column.type, str(is_needed).lower()))
    return text.getvalue()


def write_columns() -> None:
    """Write the file of every system that is on, from a scratch database of the project's own server."""
    settings = read_settings()
    url = start_server(home=settings.home, preferred_port=settings.port).url
    for system in list_systems():
        name = f"agentp_columns_of_{system.name}"
        database = sql.Identifier(name)
        with open_connection(url, autocommit=True) as server:
            server.execute(sql.SQL("drop database if exists {}").format(database))
            server.execute(sql.SQL("create database {}").format(database))
            try:
                with open_connection(make_conninfo(url, dbname=name), autocommit=True) as connection:
                    text = describe_columns(connection, system)
            finally:
                server.execute(sql.SQL("drop database if exists {} (force)").format(database))
        Path(str(system.folder / COLUMNS)).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_columns()
