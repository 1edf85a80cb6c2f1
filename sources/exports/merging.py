"""The way from a staging table into the raw table: what is equal stays untouched."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from agentp.errors import LoadError
from sources.exports.checking import (
    Connection,
    equate_columns,
    make_comparable,
)
from sources.exports.faults import CURE, tell_reason
from sources.exports.refusals import REFUSALS
from sources.exports.staged import Staged


@dataclass(frozen=True)
class Merged:
    """How many rows a merge inserted and updated."""

    inserted: int
    updated: int


def merge_rows(connection: Connection, staged: Staged, *, is_target_empty: bool) -> Merged:
    """Update the stored rows that differ, insert those that are not stored.

    A statement runs only when it has a row to change, so that no trigger sees a load without news.
    """
    try:
        if is_target_empty:
            return Merged(inserted=_insert(connection, staged, is_target_empty=True), updated=0)
        connection.execute(sql.SQL("analyze {}").format(staged.name))
        updated = _update(connection, staged)
        return Merged(inserted=_insert(connection, staged, is_target_empty=False), updated=updated)
    except REFUSALS as error:
        # What no check foresaw: an index on an expression, a trigger, a bot that wrote the same key meanwhile.
        constraint = f" (constraint {error.diag.constraint_name})" if error.diag.constraint_name else ""
        raise LoadError(
            f"{staged.export.name}: {staged.shape.table} refused a row: {tell_reason(error)}{constraint}.",
            cure=CURE,
        ) from None


def is_empty(connection: Connection, staged: Staged) -> bool:
    """Tell whether the raw table holds no row."""
    row = connection.execute(sql.SQL("select not exists (select 1 from {})").format(staged.target)).fetchone()
    return bool(row and row[0])


def _insert(connection: Connection, staged: Staged, *, is_target_empty: bool) -> int:
    values: list[sql.Composable] = []
    for name in staged.merged:
        column = staged.shape.by_name[name]
        value: sql.Composable = sql.Identifier("s", name)
        if column.is_filled and column.default is not None and name not in staged.key:
            value = sql.SQL("coalesce({}, {})").format(value, sql.SQL(column.default))
        values.append(value)
    source = sql.SQL("from {} as s").format(staged.name)
    if not is_target_empty:
        source += sql.SQL(" where not exists (select 1 from {} as t where {})").format(
            staged.target, equate_columns("s", "t", staged.key)
        )
        if not _exists(connection, source):
            return 0
    statement = sql.SQL("insert into {} ({}) overriding system value select {} {}").format(
        staged.target,
        sql.SQL(", ").join(map(sql.Identifier, staged.merged)),
        sql.SQL(", ").join(values),
        source,
    )
    return connection.execute(statement).rowcount


def _update(connection: Connection, staged: Staged) -> int:
    names = tuple(name for name in staged.merged if name not in staged.key)
    if not names:
        return 0
    values = {name: _choose_value(staged, name) for name in names}
    compare = sql.SQL(", ").join
    condition = sql.SQL("{same} and ({old}) is distinct from ({new})").format(
        same=equate_columns("s", "t", staged.key),
        old=compare(make_comparable(staged.shape, name, sql.Identifier("t", name)) for name in names),
        new=compare(make_comparable(staged.shape, name, values[name]) for name in names),
    )
    if not _exists(
        connection,
        sql.SQL("from {} as s join {} as t on true where {}").format(staged.name, staged.target, condition),
    ):
        return 0
    statement = sql.SQL("update {} as t set {} from {} as s where {}").format(
        staged.target,
        sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(name), values[name]) for name in names),
        staged.name,
        condition,
    )
    return connection.execute(statement).rowcount


def _choose_value(staged: Staged, name: str) -> sql.Composable:
    """The value a stored row gets: where an empty field means the default, it keeps what it has.

    What was kept of a reference goes only for the row itself that it points at.
    """
    mine, theirs = sql.Identifier("s", name), sql.Identifier("t", name)
    kept = staged.shape.kept_reference
    if kept is not None and name == kept.kept_as:
        if kept.column not in staged.columns:
            return sql.SQL("coalesce({}, {})").format(mine, theirs)
        return sql.SQL("coalesce({}, case when {} is null then {} end)").format(
            mine, sql.Identifier("s", kept.column), theirs
        )
    if staged.shape.by_name[name].is_filled:
        return sql.SQL("coalesce({}, {})").format(mine, theirs)
    return mine


def _exists(connection: Connection, source: sql.Composable) -> bool:
    row = connection.execute(sql.SQL("select exists (select 1 {})").format(source)).fetchone()
    return bool(row and row[0])


def advance_sequences(connection: Connection, staged: Staged) -> None:
    """Set the sequences of the file's columns past the greatest value, never back."""
    for name in staged.columns:
        owned = connection.execute(
            "select pg_get_serial_sequence(%s, %s)", (f"{staged.shape.schema}.{staged.shape.table}", name)
        ).fetchone()
        if owned is None or owned[0] is None:
            continue
        schema, sequence = owned[0].split(".", 1)
        connection.execute(
            sql.SQL(
                "select setval(%s::regclass, greatest) from (select max({column}) as greatest from {target}) as t, "
                "{sequence} as q where greatest > q.last_value or (greatest = q.last_value and not q.is_called)"
            ).format(
                column=sql.Identifier(name),
                target=staged.target,
                sequence=sql.Identifier(schema.strip('"'), sequence.strip('"')),
            ),
            (owned[0],),
        )


def drop_staging(connection: Connection, staged: Staged) -> None:
    """Give the staging table's space back before the next file."""
    connection.execute(sql.SQL("drop table {}").format(staged.name))
