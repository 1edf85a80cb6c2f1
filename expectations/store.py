"""What the gate keeps in schema `quality`: runs, results, rows set aside, and how things stand."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from expectations.looks import EXAMPLES
from expectations.schema import NOBODY
from expectations.shapes import find_unreadable_tables, read_shape
from expectations.standard import compute_standard, get_standard, list_rules
from systems.registry import find_labelled, list_labels, list_systems

STANDING = (("client_rows", "scratch_rows"), ("client_failures", "scratch_failures"), ("client_links", "scratch_links"))
"""What stands, and the scratch table that replaces it."""
SCRATCH = ("scratch_rows", "scratch_failures", "scratch_links", "scratch_set_aside")


def open_run(connection: psycopg.Connection[Any], *, present: datetime, is_full: bool) -> int:
    """Begin a run: note it, close what died, empty the scratch tables. Call under the build lock."""
    connection.execute(
        "update quality.runs set outcome = 'died', finished_at = clock_timestamp() where outcome = 'running'"
    )
    connection.execute(
        sql.SQL("truncate {}").format(sql.SQL(", ").join(sql.Identifier("quality", name) for name in SCRATCH))
    )
    row = connection.execute(
        "insert into quality.runs (present, is_full, standard) values (%s, %s, %s) returning run_id",
        (present, is_full, _identify_standard(connection)),
    ).fetchone()
    if row is None:
        raise AssertionError("an insert that returns gave no row")
    return int(row[0])


def stands_for_this_standard(connection: psycopg.Connection[Any]) -> bool:
    """Whether how things stand was found by the rules and columns of today, so that a run may look at changes only."""
    row = connection.execute(
        "select standard from quality.runs where outcome in ('passed', 'warned', 'failed') order by run_id desc limit 1"
    ).fetchone()
    return row is not None and row[0] == _identify_standard(connection)


def _identify_standard(connection: psycopg.Connection[Any]) -> str:
    """What verdicts depend on besides rows, and no trigger notes: the rules, absent columns, tables left unjudged."""
    shape = read_shape(connection)
    absent = [
        f"{system.prefix}{table}.{column}"
        for system in list_systems()
        for table, columns in system.columns.items()
        for column in columns
        if not shape.has(system.prefix + table, column)
    ]
    unjudged = [f"{table} judged" for table in find_unreadable_tables(shape)]
    return ", without ".join([compute_standard(), *absent, *unjudged])


def write_rules(connection: psycopg.Connection[Any]) -> None:
    """Keep the rules beside their results, for BI; rules that went keep their row as long as they have results."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into quality.rules "
            "(rule_id, table_name, section, severity, action, problem, meaning_en, meaning_ru) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (rule_id) do update set "
            "(table_name, section, severity, action, problem, meaning_en, meaning_ru) = (excluded.table_name, "
            "excluded.section, excluded.severity, excluded.action, excluded.problem, excluded.meaning_en, "
            "excluded.meaning_ru)",
            [
                (
                    rule.rule_id, rule.table_name, rule.section, rule.level, rule.action, rule.problem,
                    rule.meaning["en"], rule.meaning["ru"],
                )
                for rule in list_rules()
            ],
        )  # fmt: skip


def settle_rows(
    connection: psycopg.Connection[Any], *, run_id: int, is_full: bool, unjudged: Collection[str] = ()
) -> None:
    """Make what the passes found how things stand, and note whose rows were set aside or came back.

    Of tables that were left unjudged stands what stood before.
    """
    kept = {
        "client_rows": sql.SQL("standing.table_name = any({})").format(sql.Literal(list(unjudged))),
        "client_failures": sql.SQL("standing.rule_id = any({})").format(
            sql.Literal([rule.rule_id for rule in list_rules() if rule.table_name in unjudged])
        ),
        "client_links": sql.SQL("false"),
    }
    for name in SCRATCH:
        connection.execute(sql.SQL("analyze quality.{}").format(sql.Identifier(name)))
    for table, scratch in STANDING:
        # Tenants are looked at in every run, as rows of nobody, and so is all that tells no check what changed.
        is_looked_at = sql.SQL("({} or standing.client_id = {} and {} or {})").format(
            _is_looked_at(is_full), sql.Literal(NOBODY), _is_of(table, get_standard().tables_of_tenants),
            _is_of(table, _list_untracked()),
        )  # fmt: skip
        names = {"table": sql.Identifier("quality", table), "scratch": sql.Identifier("quality", scratch)}
        connection.execute(
            sql.SQL("delete from {table} as standing where {} and not {}").format(is_looked_at, kept[table], **names)
        )
        connection.execute(sql.SQL("insert into {table} select * from {scratch}").format(**names))
    is_looked_at = sql.SQL("(({} or {}) and standing.table_name <> all({}))").format(
        _is_looked_at(is_full), _is_of("rows_set_aside", _list_untracked()), sql.Literal(list(unjudged))
    )
    _settle_set_aside(connection, run_id=run_id, is_looked_at=is_looked_at)
    claimed = connection.execute("delete from quality.claimed_clients").rowcount
    # Nothing is locked that readers read where nothing was looked at.
    for table in ("client_rows", "client_failures", "rows_set_aside") if is_full or claimed else ():
        connection.execute(sql.SQL("analyze quality.{}").format(sql.Identifier(table)))


def _list_untracked() -> list[str]:
    """The raw tables of systems that tell no check what changed."""
    return [
        system.prefix + table.name
        for system in list_systems()
        if not system.has_own_triggers
        for table in system.tables
    ]


