"""What a build looks at before it publishes anything: whether what its marts tell of is still there at all.

The brake itself stands in the materialization (dbt_project/macros/engine/brake.sql), a mart at a time; by
then others may be published. What is plain beforehand stops before the first one: a salon of which rows of a kind are
published and not one is left in the raw table, or most of whose clients are gone. So do a truncated or filtered table,
a salon that is missing, and the database of somebody else.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg import sql

from agentp.database import open_connection
from agentp.errors import BuildError
from agentp.settings import Settings

STOPPED = "The brake stopped"
"""How every stop by the brake begins, here and in brake.sql."""
CURE = (
    "Look for what was lost, filtered or renamed. Where it is meant to go: --accept-removals of `agentp build`, `run` "
    "and `backfill`, or the run's tag agentp/accept_removals, lets it go once; AGENTP_BRAKE_SHARE is the share."
)
ROOTS = (
    ("tenants_v2", "id", "dialogs", "messages"), ("clients_v2", "tenant_id", "clients", "clients"),
    ("conversation_sessions_v2", "tenant_id", "sessions", "sessions"),
    ("recent_history_v2", "tenant_id", "dialogs", "messages"),
)  # fmt: skip
"""Raw tables by the column that names the salon, the mart that holds what becomes of them, and the word for it."""


CLIENTS_EACH = 5
"""So many rows weigh as much as a client (brake.sql)."""
ANNOUNCED = "quality.announced_removals"
Reason = Literal["forget", "purge", "move", "repair"]


def announce_removal(
    connection: psycopg.Connection[Any], tenant_id: UUID, *, reason: Reason, mart: str | None = None,
    rows: int | None = None, clients: int | None = None,
) -> None:  # fmt: skip
    """Announce what is about to go from the raw tables on purpose, in the transaction that takes it away.

    The brake counts so many rows and clients less of ``mart``, or of every mart, until a build that began later is
    complete. None is all that the salon has. Raises nothing; the caller commits.
    """
    connection.execute(
        "insert into quality.announced_removals (tenant_id, reason, mart, row_count, client_count) "
        "values (%s, %s, %s, %s, %s)",
        (tenant_id, reason, mart, rows, clients),
    )


def require_roots(connection: psycopg.Connection[Any], settings: Settings) -> None:
    """Refuse to build where the raw tables have lost what the marts hold; raises `BuildError`, writes nothing.

    Up to ``brake_rows`` rows of a salon, or a fifth as many clients, are no reason, but where the salon itself is gone.
    Neither is a mart, a raw table or a column that is not there: the build itself says so.
    """
    found = _find_losses(connection, settings)
    if found:
        raise BuildError(f"{STOPPED} the build before its first mart: {found}.", cure=CURE)


def require_whole(url: str, settings: Settings, *, what: str) -> None:
    """Refuse to do what reads both the marts and the raw tables where these have lost what those hold.

    ``what`` names it: the scores, the reports. Raises `BuildError`, writes nothing.
    """
    with open_connection(url) as connection:
        found = _find_losses(connection, settings)
    if found:
        raise BuildError(f"{STOPPED} {what}: {found}.", cure=f"{CURE} Build first, then.")


def _find_losses(connection: psycopg.Connection[Any], settings: Settings) -> str:
    if settings.brake_share >= 1:
        return ""
    found: list[str] = []
    with suppress(psycopg.errors.UndefinedColumn):
        found = _look(connection, settings)
    return "; ".join(found[:3]) + (f"; … {len(found) - 3} more" if len(found) > 3 else "")


def _look(connection: psycopg.Connection[Any], settings: Settings) -> list[str]:
    found: list[str] = []
    has_ledger = _exists(connection, ANNOUNCED)
    for table, column, mart, word in ROOTS:
        if _exists(connection, "dashboard.metrics_dailies", f"dashboard.{mart}", f"public.{table}"):
            found += _find_lost(
                connection, settings, table=table, column=column, mart=mart, word=word, has_ledger=has_ledger
            )
    if not found and _exists(connection, "dashboard.clients", "public.clients_v2"):
        found += _find_lost_clients(connection, settings, has_ledger=has_ledger)
    return found


def _find_lost(
    connection: psycopg.Connection[Any], settings: Settings, *, table: str, column: str, mart: str, word: str,
    has_ledger: bool,
) -> list[str]:  # fmt: skip
    # An inferred session has no row in the archive.
    counts = sql.SQL("and not published.is_inferred") if mart == "sessions" else sql.SQL("")
    announced = sql.SQL(
        "and salons.tenant_id not in (select tenant_id from quality.announced_removals "
        "where settled_at is null and coalesce(mart, {mart}) = {mart} and row_count is null)"
    ).format(mart=mart)
    # A salon is never few rows.
    floors = {"tenants_v2": 0, "clients_v2": settings.brake_rows // CLIENTS_EACH}
    floor = floors.get(table, settings.brake_rows)
    rows = connection.execute(
        sql.SQL(
            "select salons.tenant_id::text, (select count(*) from dashboard.{mart} as published "
            "where published.tenant_id = salons.tenant_id {counts}) "
            "from (select distinct tenant_id from dashboard.metrics_dailies) as salons "
            "where exists (select 1 from dashboard.{mart} as published "
            "where published.tenant_id = salons.tenant_id {counts} offset %(floor)s) "
            "and not exists (select 1 from public.{table} as rows where rows.{column} = salons.tenant_id) "
            "{announced} order by 2 desc, 1"
        ).format(
            mart=sql.Identifier(mart),
            table=sql.Identifier(table),
            column=sql.Identifier(column),
            counts=counts,
            announced=announced if has_ledger else sql.SQL(""),
        ),
        {"floor": floor},
    ).fetchall()
    return [
        f"{count:,} {word} of salon {tenant} are published and public.{table} has no row of it"
        for tenant, count in rows
    ]


def _find_lost_clients(connection: psycopg.Connection[Any], settings: Settings, *, has_ledger: bool) -> list[str]:
    announced = sql.SQL(
        "- coalesce((select sum(coalesce(client_count, 1e15)) from quality.announced_removals as announced where "
        "settled_at is null and coalesce(mart, 'clients') = 'clients' and announced.tenant_id = clients.tenant_id), 0)"
    )
    rows = connection.execute(
        sql.SQL(
            "select tenant_id::text, clients, lost::bigint from (select clients.tenant_id, count(*) as clients, "
            "count(*) filter (where not exists (select 1 from public.clients_v2 as rows "
            "where rows.id = clients.client_id and rows.tenant_id = clients.tenant_id)) {announced} as lost "
            "from dashboard.clients as clients group by clients.tenant_id) as salons "
            "where lost > %(floor)s and lost > %(share)s * clients order by lost desc"
        ).format(announced=announced if has_ledger else sql.SQL("")),
        {"floor": settings.brake_rows // CLIENTS_EACH, "share": settings.brake_share},
    ).fetchall()
    return [
        f"{lost:,} of {clients:,} clients of salon {tenant} are gone from public.clients_v2, more than "
        f"AGENTP_BRAKE_SHARE ({settings.brake_share:g})"
        for tenant, clients, lost in rows
    ]


def _exists(connection: psycopg.Connection[Any], *relations: str) -> bool:
    row = connection.execute(
        "select bool_and(to_regclass(name) is not null) from unnest(%s::text[]) as name", (list(relations),)
    )
    found = row.fetchone()
    return bool(found and found[0])
