"""How quickly a million messages load, beside a bare COPY into the same table.

Run it as `python -m benchmarks.loading --messages 1000000`. Each of the two ways gets a fresh database with
all migrations (constraints, indexes, change tracking), the same tenants, clients and sessions, and the
same file. The databases are dropped afterwards.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from agentp.database import open_connection
from agentp.server import remove_server, start_server
from sources.exports import load_exports
from sources.exports.folder import CHUNK
from sources.migrations import apply_migrations
from systems.registry import get_main_system

TENANTS, CLIENTS, MESSAGES_PER_SESSION = 5, 2_000, 18
WORDS = ("здравствуйте", "можно", "записаться", "на", "маникюр", "завтра", "вечером", "к Анне", "да", "18:30")
HISTORY = "recent_history_v2"


def main() -> None:
    """Print the ratio of the two speeds, and the seconds behind it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1, help="repeat, alternating the two ways; the best counts")
    parser.add_argument("--url", default=os.environ.get("AGENTP_DATABASE_URL"), help="a server of your own")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agentp-benchmark-") as temporary:
        home = Path(temporary)
        home.chmod(0o755)
        people, messages = home / "people", home / "messages"
        write_exports(people, messages, count=options.messages)
        url = options.url or start_server(home=home / "server", preferred_port=54420).url
        try:
            compare(url, people, messages, count=options.messages, rounds=options.rounds)
        finally:
            if not options.url:
                remove_server(home=home / "server")


def compare(url: str, people: Path, messages: Path, *, count: int, rounds: int) -> None:
    """Time both ways and print the outcome."""
    bare: list[float] = []
    loaded: list[float] = []
    again: list[float] = []
    for _ in range(rounds):
        with make_database(url, people) as connection:
            bare.append(time_copy(connection, messages / f"{HISTORY}.csv"))
        with make_database(url, people) as connection:
            loaded.append(time_load(connection, messages, inserted=count))
            again.append(time_load(connection, messages, inserted=0))
    size = (messages / f"{HISTORY}.csv").stat().st_size / 1e6
    print(f"load_exports runs at {min(bare) / min(loaded):.2f} of the speed of a bare COPY (at least 0.50 is wanted)")
    print(f"  {count:,} messages, {size:,.0f} MB, best of {rounds}")
    print(f"  bare COPY           {min(bare):7.1f} s  {count / min(bare):10,.0f} messages/s")
    print(f"  load_exports        {min(loaded):7.1f} s  {count / min(loaded):10,.0f} messages/s")
    print(f"  the same file again {min(again):7.1f} s  (nothing changes)")


@contextmanager
def make_database(url: str, people: Path) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection to a fresh database with all tables and everything but the messages; drop it after."""
    name = f"agentp_benchmark_{uuid.uuid4().hex[:8]}"
    with open_connection(url, autocommit=True) as server:
        server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            with open_connection(make_conninfo(url, dbname=name), autocommit=True) as connection:
                apply_migrations(connection, get_main_system())
                load_exports(connection, people)
                connection.execute("vacuum analyze")
                connection.execute("checkpoint")
                yield connection
        finally:
            server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def time_copy(connection: psycopg.Connection[Any], path: Path) -> float:
    """Return the seconds of what `\\copy` does: the file's bytes straight into the table."""
    begin = time.perf_counter()
    with connection.cursor() as cursor, path.open("rb") as source:
        header = source.readline().decode().strip().split(",")
        statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
            sql.Identifier(HISTORY), sql.SQL(", ").join(map(sql.Identifier, header))
        )
        with cursor.copy(statement) as copy:
            while chunk := source.read(CHUNK):
                copy.write(chunk)
    return time.perf_counter() - begin


def time_load(connection: psycopg.Connection[Any], folder: Path, *, inserted: int) -> float:
    """Return the seconds of a whole `load_exports`, and make sure that it did what it should."""
    begin = time.perf_counter()
    report = load_exports(connection, folder)
    seconds = time.perf_counter() - begin
    if report.tables[0].rows_inserted != inserted or report.tables[0].rows_updated:
        raise SystemExit(f"The load was not the expected one: {report}")
    return seconds


def write_exports(people: Path, messages: Path, *, count: int) -> None:
    """Write tenants, clients and sessions into one folder, the messages into the other; always the same."""
    chance = random.Random(7)
    people.mkdir()
    messages.mkdir()
    begin = datetime(2026, 1, 1, tzinfo=UTC)

    def make_id() -> str:
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))

    tenants = [make_id() for _ in range(TENANTS)]
    clients = [(make_id(), tenants[number % TENANTS]) for number in range(CLIENTS)]
    sessions = [(make_id(), *clients[chance.randrange(CLIENTS)]) for _ in range(max(1, count // MESSAGES_PER_SESSION))]
    write_table(people / "tenants_v2.csv", ["id", "name"], ([id_, f"Salon {id_[:4]}"] for id_ in tenants))
    write_table(people / "clients_v2.csv", ["id", "tenant_id"], clients)
    write_table(
        people / "conversation_sessions_v2.csv",
        ["id", "session_id", "tenant_id", "user_id", "channel", "started_at", "final_status"],
        (
            [number, session, tenant, client, "telegram", begin + timedelta(minutes=number), "done"]
            for number, (session, client, tenant) in enumerate(sessions, start=1)
        ),
    )
    write_table(
        messages / f"{HISTORY}.csv",
        ["id", "tenant_id", "user_id", "session_id", "role", "channel", "message", "meta", "created_at"],
        (
            [
                number + 1,
                tenant,
                client,
                session if number % 3 else "",
                ("user", "assistant")[number % 2],
                "telegram",
                " ".join(chance.choices(WORDS, k=chance.randint(1, 12))),
                json.dumps({"message_id": number}) if number % 4 == 0 else "{}",
                begin + timedelta(seconds=20 * number),
            ]
            for number in range(count)
            for session, client, tenant in (sessions[number // MESSAGES_PER_SESSION % len(sessions)],)
        ),
    )


def write_table(path: Path, header: list[str], rows: Any) -> None:
    """Write one CSV file."""
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
