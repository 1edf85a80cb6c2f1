"""One day more, and nine years before: the raw tables as they were and as they will be."""

from __future__ import annotations

from datetime import date

from psycopg import sql

from agentp.database import open_connection

HELD = "held"
"""The schema that keeps the last day's rows until they arrive."""

ZONE = "Europe/Moscow"
YEAR_DAYS = 364
"""A demo year is 365 days; 52 whole weeks keep every weekday, and copies overlap by a single day."""

SHIFTED = {
    "clients_v2": {"id": "{client}", "created_at": "{past}", "updated_at": "{past}"},
    "conversation_sessions_v2": {
        "id": "id + {step} * {year}",
        "session_id": "{session}",
        "user_id": "{client}",
        "started_at": "{past}",
        "ended_at": "{past}",
        "booking_datetime": "{past}",
        "created_at": "{past}",
    },
    "recent_history_v2": {
        "id": "id + {step} * {year}",
        "session_id": "{session}",
        "legacy_session_id": "{session}",
        "user_id": "{client}",
        "created_at": "{past}",
    },
}


def hold_back_day(url: str, *, day: date) -> int:
    """Move the sessions and messages of a local day and later out of the raw tables; return how many messages."""
    since = f"timestamptz '{day.isoformat()} 00:00 {ZONE}'"
    statements = [
        f"create schema {HELD}",
        f"create table {HELD}.conversation_sessions_v2 as "
        f"select * from conversation_sessions_v2 where started_at >= {since}",
        f"create table {HELD}.recent_history_v2 as select * from recent_history_v2 where created_at >= {since} "
        f"or session_id in (select session_id from {HELD}.conversation_sessions_v2)",
        f"delete from recent_history_v2 where id in (select id from {HELD}.recent_history_v2)",
        f"delete from conversation_sessions_v2 where id in (select id from {HELD}.conversation_sessions_v2)",
    ]
    with open_connection(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())
        row = connection.execute(f"select count(*) from {HELD}.recent_history_v2".encode()).fetchone()
    settle(url)
    return int(row[0]) if row else 0


def let_day_arrive(url: str) -> None:
    """Insert what was held back, as the bots would have."""
    with open_connection(url) as connection:
        for table in ("conversation_sessions_v2", "recent_history_v2"):
            connection.execute(f"insert into {table} select * from {HELD}.{table}".encode())


def lengthen_history(url: str, *, years: int, same_clients: bool) -> None:
    """Add ``years`` copies of everything, each a year earlier, of the same clients or of others.

    The traffic of a day stays what it is. Ids of copies are numbers one step higher and hashes of the
    copied ids; the tenants are the same.
    """
    with open_connection(url) as connection:
        row = connection.execute(
            "select 1 + greatest((select max(id) from recent_history_v2), "
            "(select max(id) from conversation_sessions_v2))"
        ).fetchone()
        step = row[0] if row else 1
        for year in range(1, years + 1):
            for table, changed in SHIFTED.items():
                if same_clients and table == "clients_v2":
                    continue
                columns = [
                    name
                    for (name,) in connection.execute(
                        "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 "
                        "and not attisdropped order by attnum",
                        (table,),
                    )
                ]
                values = [_shift(name, changed.get(name), year, step, same_clients) for name in columns]
                first = "true" if table == "clients_v2" else f"id < {step}"
                source = f"{HELD}.original_clients" if table == "clients_v2" else table
                if table == "clients_v2" and year == 1:
                    connection.execute(f"create schema if not exists {HELD}".encode())
                    connection.execute(f"create table {source} as select * from clients_v2".encode())
                names = sql.SQL(", ").join(map(sql.Identifier, columns)).as_string(connection)
                connection.execute(
                    f"insert into {table} ({names}) select {', '.join(values)} from {source} where {first}".encode()
                )
        connection.execute(f"drop table if exists {HELD}.original_clients".encode())
        connection.execute(f"drop schema if exists {HELD}".encode())
    settle(url)


def settle(url: str) -> None:
    """Vacuum, analyze and checkpoint, so that the next step does not pay for the last one."""
    with open_connection(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def _shift(column: str, template: str | None, year: int, step: int, same_clients: bool) -> str:
    if template is None:
        return f'"{column}"'
    owner = "id" if column == "id" else column
    return template.format(
        year=year,
        step=step,
        past=f"{column} - interval '{YEAR_DAYS * year} days'",
        session=f"md5({column}::text || '-{year}')::uuid",
        client=owner if same_clients else f"md5({owner}::text || '-{year}')::uuid",
    )
