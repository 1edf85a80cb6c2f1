"""Looking at one raw table: run its pass, keep what it found for the end of the run, answer with the verdicts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from agentp.errors import SetupError
from agentp.settings import read_limits
from expectations.passes import Look, build_failures, build_links, build_pass, build_set_aside, can_look_up, split_look
from expectations.schema import NOBODY
from expectations.shapes import read_shape
from expectations.standard import get_standard, list_row_rules
from systems.registry import get_main_system

EXAMPLES = 5
"""How many keys of failing rows a verdict names, per rule and tenant."""


def look_at_table(connection: psycopg.Connection[Any], *, table: str) -> dict[str, dict[str, Any]]:
    """Look at one table for the run that is under way; return how each of its rules stands, by rule id.

    Writes into the scratch tables of schema `quality`, in the transaction of ``connection``; where the table is read
    part by part, each part ends one before. Clients that are not looked at again stand as they stood.
    """
    run = connection.execute("select run_id, is_full from quality.runs where outcome = 'running'").fetchone()
    if run is None:
        raise SetupError("No check is under way.", cure="Run the suites through `agentp check`.")
    run_id, is_full = run
    inspection = get_standard().find_inspection(table)
    rules = list_row_rules(table)
    # Tenants are few, and who is asked about by no client is looked at every time.
    look = Look(run_id, inspection, read_shape(connection), is_scoped=not is_full and inspection.client is not None)
    looks = split_look(look, _find_ends(connection, look))
    connection.execute("drop table if exists pg_temp.scratch_pass")
    for number, part in enumerate(looks):
        _set_for_passes(connection)
        connection.execute(build_pass(part, rules, is_first=number == 0))
        if part is not look:
            # Nothing of the bots' is held from one part to the next; what was found stands in scratch tables.
            connection.commit()
    _set_for_passes(connection)
    connection.execute(
        "insert into quality.scratch_rows (tenant_id, client_id, table_name, rows_seen) "
        "select tenant_id, client_id, %s, rows_seen from scratch_pass",
        (table,),
    )
    connection.execute(build_failures(rules))
    if inspection.links:
        connection.execute(build_links(look))
    _keep_set_aside(connection, look)
    verdicts = _read_verdicts(connection, look)
    connection.execute("drop table scratch_pass")
    return verdicts


def _find_ends(connection: psycopg.Connection[Any], look: Look) -> list[UUID]:
    """Return the clients that end the parts in which a whole table is to be read, where indexes make parts quick."""
    if look.is_scoped or not look.inspection.is_read_in_parts or not can_look_up(look):
        return []
    rows = connection.execute(
        "select end_id from quality.split_clients(to_regclass(%s), %s) as end_id order by 1",
        (f"{get_main_system().raw_schema}.{get_standard().parted_by}", read_limits().batch_messages),
    ).fetchall()
    return [row[0] for row in rows]


def _set_for_passes(connection: psycopg.Connection[Any]) -> None:
    # Compiling the conditions costs more than it saves, and parallel workers each read a tally's table anew.
    for setting in ("jit = off", "max_parallel_workers_per_gather = 0", "work_mem = '64MB'"):
        connection.execute(sql.SQL("set local {}").format(sql.SQL(setting)))


def _keep_set_aside(connection: psycopg.Connection[Any], look: Look) -> None:
    rules = list_row_rules(look.inspection.table)
    listed = [rule.rule_id for rule in rules if rule.action == "set_aside"]
    found = connection.execute(
        "select count(*), coalesce(bool_or(tenant_id = %(nobody)s or client_id = %(nobody)s), false) "
        "from quality.scratch_failures where rule_id = any(%(listed)s)",
        {"listed": listed, "nobody": NOBODY},
    ).fetchone()
    if found and found[0]:
        connection.execute("analyze quality.scratch_failures")
        connection.execute(build_set_aside(look, rules, has_nobody=found[1]))


def _read_verdicts(connection: psycopg.Connection[Any], look: Look) -> dict[str, dict[str, Any]]:
    """Add what was found to what stands for the clients that were not looked at."""
    table = look.inspection.table
    rules = [rule.rule_id for rule in list_row_rules(table)]
    parameters = {"table": table, "rules": rules, "examples": EXAMPLES, "scoped": look.is_scoped}
    seen = connection.execute(
        "select coalesce(sum(rows_seen), 0)::bigint from (select rows_seen from scratch_pass union all "
        "select rows_seen from quality.client_rows as standing where %(scoped)s and table_name = %(table)s "
        "and not exists (select 1 from quality.claimed_clients as claimed where claimed.tenant_id = standing.tenant_id "
        "and claimed.client_id = standing.client_id)) as rows",
        parameters,
    ).fetchone()
    failures = connection.execute(
        "select rule_id, sum(rows_failed)::bigint, (array_agg(first_key order by first_key))[1:%(examples)s] from ("
        "select rule_id, rows_failed, first_key from quality.scratch_failures where rule_id = any(%(rules)s) union all "
        "select rule_id, rows_failed, first_key from quality.client_failures as standing where %(scoped)s "
        "and rule_id = any(%(rules)s) and not exists (select 1 from quality.claimed_clients as claimed "
        "where claimed.tenant_id = standing.tenant_id and claimed.client_id = standing.client_id)) as failures "
        "group by rule_id",
        parameters,
    ).fetchall()
    rows_seen = seen[0] if seen else 0
    verdicts = {rule: {"rows_seen": rows_seen, "rows_failed": 0, "examples": list[str]()} for rule in rules}
    for rule, failed, examples in failures:
        verdicts[rule] |= {"rows_failed": failed, "examples": examples}
    return verdicts