def _is_of(table: str, tables: Collection[str]) -> sql.Composable:
    """Which rows of what stands are about those raw tables."""
    tables = list(tables)
    if table in ("client_rows", "rows_set_aside"):
        return sql.SQL("standing.table_name = any({})").format(sql.Literal(tables))
    if table == "client_failures":
        rules = [rule.rule_id for rule in list_rules() if rule.table_name in tables]
        return sql.SQL("standing.rule_id = any({})").format(sql.Literal(rules))
    return sql.SQL("false")


def _is_looked_at(is_full: bool) -> sql.Composable:
    return sql.SQL(
        "true" if is_full else
        "(standing.tenant_id, standing.client_id) in (select tenant_id, client_id from quality.claimed_clients)"
    )  # fmt: skip


def _settle_set_aside(connection: psycopg.Connection[Any], *, run_id: int, is_looked_at: sql.Composable) -> None:
    # Two statements: a row that now names another client leaves the one and joins the other.
    connection.execute(
        sql.SQL(
            "with gone as (delete from quality.rows_set_aside as standing where {} and not exists ("
            "select 1 from quality.scratch_set_aside as found where (found.tenant_id, found.table_name, found.row_key, "
            "found.client_id) = (standing.tenant_id, standing.table_name, standing.row_key, standing.client_id)) "
            "returning tenant_id, client_id, table_name), {}"
        ).format(is_looked_at, _reconsider("gone"))
    )
    connection.execute(
        sql.SQL(
            "with kept as (insert into quality.rows_set_aside as standing "
            "(tenant_id, table_name, row_key, client_id, rule_ids, since_run_id) "
            "select tenant_id, table_name, row_key, client_id, rule_ids, %(run)s from quality.scratch_set_aside "
            "on conflict (tenant_id, table_name, row_key) do update set rule_ids = excluded.rule_ids "
            "where standing.rule_ids is distinct from excluded.rule_ids "
            "returning tenant_id, client_id, table_name), {}"
        ).format(_reconsider("kept")),
        {"run": run_id},
    )


def _reconsider(rows: str) -> sql.Composable:
    """Have the next build look anew at the clients of those rows, or, in systems without any, at their tenants."""
    return sql.SQL(
        "tenants as (insert into quality.reconsidered_tenants (source_system, tenant_id) "
        "select distinct untracked.source_system, {rows}.tenant_id from {rows} "
        "join unnest({tables}::text[], {systems}::text[]) as untracked (table_name, source_system) "
        "on {rows}.table_name = untracked.table_name on conflict (source_system, tenant_id) do nothing) "
        "insert into quality.reconsidered_clients (tenant_id, client_id) "
        "select distinct tenant_id, client_id from {rows} where table_name <> all({tables}) "
        "on conflict (tenant_id, client_id) do nothing"
    ).format(
        rows=sql.Identifier(rows), tables=sql.Literal(_list_untracked()),
        systems=sql.Literal([find_labelled(label)[0].name for label in _list_untracked()]),
    )  # fmt: skip


def write_results(
    connection: psycopg.Connection[Any], *, run_id: int, shape_faults: dict[str, list[str]],
    unjudged: Collection[str] = (),
) -> None:  # fmt: skip
    """Keep how every rule stands for every tenant, zeros included; ``shape_faults`` by rule id are nobody's.

    Rules about rows of tables that were left unjudged have no result in this run.
    """
    connection.execute(
        "insert into quality.rule_results (tenant_id, rule_id, run_id, rows_seen, rows_failed, examples) "
        "select tenants.tenant_id, rules.rule_id, %(run)s, coalesce(seen.rows_seen, 0), "
        "coalesce(failures.rows_failed, 0), coalesce(failures.examples, '[]') "
        "from (select distinct client_rows.tenant_id, tables.source_system from quality.client_rows "
        "join unnest(%(tables)s::text[], %(systems)s::text[]) as tables (table_name, source_system) "
        "on client_rows.table_name = tables.table_name) as tenants "
        "join unnest(%(tables)s::text[], %(systems)s::text[]) as judged (table_name, source_system) "
        "on tenants.source_system = judged.source_system "
        "join quality.rules on judged.table_name = rules.table_name left join ("
        "select tenant_id, table_name, sum(rows_seen)::bigint as rows_seen from quality.client_rows group by 1, 2"
        ") as seen on seen.tenant_id = tenants.tenant_id and seen.table_name = rules.table_name left join ("
        "select tenant_id, rule_id, sum(rows_failed)::bigint as rows_failed, "
        "to_jsonb((array_agg(first_key order by first_key))[1:%(examples)s]) as examples "
        "from quality.client_failures group by 1, 2) as failures "
        "on failures.tenant_id = tenants.tenant_id and failures.rule_id = rules.rule_id "
        "where rules.rule_id = any(%(rules)s)",
        {
            "run": run_id,
            "examples": EXAMPLES,
            "tables": list_labels(),
            "systems": [find_labelled(label)[0].name for label in list_labels()],
            "rules": [
                rule.rule_id
                for rule in list_rules()
                if rule.rule_id not in shape_faults and rule.table_name not in unjudged
            ],
        },
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into quality.rule_results (tenant_id, rule_id, run_id, rows_seen, rows_failed, examples) "
            "values (%s, %s, %s, 1, %s, %s)",
            [(NOBODY, rule, run_id, len(faults), Jsonb(faults)) for rule, faults in shape_faults.items()],
        )


def close_run(connection: psycopg.Connection[Any], *, run_id: int, outcome: str) -> int:
    """Note how a run ended; return how many rows it looked at."""
    row = connection.execute(
        "update quality.runs set outcome = %s, finished_at = clock_timestamp(), rows_looked_at = "
        "(select coalesce(sum(rows_seen), 0) from quality.scratch_rows) where run_id = %s returning rows_looked_at",
        (outcome, run_id),
    ).fetchone()
    return int(row[0]) if row else 0
