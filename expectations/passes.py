"""The one look at a raw table that all its rules share: SQL that reads every row once, whatever the rules' number.

A row's verdicts are counted per tenant and client where the rows are, so that nothing but counts and a few keys
ever leaves the database, and so that a later run can replace what it says of the clients it looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from uuid import UUID

from psycopg import sql

from expectations.inspections import Inspection, Lookup, Tally
from expectations.rules import ExpectRowsToFollowRule
from expectations.schema import NOBODY
from expectations.shapes import Shape
from systems.registry import find_labelled

NOBODY_ID = sql.SQL("{}::uuid").format(sql.Literal(NOBODY))

Rules = Sequence[ExpectRowsToFollowRule]


@dataclass(frozen=True)
class Look:
    """One run's look at one table: with which columns, and at all rows or those of `quality.claimed_clients`.

    ``run_id`` is None for a look of its own, as of the server's clock. ``part`` is a condition on rows where a look
    takes them part by part: what it leaves out another one looks at.
    """

    run_id: int | None
    inspection: Inspection
    shape: Shape
    is_scoped: bool
    part: sql.Composable | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether what its rows are judged by is looked up for each row rather than read whole."""
        return self.is_scoped or self.part is not None


def split_look(look: Look, ends: Sequence[UUID]) -> list[Look]:
    """Return looks at parts of the table, each up to one of those clients; rows of no client are in the first."""
    if look.is_scoped or look.inspection.client is None or not ends:
        return [look]
    client = sql.SQL(look.inspection.client)
    # Who is nobody is written as the first client of all there can be, and one of that id would be in another part.
    first = sql.SQL("({client} is null or {client} <= {end})").format(client=client, end=ends[0])
    others = [
        sql.SQL("{client} > {start} and {client} <= {end}").format(client=client, start=start, end=end)
        for start, end in pairwise(ends)
    ]
    last = sql.SQL("{} > {}").format(client, ends[-1])
    return [replace(look, part=part) for part in (first, *others, last)]


def can_look_up(look: Look) -> bool:
    """Whether an index finds what each row is compared with: else every part would read all of it for every row."""
    return all(
        any((tally.table, key) in look.shape.indexed_columns for key in tally.keys if key != "tenant_id")
        for tally in look.inspection.tallies
    )


def build_pass(look: Look, rules: Rules, *, is_first: bool = True) -> str:
    """Return SQL that makes `scratch_pass`: one row per tenant and client, with each rule's count and examples.

    Looks at further parts of the table add to it.
    """
    into = sql.SQL("create temporary table scratch_pass as " if is_first else "insert into scratch_pass ")
    return (into + _select_pass(look, rules)).as_string(None)


def build_verdicts(look: Look, rules: Rules, *, examples: int) -> str:
    """Return SQL that only reads: one row, the rows seen, then each rule's count and a list of examples."""
    verdicts = sql.SQL(", ").join(
        sql.SQL(
            "coalesce(sum(failed_{n}), 0)::bigint, "
            "coalesce((array_agg(first_{n} order by first_{n}) filter (where failed_{n} > 0))[1:{examples}], '{{}}')"
        ).format(n=sql.SQL(str(number)), examples=examples)
        for number in range(len(rules))
    )
    return (
        sql.SQL("select coalesce(sum(rows_seen), 0)::bigint, {} from ({}) as pass")
        .format(verdicts, _select_pass(look, rules))
        .as_string(None)
    )


def _select_pass(look: Look, rules: Rules) -> sql.Composed:
    inspection = look.inspection
    verdicts = [
        sql.SQL("({}) is true as failed_{}").format(sql.SQL(rule.fails_when), sql.SQL(str(number)))
        for number, rule in enumerate(rules)
    ]
    counts = [
        sql.SQL(
            "count(*) filter (where failed_{n}) as failed_{n}, "
            "min(label::text) filter (where failed_{n}) as first_{n}, "
            "max(label::text) filter (where failed_{n}) as last_{n}"
        ).format(n=sql.SQL(str(number)))
        for number in range(len(rules))
    ]
    return sql.SQL(
        "select tenant_id, client_id, count(*) as rows_seen, count(*) filter (where is_linked) as linked, {counts} "
        # OFFSET 0 keeps each condition from being evaluated once for every aggregate that asks for it.
        "from (select {tenant} as tenant_id, {client} as client_id, {label} as label, ({linked}) is true as is_linked, "
        "{verdicts} from {source} {scope} offset 0) as inspected group by tenant_id, client_id"
    ).format(
        counts=sql.SQL(", ").join(counts), verdicts=sql.SQL(", ").join(verdicts),
        tenant=_or_nobody(inspection.tenant), client=_or_nobody(inspection.client),
        label=sql.SQL(inspection.label), linked=sql.SQL(inspection.is_linked),
        source=_join_evidence(look), scope=_limit_scope(look),
    )  # fmt: skip


