"""SQL is constants, or put together by psycopg.sql: names quoted by the driver, values as parameters (issue 7)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentp.settings import PROJECT_ROOT

ROOMS = ("access", "agentp", "sources", "systems", "expectations", "orchestration", "activation", "scoring", "reports")
TAKES_SQL = {"execute", "executemany", "copy", "stream", "exec_driver_sql", "read_database", "SQL"}
"""Methods whose first argument is SQL; `sql.SQL` as well, which takes whatever it is given for SQL."""


def find_strings_put_together(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and what is wrong with the first argument of calls that take SQL.

    A name is followed to whatever the same function, or the module, assigns to it.
    """
    tree = ast.parse(source)
    scopes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for scope in (tree, *scopes):
        assigned: dict[str, list[ast.expr]] = {}
        for node in ast.walk(scope):
            targets = node.targets if isinstance(node, ast.Assign) else []
            if isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
                targets = [node.target]
            for target in targets:
                value = getattr(node, "value", None)
                if isinstance(target, ast.Name) and value is not None:
                    assigned.setdefault(target.id, []).append(value)
        for node in ast.walk(scope):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args
            if is_call and node.func.attr in TAKES_SQL:  # type: ignore[attr-defined]
                for fault in sorted(set(_find_faults(node.args[0], assigned, seen=frozenset()))):  # type: ignore[attr-defined]
                    yield node.lineno, fault  # type: ignore[attr-defined]


def _find_faults(found: ast.expr, assigned: dict[str, list[ast.expr]], *, seen: frozenset[str]) -> Iterator[str]:
    if isinstance(found, ast.JoinedStr) and any(isinstance(part, ast.FormattedValue) for part in found.values):
        yield "an f-string"
    elif isinstance(found, ast.BinOp) and isinstance(found.op, ast.Mod):
        yield "%"
    elif isinstance(found, ast.BinOp):
        # Constants, and what psycopg.sql made, may be added up.
        for side in (found.left, found.right):
            yield from _find_faults(side, assigned, seen=seen)
    elif isinstance(found, ast.IfExp):
        for side in (found.body, found.orelse):
            yield from _find_faults(side, assigned, seen=seen)
    elif isinstance(found, ast.Call) and isinstance(found.func, ast.Attribute):
        inner = found.func.value
        if found.func.attr in ("format", "replace", "join", "format_map") and _is_text(inner, assigned, seen=seen):
            yield f".{found.func.attr}()"
        elif found.func.attr in ("encode", "strip", "format"):
            yield from _find_faults(inner, assigned, seen=seen)
    elif isinstance(found, ast.Name) and found.id not in seen:
        for value in assigned.get(found.id, []):
            yield from _find_faults(value, assigned, seen=seen | {found.id})


def _is_text(found: ast.expr, assigned: dict[str, list[ast.expr]], *, seen: frozenset[str]) -> bool:
    if isinstance(found, ast.Name) and found.id not in seen:
        return any(_is_text(value, assigned, seen=seen | {found.id}) for value in assigned.get(found.id, []))
    return isinstance(found, ast.JoinedStr) or (isinstance(found, ast.Constant) and isinstance(found.value, str))


def list_files() -> list[Path]:
    return [path for room in ROOMS for path in sorted((PROJECT_ROOT / room).rglob("*.py"))]


@pytest.mark.parametrize("room", ROOMS)
def test_no_sql_is_a_string_put_together(room: str) -> None:
    paths = sorted((PROJECT_ROOT / room).rglob("*.py"))
    found = [
        f"{path.relative_to(PROJECT_ROOT)}:{line}: {fault}"
        for path in paths
        for line, fault in find_strings_put_together(path.read_text(encoding="utf-8"))
    ]
    assert paths
    assert found == []


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ('c.execute(f"select {x}")', ["an f-string"]),
        ('c.execute("select " + f"{x}")', ["an f-string"]),
        ('c.execute("select %s" % x)', ["%"]),
        ('c.execute("select {}".format(x))', [".format()"]),
        ('c.copy(", ".join(names))', [".join()"]),
        ('c.execute(sql.SQL(f"select {x}").format())', ["an f-string", "an f-string"]),
        ('def f():\n    q = f"select {x}"\n    c.execute(q.encode())', ["an f-string"]),
        ('Q = "drop {}"\ndef f():\n    c.execute(Q.format(x))', [".format()"]),
        ('def f():\n    q = "a"\n    q += f"{x}"\n    c.execute(q)', ["an f-string"]),
        ('c.execute("select %s", (x,))', []),
        ('c.execute(sql.SQL("drop {}").format(sql.Identifier(x)))', []),
        ('c.execute(f"select 1")', []),
        ("c.execute(statement + sql.SQL('limit 1'))", []),
    ],
)
def test_the_rule_sees_strings_put_together(source: str, faults: list[str]) -> None:
    found = [fault for _, fault in find_strings_put_together(source)]
    assert sorted(set(found)) == sorted(set(faults))
