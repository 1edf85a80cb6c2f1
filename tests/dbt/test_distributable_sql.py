"""What keeps the way to many machines open (DESIGN), held over the compiled SQL of every model."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlglot
from sqlglot import exp

from tests.dbt.conftest import Project

REFERENCE_TABLES = {"known_timezones", "rules", "runs"}
CROSS_TENANT = {"peers", "return_rates"}
"""Roll-ups over salons, of marts that are small already (DESIGN, "Rules that keep the way to many machines open")."""
FORBIDDEN_FUNCTIONS = re.compile(
    r"\b(now\s*\(|current_date|current_timestamp|current_time|localtime|localtimestamp|clock_timestamp\s*\(|"
    r"statement_timestamp\s*\(|transaction_timestamp\s*\(|timeofday\s*\(|random\s*\(|gen_random_uuid\s*\()",
    re.IGNORECASE,
)
KINDS = ("full", "scoped")


def parse(sql: str) -> exp.Expression:
    return sqlglot.parse_one(sql, read="postgres")


def find_windows_without_tenant(tree: exp.Expression) -> Iterator[str]:
    named = {}
    for select in tree.find_all(exp.Select):
        for window in select.args.get("windows") or []:
            named[window.name.lower()] = window
    for window in tree.find_all(exp.Window):
        reference = window
        while not reference.args.get("partition_by") and window.alias.lower() in named:
            if reference is named[window.alias.lower()]:
                break
            reference = named[window.alias.lower()]
        partition = reference.args.get("partition_by") or []
        if not partition or getattr(partition[0], "name", "") != "tenant_id":
            yield window.sql("postgres")


def find_joins_across(tree: exp.Expression) -> Iterator[exp.Join]:
    for join in tree.find_all(exp.Join):
        name = join.this.alias_or_name
        if name in REFERENCE_TABLES or isinstance(join.this, exp.Lateral):
            continue
        if not has_tenant_equality(join.args.get("on")):
            yield join


def find_joins_without_tenant(tree: exp.Expression) -> Iterator[str]:
    for join in find_joins_across(tree):
        yield join.sql("postgres")


def find_looks_across_that_are_not_kept(tree: exp.Expression) -> Iterator[str]:
    """What is joined across salons and is no CTE that says `materialized`: a planner may narrow it to one salon, or one
    machine's."""
    kept = {cte.alias for cte in tree.find_all(exp.CTE) if cte.args.get("materialized") is True}
    for join in find_joins_across(tree):
        select = join.find_ancestor(exp.Select)
        assert select is not None
        for table in (select.args["from_"].this, join.this):
            if table.name not in kept:
                yield table.sql("postgres")


def find_subqueries_without_tenant(tree: exp.Expression) -> Iterator[str]:
    for exists in tree.find_all(exp.Exists):
        if not has_tenant_equality(exists.this.args.get("where")):
            yield exists.sql("postgres")
    for within in tree.find_all(exp.In):
        query = within.args.get("query")
        if query is not None and "tenant_id" not in within.this.sql("postgres"):
            yield within.sql("postgres")
    for subquery in tree.find_all(exp.Subquery):
        if isinstance(subquery.parent, exp.Select | exp.Alias) and isinstance(subquery.this, exp.Select):
            if subquery.find_ancestor(exp.In) or isinstance(subquery.parent, exp.From):
                continue
            if not has_tenant_equality(subquery.this.args.get("where")):
                yield subquery.sql("postgres")


def has_tenant_equality(condition: exp.Expression | None) -> bool:
    # A salon's own row calls its tenant `id`.
    pairs = ({"tenant_id"}, {"tenant_id", "id"})
    return condition is not None and any(
        {getattr(equality.left, "name", ""), getattr(equality.right, "name", "")} in pairs
        for equality in condition.find_all(exp.EQ)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_window_starts_with_the_tenant(project: Project, kind: str) -> None:
    found = {name: list(find_windows_without_tenant(parse(sql))) for name, sql in project.compiled[kind].items()}
    assert {name: windows for name, windows in found.items() if windows} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_every_join_has_tenant_equality(project: Project, kind: str) -> None:
    found = {
        name: list(find_joins_without_tenant(parse(sql)))
        for name, sql in project.compiled[kind].items()
        if name not in CROSS_TENANT
    }
    assert {name: joins for name, joins in found.items() if joins} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_what_looks_across_salons_is_kept_whole(project: Project, kind: str) -> None:
    found = {
        name: list(find_looks_across_that_are_not_kept(parse(sql))) for name, sql in project.compiled[kind].items()
    }
    assert {name: tables for name, tables in found.items() if tables} == {}
    assert all(list(find_joins_across(parse(project.compiled[kind][name]))) for name in CROSS_TENANT)


@pytest.mark.parametrize("kind", KINDS)
def test_every_subquery_has_tenant_equality(project: Project, kind: str) -> None:
    found = {name: list(find_subqueries_without_tenant(parse(sql))) for name, sql in project.compiled[kind].items()}
    assert {name: queries for name, queries in found.items() if queries} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_asks_the_clock_or_chance(project: Project, kind: str) -> None:
    found = {name: FORBIDDEN_FUNCTIONS.findall(sql) for name, sql in project.compiled[kind].items()}
    assert {name: calls for name, calls in found.items() if calls} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_no_recursion_and_no_grouping_sets(project: Project, kind: str) -> None:
    for name, sql in project.compiled[kind].items():
        tree = parse(sql)
        assert not any(clause.recursive for clause in tree.find_all(exp.With)), name
        assert not any(tree.find_all(exp.Cube, exp.Rollup, exp.GroupingSets)), name


def test_the_checks_see_what_they_look_for() -> None:
    window = "select row_number() over (partition by client_id order by sent_at) from messages"
    named = "select count(*) over w from messages window w as (partition by client_id)"
    join = "select 1 from messages join sessions on messages.session_id = sessions.session_id"
    exists = "select 1 from messages where exists (select 1 from sessions where sessions.id = messages.id)"
    scalar = "select (select max(day) from days) from messages"
    within = "select 1 from messages where session_id in (select session_id from sessions)"
    assert list(find_windows_without_tenant(parse(window)))
    assert list(find_windows_without_tenant(parse(named)))
    assert list(find_joins_without_tenant(parse(join)))
    across = (
        "with rated as {} (select * from rates) select 1 from rated join rated as others on rated.month = others.month"
    )
    assert list(find_looks_across_that_are_not_kept(parse(across.format("")))) == ["rated", "rated AS others"]
    assert list(find_looks_across_that_are_not_kept(parse(across.format("not materialized"))))
    assert list(find_looks_across_that_are_not_kept(parse(across.format("materialized")))) == []
    assert list(find_subqueries_without_tenant(parse(exists)))
    assert list(find_subqueries_without_tenant(parse(scalar)))
    assert list(find_subqueries_without_tenant(parse(within)))
    assert FORBIDDEN_FUNCTIONS.search("where sent_at < NOW ()")