def build_failures(rules: Rules) -> str:
    """Return SQL that stores the verdicts of `scratch_pass`, one row per tenant, client and failing rule."""
    verdicts = sql.SQL(", ").join(
        sql.SQL("({}, failed_{n}, first_{n}, last_{n})").format(sql.Literal(rule.rule_id), n=sql.SQL(str(number)))
        for number, rule in enumerate(rules)
    )
    return (
        sql.SQL(
            "insert into quality.scratch_failures (tenant_id, client_id, rule_id, rows_failed, first_key, last_key) "
            "select tenant_id, client_id, rule_id, rows_failed, first_key, last_key from scratch_pass "
            "cross join lateral (values {}) as verdicts (rule_id, rows_failed, first_key, last_key) "
            "where rows_failed > 0"
        )
        .format(verdicts)
        .as_string(None)
    )


def build_set_aside(look: Look, rules: Rules, *, has_nobody: bool) -> str:
    """Return SQL that stores the keys of rows that may not reach the marts, among clients that have such rows.

    ``has_nobody`` says that some of these rows name no tenant or no client.
    """
    inspection = look.inspection
    listed = [rule for rule in rules if rule.action == "set_aside"]
    broken = sql.SQL(", ").join(
        sql.SQL("case when {} then {} end").format(sql.SQL(rule.fails_when), sql.Literal(rule.rule_id))
        for rule in listed
    )
    # Without NULLs the plain columns are compared, so that their index can be used.
    columns = [_or_nobody(inspection.tenant), _or_nobody(inspection.client)] if has_nobody else [
        sql.SQL(inspection.tenant), sql.SQL(inspection.client) if inspection.client else NOBODY_ID
    ]  # fmt: skip
    return sql.SQL(
        "insert into quality.scratch_set_aside (tenant_id, table_name, row_key, client_id, rule_ids) "
        # A table without a primary key may hold a key twice, or none.
        "select distinct on (tenant_id, row_key) "
        "tenant_id, {table}, row_key, client_id, to_jsonb(array_remove(rule_ids, null)) "
        "from (select {tenant} as tenant_id, {client} as client_id, coalesce({key}::text, '') as row_key, "
        "array[{broken}] as rule_ids "
        "from {source} where ({columns}) in (select tenant_id, client_id from quality.scratch_failures "
        "where rule_id = any({listed}))) as inspected where array_remove(rule_ids, null) <> '{{}}' "
        "order by tenant_id, row_key, client_id, rule_ids"
    ).format(
        table=sql.Literal(inspection.table), key=sql.SQL(inspection.key), broken=broken,
        tenant=_or_nobody(inspection.tenant), client=_or_nobody(inspection.client),
        source=_join_evidence(replace(look, is_scoped=not has_nobody)), columns=sql.SQL(", ").join(columns),
        listed=sql.Literal([rule.rule_id for rule in listed]),
    ).as_string(None)  # fmt: skip


def build_links(look: Look) -> str:
    """Return SQL that stores which clients' rows hang on which other clients' rows."""
    owners = sql.SQL(", ").join(
        sql.SQL("({alias}.tenant_id, {alias}.{client})").format(
            alias=sql.Identifier(lookup.alias), client=sql.Identifier(str(lookup.client))
        )
        for lookup in look.inspection.links
    )
    return (
        sql.SQL(
            "insert into quality.scratch_links (tenant_id, client_id, linked_tenant_id, linked_client_id) "
            "select distinct {tenant}, {client}, owner.tenant_id, owner.client_id from {source} "
            "cross join lateral (values {owners}) as owner (tenant_id, client_id) "
            "where ({tenant}, {client}) in (select tenant_id, client_id from scratch_pass where linked > 0) "
            "and (owner.tenant_id, owner.client_id) <> ({tenant}, {client}) "
            # Where rows are nobody's every run is a full one, so that nobody's links are not needed.
            "and owner.tenant_id is not null and owner.client_id is not null"
        )
        .format(
            tenant=sql.SQL(look.inspection.tenant),
            client=sql.SQL(look.inspection.client or ""),
            owners=owners,
            source=_join_evidence(replace(look, is_scoped=True)),
        )
        .as_string(None)
    )


