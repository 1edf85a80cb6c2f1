"""What one row of an export cannot show: rows that clash with each other, and references to no row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from agentp.errors import LoadError
from sources.exports.catalog import ForeignKey, Shape
from sources.exports.faults import make_fault
from sources.exports.staged import ROW, Staged

Connection = psycopg.Connection[Any]


def select_columns(alias: str, names: tuple[str, ...]) -> sql.Composable:
    """Return `alias.a, alias.b`, for a list or a row value."""
    return sql.SQL(", ").join(sql.Identifier(alias, name) for name in names)


def equate_columns(left: str, right: str, names: tuple[str, ...]) -> sql.Composable:
    """Return `left.a = right.a and …`."""
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, name), sql.Identifier(right, name)) for name in names
    )


def make_comparable(shape: Shape, name: str, value: sql.Composable) -> sql.Composable:
    """Return an expression that has an equality: plain `json` has none, its text has."""
    return sql.SQL("({})::text").format(value) if shape.by_name[name].type == "json" else value


def keep_orphans(connection: Connection, staged: Staged) -> tuple[Staged, int]:
    """Move references to rows that are not there to the column that keeps them, where the table has such a one.

    Returns the staged export, whose columns then include that one, and how many rows were moved;
    a table of an older shape is left to its ordinary foreign key.
    """
    kept, key = staged.shape.kept_reference, staged.shape.kept_key
    if kept is None or key is None or kept.column not in staged.columns:
        return staged, 0
    moved = connection.execute(
        sql.SQL(
            "update {staging} as s set {kept_as} = s.{column}, {column} = null "
            "where s.{column} is not null "
            "and not exists (select 1 from {table} as r where r.{referenced} = s.{column})"
        ).format(
            staging=staged.name,
            kept_as=sql.Identifier(kept.kept_as),
            column=sql.Identifier(kept.column),
            table=sql.Identifier(key.schema, key.table),
            referenced=sql.Identifier(key.referenced[0]),
        )
    ).rowcount
    if kept.kept_as in staged.columns:
        return staged, moved
    return Staged(staged.export, staged.shape, staged.columns, staged.rows, has_kept_reference=True), moved


def check_keys(connection: Connection, staged: Staged) -> None:
    """Refuse rows without a key: in JSON Lines a key may be missing from single rows."""
    absent = sql.SQL(" or ").join(sql.SQL("{} is null").format(sql.Identifier(name)) for name in staged.key)
    row = _find_first(connection, sql.SQL("select {row} from {staging} where {absent}"), staged, absent=absent)
    if row is not None:
        raise staged.make_row_fault(row[0], staged.key, expected="a value, because it tells rows apart")


def drop_repeated(connection: Connection, staged: Staged) -> int:
    """Refuse rows that share a key but differ, naming both lines; drop equal ones, return their number."""
    if not _has_repeated(connection, staged, staged.key):
        return 0
    repeated = _select_repeated(staged, staged.key)
    differ = sql.SQL("({}) is distinct from ({})").format(
        *(
            sql.SQL(", ").join(
                make_comparable(staged.shape, name, sql.Identifier(alias, name)) for name in staged.merged
            )
            for alias in ("s", "f")
        )
    )
    clash = _find_first(
        connection,
        sql.SQL(
            "select s.{row}, f.{row} from ({repeated}) as r join {staging} as s on s.{row} = r.later "
            "join {staging} as f on f.{row} = r.earlier where {differ}"
        ),
        staged,
        repeated=repeated,
        differ=differ,
    )
    if clash is not None:
        raise _make_clash(staged, clash, staged.key)
    return connection.execute(
        sql.SQL("delete from {staging} as s using ({repeated}) as r where s.{row} = r.later").format(
            staging=staged.name, repeated=repeated, row=sql.Identifier(ROW)
        )
    ).rowcount


def check_unique(connection: Connection, staged: Staged, *, is_target_empty: bool) -> None:
    """Refuse rows that share the values of another unique key, with each other or with a stored row."""
    for key in staged.shape.unique_keys:
        if key == staged.key or not set(staged.columns).issuperset(key):
            continue
        if _has_repeated(connection, staged, key):
            clash = _find_first(connection, _select_repeated(staged, key), staged)
            if clash is not None:
                raise _make_clash(staged, clash, key)
        if is_target_empty:
            continue
        stored = _find_first(
            connection,
            sql.SQL(
                "select s.{row} from {staging} as s join {target} as t on {same} "
                "where ({mine}) is distinct from ({theirs})"
            ),
            staged,
            same=equate_columns("s", "t", key),
            mine=select_columns("s", staged.key),
            theirs=select_columns("t", staged.key),
        )
        if stored is not None:
            where = f"in a row of {staged.shape.table} with another {', '.join(staged.key)}"
            raise staged.make_row_fault(stored[0], key, problem=_tell_stored(where))


def check_references(connection: Connection, staged: Staged) -> None:
    """Refuse rows that point at no row; the tables before this one in the folder are stored by now."""
    for key in staged.shape.foreign_keys:
        if key == staged.shape.kept_key or not set(staged.columns).issuperset(key.columns):
            continue
        row = _find_first(
            connection,
            sql.SQL(
                "select s.{row} from {staging} as s where {given} "
                "and not exists (select 1 from {referenced} as r where {same})"
            ),
            staged,
            given=sql.SQL(" and ").join(sql.SQL("s.{} is not null").format(sql.Identifier(c)) for c in key.columns),
            referenced=sql.Identifier(key.schema, key.table),
            same=sql.SQL(" and ").join(
                sql.SQL("{} = {}").format(sql.Identifier("s", mine), sql.Identifier("r", theirs))
                for mine, theirs in zip(key.columns, key.referenced, strict=True)
            ),
        )
        if row is not None:
            raise staged.make_row_fault(row[0], key.columns, problem=_tell_absent(key))


def _tell_stored(where: str) -> Callable[[str], str]:
    return lambda shown: f"{shown} is stored already, {where}"


def _tell_absent(key: ForeignKey) -> Callable[[str], str]:
    names = ", ".join(key.columns)
    return lambda shown: f"{names} {shown} is in no row of {key.table} (neither in the folder nor in the database)"


def _select_repeated(staged: Staged, key: tuple[str, ...]) -> sql.Composed:
    """Rows that share a key with an earlier row: their number, and the number of the earliest."""
    return sql.SQL(
        "select s.{row} as later, g.earlier from {staging} as s join ("
        "select min({row}) as earlier, {key} from {staging} group by {key} having count(*) > 1"
        ") as g on {same} where s.{row} <> g.earlier"
    ).format(
        row=sql.Identifier(ROW),
        staging=staged.name,
        key=sql.SQL(", ").join(map(sql.Identifier, key)),
        same=equate_columns("s", "g", key),
    )


def _has_repeated(connection: Connection, staged: Staged, key: tuple[str, ...]) -> bool:
    names = sql.SQL(", ").join(map(sql.Identifier, key))
    given = sql.SQL(" and ").join(sql.SQL("{} is not null").format(sql.Identifier(name)) for name in key)
    statement = sql.SQL(
        "select exists (select 1 from {staging} where {given} group by {key} having count(*) > 1)"
    ).format(staging=staged.name, key=names, given=given)
    row = connection.execute(statement).fetchone()
    return bool(row and row[0])


def _find_first(
    connection: Connection, statement: sql.SQL | sql.Composed, staged: Staged, **parts: sql.Composable
) -> tuple[Any, ...] | None:
    """Run a query whose first column is a row's number; return what comes first in the file."""
    if isinstance(statement, sql.SQL):
        statement = statement.format(row=sql.Identifier(ROW), staging=staged.name, target=staged.target, **parts)
    return connection.execute(statement + sql.SQL(" order by 1 limit 1")).fetchone()


def _make_clash(staged: Staged, clash: tuple[Any, ...], key: tuple[str, ...]) -> LoadError:
    later, earlier = staged.find_line(clash[0]), staged.find_line(clash[1])
    if later is None:
        return make_fault(staged.export, line=None, problem=f"two rows share {', '.join(key)}")
    what = "but differ" if key == staged.key else "which only one may have"
    return staged.make_row_fault(
        clash[0],
        key,
        problem=lambda shown: f"lines {earlier} and {later} share {', '.join(key)} {shown}, {what}",
    )
