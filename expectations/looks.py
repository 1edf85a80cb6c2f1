"""Looking at one raw table: run its pass, keep what it found for the end of the run, answer with the verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from agentp.settings import read_limits
from expectations.passes import (
    Look,
    build_failures,
    build_links,
    build_pass,
    build_set_aside,
    build_verdicts,
    can_look_up,
    split_look,
)
from expectations.rules import ExpectRowsToFollowRule
from expectations.schema import NOBODY
from expectations.shapes import read_shape
from expectations.standard import get_standard, list_row_rules, load_standard
from systems.registry import find_labelled

EXAMPLES = 5
"""How many keys of failing rows a verdict names, per rule and tenant."""
_RUN: ContextVar[int | None] = ContextVar("run of the gate", default=None)


@contextmanager
def looking_for(run_id: int) -> Iterator[None]:
    """Have the looks of the block be those of a run of `quality.runs` that is under way."""
    token = _RUN.set(run_id)
    try:
        yield
    finally:
        _RUN.reset(token)


def look_at_table(connection: psycopg.Connection[Any], *, table: str) -> dict[str, dict[str, Any]]:
    """Look at one table; return how each of its rules stands, by rule id.

    A look for the run of this process (`looking_for`) writes into the scratch tables of schema `quality`, in the
    transaction of ``connection``; where the table is read part by part, each part ends one before. Clients that are not
    looked at again stand as they stood. Any other look reads every row and writes nothing, so that suites work in
    anybody's checkpoint, also while a run is under way.
    """
    inspection = get_standard().find_inspection(table)
    rules = list_row_rules(table)
    run_id = _RUN.get()
    if run_id is None:
        return _read_alone(connection, Look(None, inspection, read_shape(connection), is_scoped=False), rules)
    row = connection.execute("select is_full from quality.runs where run_id = %s", (run_id,)).fetchone()
    is_full = row is None or row[0] or not find_labelled(table)[0].has_own_triggers
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


def _read_alone(
    connection: psycopg.Connection[Any], look: Look, rules: Sequence[ExpectRowsToFollowRule]
) -> dict[str, dict[str, Any]]:
    _set_for_passes(connection)
    row = connection.execute(build_verdicts(look, rules, examples=EXAMPLES)).fetchone()
    seen, *found = row or (0,)
    return {
        rule.rule_id: {"rows_seen": seen, "rows_failed": failed, "examples": list(examples)}
        for rule, failed, examples in zip(rules, found[::2], found[1::2], strict=True)
    }


def _find_ends(connection: psycopg.Connection[Any], look: Look) -> list[UUID]:
    """Return the clients that end the parts in which a whole table is to be read, where indexes make parts quick."""
    system = find_labelled(look.inspection.table)[0]
    standard = load_standard(system)
    if look.is_scoped or not look.inspection.is_read_in_parts or not can_look_up(look) or standard is None:
        return []
    rows = connection.execute(
        "select end_id from quality.split_clients(to_regclass(%s), %s) as end_id order by 1",
        (f"{system.raw_schema}.{standard.parted_by}", read_limits().batch_messages),
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
