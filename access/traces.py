"""Where the project's own schemas name a person, by the catalog: what is added later is found without being listed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from access.people import REMOVED, Person
from systems.registry import list_systems

SCHEMAS = ("access", "build", "change_tracking", "intermediate", "quality", "scoring")
"""Schemas of tables that are the project's, beside those of marts;
`staging`, `live` and `analysis` only show what stands elsewhere."""
QUEUES = ("build", "change_tracking")
"""Schemas whose rows tell the next build what to do: nobody touches them before it."""
PENDING = ("quality", "pending_forgettings")
LOOKS_PERSONAL = r"(^|_)(name|phone|text|comment|note|payload|summary|email)s?$"
"""Columns that are emptied in rows about the person, whatever they hold: a first name alone cannot be found."""
_TEXTS, _JSONS, _LISTS = ("text", "varchar", "bpchar"), ("json", "jsonb"), ("_uuid", "_text")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as the catalog has it; ``is_key`` says that it belongs to the primary key."""

    name: str
    type: str
    is_nullable: bool
    is_key: bool
    is_personal: bool


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A table or view; ``is_built`` says that the last whole build published it, so the next one makes it right."""

    schema: str
    name: str
    is_table: bool
    is_built: bool
    columns: tuple[Column, ...]

    @property
    def label(self) -> str:
        """The name as people write it."""
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        """The name, quoted."""
        return sql.Identifier(self.schema, self.name)

    def list_columns(self, *types: str) -> list[sql.Identifier]:
        """Return the columns of the types, by name."""
        return [sql.Identifier(column.name) for column in self.columns if column.type in types]


def read_relations(connection: psycopg.Connection[Any]) -> list[Relation]:
    """Return every table and view of the project's schemas, but for the list of who is being forgotten."""
    has_builds = connection.execute("select to_regclass('build.model_runs') is not null").fetchone()
    built = set()
    if has_builds and has_builds[0]:
        built = {row[0] for row in connection.execute(_READ_BUILT).fetchall()}
    prefixes = {system.mart_schema: system.prefix for system in list_systems()}
    rows = connection.execute(_READ_RELATIONS, (LOOKS_PERSONAL, [*SCHEMAS, *prefixes])).fetchall()
    return [
        Relation(
            schema=schema, name=name, is_table=kind in ("r", "p"),
            is_built=schema in (*prefixes, "intermediate") and prefixes.get(schema, "") + name in built,
            columns=tuple(
                Column(name=column, type=data_type, is_nullable=is_nullable, is_key=is_key, is_personal=is_personal)
                for column, data_type, is_nullable, is_key, is_personal in columns
            ),
        )
        for schema, name, kind, columns in rows
        if (schema, name) != PENDING
    ]  # fmt: skip


def count_traces(connection: psycopg.Connection[Any], person: Person, relations: Iterable[Relation]) -> dict[str, int]:
    """Return how many rows of each relation name the person; relations that do not are left out."""
    found = {}
    for relation in relations:
        row = connection.execute(
            sql.SQL("select count(*) from {} as rows where {}").format(
                relation.identifier, _names(person, relation, is_deep=not relation.is_built)
            )
        ).fetchone()
        if row and row[0]:
            found[relation.label] = int(row[0])
    return found


def erase_traces(connection: psycopg.Connection[Any], person: Person, relations: Iterable[Relation]) -> None:
    """Put nobody's id in the place of the person's, and remove what else names them; the caller commits.

    Rows stay, so that counts do; only where nobody has such a row already, the person's goes.
    """
    for relation in relations:
        if not relation.is_table:
            continue
        is_named = _names(person, relation, is_deep=True)
        assignments = _assign(person, relation)
        found = connection.execute(
            sql.SQL("select exists (select 1 from {} as rows where {})").format(relation.identifier, is_named)
        ).fetchone()
        if not (found and found[0] and assignments):
            continue
        update = sql.SQL("update {} as rows set {} where {}").format(
            relation.identifier, sql.SQL(", ").join(assignments), is_named
        )
        try:
            with connection.transaction():
                connection.execute(update)
        except psycopg.errors.UniqueViolation:
            connection.execute(
                sql.SQL("delete from {} as rows where {} or rows::text like {}").format(
                    relation.identifier, _is_about(person, relation), f"%{person.client_id}%"
                )
            )
            connection.execute(update)


