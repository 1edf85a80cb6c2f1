"""Which clients a run has to look at: those whose rows changed, and those whose verdicts hang on such rows."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from expectations.inspections import Inspection, Lookup, Tally
from expectations.schema import NOBODY
from expectations.shapes import Shape
from expectations.standard import get_standard, list_rules
from sources.change_tracking import tracks_changes
from systems.registry import find_labelled, list_systems

QUEUE = "change_tracking.unchecked_clients"


def claim_changes(connection: psycopg.Connection[Any]) -> bool:
    """Move the queue of changes to `quality.claimed_clients`; return whether it says which clients changed.

    False where changes are not tracked, where a table was emptied, or where a tenant came, went or moved to
    another time zone: then every row is looked at. So it is as long as rows name no tenant or no client (the
    standard's tables forbid that), for nobody's changes concern them. What a run that died had claimed is still there.
    """
    tracked = [system for system in list_systems() if system.has_own_triggers]
    if not tracked or not _exists(connection, QUEUE):
        return False
    if not all(tracks_changes(connection, system, is_for_checks=True) for system in tracked):
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
        "and not exists (select 1 from quality.client_rows where table_name = any(%(tracked)s) and ("
        "tenant_id = %(nobody)s or (client_id = %(nobody)s and table_name <> all(%(tenants)s))))",
        {
            "nobody": NOBODY, "tenants": get_standard().tables_of_tenants,
            "tracked": [system.prefix + table.name for system in tracked for table in system.tables],
        },
    ).fetchone()  # fmt: skip
    return bool(found and found[0])


def close_over_dependents(connection: psycopg.Connection[Any], shape: Shape) -> None:
    """Take along whoever's verdict hangs on a claimed client's rows. One step is enough: verdicts do not chain."""
    connection.execute("analyze quality.claimed_clients")
    parts = [
        # The same client under another tenant's id: rows of one tenant that name another's client.
        sql.SQL(
            "select known.tenant_id, known.client_id from quality.client_rows as known "
            "where known.client_id in (select client_id from quality.claimed_clients)"
        ),
        sql.SQL(
            "select tenant_id, client_id from quality.client_failures where rule_id = any({})"
        ).format(sql.Literal([rule.rule_id for rule in list_rules() if rule.is_rechecked])),
        *_find_links(),
        *[part for inspection in _list_inspections() for lookup in inspection.links
          for part in _find_neighbours(shape, inspection, lookup)],
        *[_find_twins(inspection.table, inspection.client or "", tally)
          for inspection in _list_inspections() for tally in inspection.tallies
          if tally.table == inspection.table],
    ]  # fmt: skip
    connection.execute(
        sql.SQL(
            "insert into quality.claimed_clients (tenant_id, client_id) select distinct tenant_id, client_id "
            "from ({}) as dependents where tenant_id is not null and client_id is not null "
            "on conflict (tenant_id, client_id) do nothing"
        ).format(sql.SQL(" union all ").join(parts))
    )
    connection.execute("analyze quality.claimed_clients")


def _list_inspections() -> list[Inspection]:
    """How those tables are looked at that tell the checks what changed; of others every row is."""
    return [
        inspection for inspection in get_standard().inspections if find_labelled(inspection.table)[0].has_own_triggers
    ]


def _find_links() -> list[sql.Composable]:
    """Clients whose rows hung on each other's when they were last looked at."""
    link = sql.SQL(
        "select links.{}, links.{} from quality.client_links as links "
        "where (links.{}, links.{}) in (select tenant_id, client_id from quality.claimed_clients)"
    )
    near, far = ("tenant_id", "client_id"), ("linked_tenant_id", "linked_client_id")
    return [link.format(*map(sql.Identifier, (*one, *other))) for one, other in ((near, far), (far, near))]


def _find_neighbours(shape: Shape, inspection: Inspection, lookup: Lookup) -> list[sql.Composable]:
    """Clients whose rows hang on each other's now."""
    column = lookup.on.removeprefix("rows.")
    if not shape.has(inspection.table, column):
        return []
    near = (inspection.table, str(inspection.client).removeprefix("rows."), column)
    far = (lookup.table, str(lookup.client), lookup.key)
    return [_join_claimed(near, far), _join_claimed(far, near)]


def _join_claimed(mine: tuple[str, str, str], theirs: tuple[str, str, str]) -> sql.Composable:
    """Clients whose rows have a claimed client's key; each side is a table, its client's column and its key's."""
    return sql.SQL(
        "select theirs.tenant_id, theirs.{their_client} from quality.claimed_clients as claimed "
        "join {mine} as mine on mine.tenant_id = claimed.tenant_id and mine.{my_client} = claimed.client_id "
        "join {theirs} as theirs on mine.{my_key} = theirs.{their_key} "
        "where theirs.{their_client} <> mine.{my_client} or theirs.tenant_id <> mine.tenant_id"
    ).format(
        mine=_name_table(mine[0]), my_client=sql.Identifier(mine[1]), my_key=sql.Identifier(mine[2]),
        theirs=_name_table(theirs[0]), their_client=sql.Identifier(theirs[1]),
        their_key=sql.Identifier(theirs[2]),
    )  # fmt: skip


def _find_twins(table: str, client: str, tally: Tally) -> sql.Composable:
    """Clients whose rows share what ought to be unique with a claimed client's rows."""
    column = sql.Identifier(client.removeprefix("rows."))
    same = sql.SQL(" and ").join(
        sql.SQL("mine.{} = theirs.{}").format(sql.Identifier(key), sql.Identifier(key)) for key in tally.keys
    )
    return sql.SQL(
        "select theirs.tenant_id, theirs.{column} from quality.claimed_clients as claimed "
        "join {table} as mine on mine.tenant_id = claimed.tenant_id and mine.{column} = claimed.client_id "
        "join {table} as theirs on {same}"
    ).format(column=column, table=_name_table(table), same=same)


def _name_table(label: str) -> sql.Identifier:
    system, table = find_labelled(label)
    return sql.Identifier(system.raw_schema, table.name)


def _exists(connection: psycopg.Connection[Any], relation: str) -> bool:
    found = connection.execute("select to_regclass(%s) is not null", (relation,)).fetchone()
    return bool(found and found[0])