def _or_nobody(expression: str | None) -> sql.Composable:
    return sql.SQL("coalesce({}, {})").format(sql.SQL(expression), NOBODY_ID) if expression else NOBODY_ID


def _limit_scope(look: Look) -> sql.Composable:
    inspection = look.inspection
    if look.part is not None:
        return sql.SQL("where {}").format(look.part)
    if not look.is_scoped:
        return sql.SQL("")
    return sql.SQL("where ({}, {}) in (select tenant_id, client_id from quality.claimed_clients)").format(
        sql.SQL(inspection.tenant), sql.SQL(inspection.client) if inspection.client else NOBODY_ID
    )


def _join_evidence(look: Look) -> sql.Composable:
    """The table with what its rules ask about: the run, whether columns are there, other rows."""
    inspection, shape = look.inspection, look.shape
    run = (
        sql.SQL("select statement_timestamp() as present")
        if look.run_id is None
        else sql.SQL("select present from quality.runs where run_id = {}").format(look.run_id)
    )
    parts: list[sql.Composable] = [
        sql.SQL("{} as rows cross join ({}) as run").format(_name_table(inspection.table, shape), run)
    ]
    if inspection.may_lack:
        lacks = sql.SQL(", ").join(
            sql.SQL("{} as {}").format(
                sql.Literal(not shape.has(inspection.table, column)), sql.Identifier(f"lacks_{column}")
            )
            for column in inspection.may_lack
        )
        parts.append(sql.SQL("cross join (select {}) as shape").format(lacks))
    parts += [_join_lookup(lookup, shape) for lookup in inspection.lookups]
    parts += [_join_tally(tally, shape, is_narrow=look.is_narrow) for tally in inspection.tallies]
    parts += [sql.SQL(join) for join in inspection.joins]
    return sql.SQL(" ").join(parts)


def _name_table(table: str, shape: Shape) -> sql.Composable:
    """The raw table, by its label; columns of the standard that it lacks are there, and empty."""
    system, named = find_labelled(table)
    absent = [column for column in system.columns[named.name].values() if not shape.has(table, column.name)]
    name = sql.Identifier(system.raw_schema, named.name)
    if not absent:
        return name
    columns = sql.SQL(", ").join(
        sql.SQL("null::{} as {}").format(sql.SQL(column.type), sql.Identifier(column.name)) for column in absent
    )
    return sql.SQL("(select raw.*, {} from {} as raw)").format(columns, name)


def _join_lookup(lookup: Lookup, shape: Shape) -> sql.Composable:
    relation = _name_table(lookup.table, shape)
    if (lookup.table, lookup.key) not in shape.unique_columns:
        # Twins must not multiply the rows that point at them.
        relation = sql.SQL("(select distinct on ({key}) * from {table} as raw order by {key}, {first})").format(
            key=sql.Identifier(lookup.key), table=relation,
            first=sql.Identifier("id" if shape.has(lookup.table, "id") else lookup.key),
        )  # fmt: skip
    return sql.SQL("left join {} as {} on {}.{} = {}").format(
        relation,
        sql.Identifier(lookup.alias),
        sql.Identifier(lookup.alias),
        sql.Identifier(lookup.key),
        sql.SQL(lookup.on),
    )


def _join_tally(tally: Tally, shape: Shape, *, is_narrow: bool) -> sql.Composable:
    alias, table = sql.Identifier(tally.alias), _name_table(tally.table, shape)
    facts = sql.SQL(", ").join(
        sql.SQL("{} as {}").format(sql.SQL(aggregate), sql.Identifier(name)) for name, aggregate in tally.facts.items()
    )
    if [(tally.table, key) for key in tally.keys if (tally.table, key) in shape.unique_columns] and tally.is_of_itself:
        # A unique index says that the row has no twin: it is all there is to count.
        return sql.SQL("cross join lateral (select {} from (select rows.*) as others) as {}").format(facts, alias)
    if is_narrow:
        same = sql.SQL(" and ").join(
            sql.SQL("others.{} = {}").format(sql.Identifier(key), sql.SQL(value)) for key, value in tally.keys.items()
        )
        return sql.SQL("left join lateral (select {} from {} as others where {}) as {} on true").format(
            facts, table, same, alias
        )
    keys = sql.SQL(", ").join(map(sql.Identifier, tally.keys))
    same = sql.SQL(" and ").join(
        sql.SQL("{}.{} = {}").format(alias, sql.Identifier(key), sql.SQL(value)) for key, value in tally.keys.items()
    )
    return sql.SQL("left join (select {}, {} from {} as others group by {}) as {} on {}").format(
        keys, facts, table, keys, alias, same
    )