def _names(person: Person, relation: Relation, *, is_deep: bool) -> sql.Composed:
    """The condition that a row, `rows`, names the person.

    What others of the salon are called as well is not looked for, nor what others of the chain are where a row is no
    salon's. In marts the id is looked for where it can stand.
    """
    words = sql.SQL("rows::text")
    parts: list[sql.Composable] = [_is_about(person, relation)]
    if any(column.name == "tenant_id" for column in relation.columns):
        parts.append(sql.SQL("rows.tenant_id = {} and ").format(person.tenant_id) + person.write_test(words))
    else:
        parts.append(person.write_test(words, is_here=False))
    if is_deep and person.is_alone:
        parts.append(sql.SQL("rows::text like {}").format(f"%{person.client_id}%"))
    return sql.SQL("({})").format(sql.SQL(" or ").join(parts))


def _is_about(person: Person, relation: Relation) -> sql.Composed:
    parts = [sql.SQL("rows.{} = {}").format(name, person.client_id) for name in relation.list_columns("uuid")]
    parts += [sql.SQL("{} = any(rows.{})").format(person.client_id, name) for name in relation.list_columns("_uuid")]
    condition = sql.SQL("({})").format(sql.SQL(" or ").join(parts)) if parts else sql.SQL("false")
    if not person.is_alone and any(column.name == "tenant_id" for column in relation.columns):
        return condition + sql.SQL(" and rows.tenant_id = {}").format(person.tenant_id)
    return sql.Composed([condition])


def _assign(person: Person, relation: Relation) -> list[sql.Composed]:
    old, new = str(person.client_id), str(person.nobody_id)
    found = []
    for column in relation.columns:
        name = sql.Identifier(column.name)
        here = sql.SQL("rows.{}").format(name)
        value: sql.Composable
        if column.type == "uuid":
            value = sql.SQL("case when {} = {} then {} else {} end").format(
                here, person.client_id, person.nobody_id, here
            )
        elif column.type in _LISTS:
            cast = sql.SQL("uuid" if column.type == "_uuid" else "text")
            value = sql.SQL("array_replace({}, {}::{}, {}::{})").format(here, old, cast, new, cast)
        elif column.type in _JSONS:
            # Of a list of examples the person's goes; elsewhere nobody's id stands in its place.
            kept = sql.SQL(
                "case when jsonb_typeof({here}::jsonb) = 'array' then {here}::jsonb - {old} else {here}::jsonb end"
            ).format(here=here, old=old)
            value = sql.SQL("({})::{}").format(
                _scrub(sql.SQL("({})::text").format(kept), person, relation, is_json=True), sql.SQL(column.type)
            )
        elif column.type in _TEXTS:
            value = _scrub(here, person, relation, is_json=False)
        else:
            continue
        if column.is_personal and not column.is_key and column.type in (*_TEXTS, *_JSONS):
            nothing = sql.SQL("null" if column.is_nullable else "'{}'" if column.type in _JSONS else "''")
            value = sql.SQL("case when {} then {} else {} end").format(_is_about(person, relation), nothing, value)
        found.append(sql.SQL("{} = {}").format(name, value))
    return found


def _scrub(text: sql.Composable, person: Person, relation: Relation, *, is_json: bool) -> sql.Composed:
    """Nobody's id for the person's, and what else names them taken out; a number in JSON stays a number."""
    is_here = any(column.name == "tenant_id" for column in relation.columns)
    value = sql.SQL("replace({}, {}, {})").format(text, str(person.client_id), str(person.nobody_id))
    for term in person.list_patterns(is_here=is_here):
        value = sql.SQL("regexp_replace({}, {}, {}, 'gi')").format(
            value, term.pattern, "0" if is_json and term.is_number else REMOVED
        )
    return value


_READ_BUILT = """
select model from build.model_runs
where invocation_id = (
    select invocation_id from build.runs where outcome = 'complete' order by finished_at desc limit 1
)
"""
_READ_RELATIONS = """
select
    n.nspname, c.relname, c.relkind::text,
    coalesce(jsonb_agg(jsonb_build_array(
        a.attname, t.typname, not a.attnotnull, coalesce(a.attnum = any(k.conkey), false), a.attname ~ %s
    ) order by a.attnum) filter (where a.attgenerated = ''), '[]')
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type as t on t.oid = a.atttypid
left join pg_constraint as k on k.conrelid = c.oid and k.contype = 'p'
where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
group by n.nspname, c.relname, c.relkind
order by n.nspname, c.relname
"""
