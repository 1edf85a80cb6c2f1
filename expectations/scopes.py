"""Which clients a run has to look at: those whose rows changed, and those whose verdicts hang on such rows."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from expectations.inspections import INSPECTIONS, Tally
from expectations.schema import NOBODY
from expectations.shapes import Shape
from expectations.standard import list_rules
from sources.change_tracking import tracks_changes
from systems.registry import get_main_system

QUEUE = "change_tracking.unchecked_clients"


def claim_changes(connection: psycopg.Connection[Any]) -> bool:
    """Move the queue of changes to `quality.claimed_clients`; return whether it says which clients changed.

    False where changes are not tracked, where a table was emptied, or where a salon came, went or moved to
    another time zone: then every row is looked at. So it is as long as rows name no salon or no client (the
    standard's tables forbid that), for nobody's changes concern them. What a run that died had claimed is still there.
    """
    if not tracks_changes(connection, get_main_system(), is_for_checks=True) or not _exists(connection, QUEUE):
        return False
    connection.execute(
        "with claimed as (delete from change_tracking.unchecked_clients returning tenant_id, client_id) "
        "insert into quality.claimed_clients (tenant_id, client_id) "
        "select distinct coalesce(tenant_id, %(nobody)s), coalesce(client_id, %(nobody)s) from claimed "
        "on conflict (tenant_id, client_id) do nothing",
        {"nobody": NOBODY},
    )
    found = connection.execute(
        "select not exists (select 1 from quality.claimed_clients where %(nobody)s in (tenant_id, client_id)) "
        "and not exists (select 1 from quality.client_rows where tenant_id = %(nobody)s) "
        "and not exists (select 1 from quality.client_rows "
        "where client_id = %(nobody)s and table_name <> 'tenants_v2')",
        {"nobody": NOBODY},
    ).fetchone()
    return bool(found and found[0])


def close_over_dependents(connection: psycopg.Connection[Any], shape: Shape) -> None:
    """Take along whoever's verdict hangs on a claimed client's rows. One step is enough: verdicts do not chain."""
    connection.execute("analyze quality.claimed_clients")
    parts = [
        # The same client under another salon's id: rows of one salon that name another's client.
        sql.SQL(
            "select known.tenant_id, known.client_id from quality.client_rows as known "
            "where known.client_id in (select client_id from quality.claimed_clients)"
        ),
        sql.SQL(
            "select tenant_id, client_id from quality.client_failures where rule_id = any({})"
        ).format(sql.Literal([rule.rule_id for rule in list_rules() if rule.is_rechecked])),
        *_find_links(),
        *_find_neighbours(shape),
        *[_find_twins(inspection.table, inspection.client or "", tally)
          for inspection in INSPECTIONS for tally in inspection.tallies if tally.table == inspection.table],
    ]  # fmt: skip
    connection.execute(
        sql.SQL(
            "insert into quality.claimed_clients (tenant_id, client_id) select distinct tenant_id, client_id "
            "from ({}) as dependents where tenant_id is not null and client_id is not null "
            "on conflict (tenant_id, client_id) do nothing"
        ).format(sql.SQL(" union all ").join(parts))
    )
    connection.execute("analyze quality.claimed_clients")


def _find_links() -> list[sql.Composable]:
    """Clients whose messages named each other's sessions when they were last looked at."""
    link = sql.SQL(
        "select links.{}, links.{} from quality.client_links as links "
        "where (links.{}, links.{}) in (select tenant_id, client_id from quality.claimed_clients)"
    )
    near, far = ("tenant_id", "client_id"), ("linked_tenant_id", "linked_client_id")
    return [link.format(*map(sql.Identifier, (*one, *other))) for one, other in ((near, far), (far, near))]


def _find_neighbours(shape: Shape) -> list[sql.Composable]:
    """Clients whose messages name each other's sessions now."""
    columns = [name for name in ("session_id", "legacy_session_id") if shape.has("recent_history_v2", name)]
    names = sql.SQL(
        "select {}.tenant_id, {}.user_id from quality.claimed_clients as claimed "
        "join public.{} as mine on mine.tenant_id = claimed.tenant_id and mine.user_id = claimed.client_id "
        "join public.{} as theirs on mine.{} = theirs.{} where theirs.user_id <> mine.user_id "
        "or theirs.tenant_id <> mine.tenant_id"
    )
    messages, sessions = sql.Identifier("recent_history_v2"), sql.Identifier("conversation_sessions_v2")
    theirs = sql.Identifier("theirs")
    found: list[sql.Composable] = []
    for column in columns:
        key = sql.Identifier(column)
        found.append(names.format(theirs, theirs, messages, sessions, key, sql.Identifier("session_id")))
        found.append(names.format(theirs, theirs, sessions, messages, sql.Identifier("session_id"), key))
    return found


def _find_twins(table: str, client: str, tally: Tally) -> sql.Composable:
    """Clients whose rows share what ought to be unique with a claimed client's rows."""
    column = sql.Identifier(client.removeprefix("rows."))
    same = sql.SQL(" and ").join(
        sql.SQL("mine.{} = theirs.{}").format(sql.Identifier(key), sql.Identifier(key)) for key in tally.keys
    )
    return sql.SQL(
        "select theirs.tenant_id, theirs.{column} from quality.claimed_clients as claimed "
        "join public.{table} as mine on mine.tenant_id = claimed.tenant_id and mine.{column} = claimed.client_id "
        "join public.{table} as theirs on {same}"
    ).format(column=column, table=sql.Identifier(table), same=same)


def _exists(connection: psycopg.Connection[Any], relation: str) -> bool:
    found = connection.execute("select to_regclass(%s) is not null", (relation,)).fetchone()
    return bool(found and found[0])
