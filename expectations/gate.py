"""The gate before every build: run the standard, keep the verdicts, set aside what would make the marts wrong.

(REQUIREMENTS B; DESIGN, decision 5.)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from agentp.database import open_connection
from expectations.activity import watch_activity
from expectations.rules import ExpectTableShape
from expectations.schema import prepare_store
from expectations.scopes import claim_changes, close_over_dependents
from expectations.shapes import (
    Shape,
    find_shape_faults,
    find_stopping_faults,
    find_unreadable_tables,
    read_shape,
)
from expectations.standard import get_standard, list_rules
from expectations.store import (
    close_run,
    open_run,
    settle_rows,
    stands_for_this_standard,
    write_results,
    write_rules,
)
from expectations.validation import validate_tables
from expectations.verdicts import RuleResult, Verdict
from sources.sight import hold_marts

FALSE_ALARM_RATE = 0.01
"""The chance that a run finds a volume or a silence unusual although nothing is wrong (docs/decisions.md)."""


def check_standard(
    url: str,
    *,
    present: datetime | None = None,
    watched_at: datetime | None = None,
    default_timezone: str = "Europe/Moscow",
    is_full: bool = False,
    docs: Path | None = None,
    announce: Callable[[str], None] = lambda line: None,
    report: Callable[[str], None] = lambda table: None,
) -> Verdict:
    """Check the raw tables against the data standard and keep the verdict.

    ``present`` is the moment after which a time is "in the future" (default: the clock; rows are judged when they
    are looked at, whatever past day marts are built for). ``watched_at`` is the moment from which volumes and
    silences are judged (default: ``present``). A table that nothing right can be built of is left unjudged, and keeps
    nothing else from being judged, unless rows of other tables are judged by it. ``is_full`` looks at every row even
    where it is known which ones changed. All of it becomes how things stand in one transaction, or nothing does: a
    run that dies is simply run again. Raises `CheckError` when a rule could not be run.
    """
    present = present or datetime.now(UTC)
    with hold_marts(url, purpose="check", announce=announce), open_connection(url) as connection:
        prepare_store(connection)
        shape = read_shape(connection)
        unreadable = find_unreadable_tables(shape)
        is_stopped = not get_standard().asked_tables.isdisjoint(unreadable)
        tables = [table for table in _list_tables() if table in shape.types]
        unjudged = set(_list_tables()) if is_stopped else set(unreadable)
        knows_changes = claim_changes(connection) and stands_for_this_standard(connection)
        is_full = is_full or not knows_changes
        run_id = open_run(connection, present=present, is_full=is_full)
        if not is_full and not is_stopped:
            close_over_dependents(connection, shape)
        connection.commit()
        validate_tables(url, tables=tables, run_id=run_id, only_shapes=unjudged, docs=docs, announce=report)
        connection.execute("set local work_mem = '64MB'")
        write_rules(connection)
        if not is_stopped:
            settle_rows(connection, run_id=run_id, is_full=is_full, unjudged=unjudged)
        faults = _find_faults_by_rule(shape)
        write_results(connection, run_id=run_id, shape_faults=faults, unjudged=() if is_stopped else unjudged)
        results = _read_results(connection, run_id, unjudged=unjudged)
        outcome = "stopped" if is_stopped else _judge(results)
        looked_at = close_run(connection, run_id=run_id, outcome=outcome)
        set_aside = connection.execute("select count(*) from quality.rows_set_aside").fetchone()
        connection.commit()
        unusual = () if is_stopped else watch_activity(
            connection, run_id=run_id, present=watched_at or present, default_timezone=default_timezone,
            alpha=FALSE_ALARM_RATE,
        )  # fmt: skip
        connection.commit()
    return Verdict(
        run_id=run_id, outcome=outcome, is_full=is_full, rows_looked_at=looked_at,
        rows_set_aside=set_aside[0] if set_aside else 0, results=results, stopping=tuple(find_stopping_faults(shape)),
        unusual=tuple(unusual), unreadable=tuple(unreadable),
    )  # fmt: skip


def _list_tables() -> list[str]:
    return list(dict.fromkeys(rule.table_name for rule in list_rules()))


def _find_faults_by_rule(shape: Shape) -> dict[str, list[str]]:
    return {
        rule.rule_id: find_shape_faults(rule.table_name, shape).get(rule.aspect, [])
        for rule in list_rules()
        if isinstance(rule, ExpectTableShape)
    }


def _judge(results: tuple[RuleResult, ...]) -> str:
    broken = {result.severity for result in results if result.is_broken}
    return "failed" if "critical" in broken else "warned" if broken else "passed"


def _read_results(connection: psycopg.Connection[Any], run_id: int, *, unjudged: set[str]) -> tuple[RuleResult, ...]:
    rows = connection.execute(
        "select rule_id, sum(rows_seen)::bigint, sum(rows_failed)::bigint, count(*) filter (where rows_failed > 0), "
        "(array_agg(example order by example) filter (where example is not null))[1:5] "
        "from quality.rule_results cross join lateral (select examples ->> 0 as example) as first_example "
        "where run_id = %s group by rule_id",
        (run_id,),
    ).fetchall()
    found = {rule: (seen, failed, tenants, tuple(examples or ())) for rule, seen, failed, tenants, examples in rows}
    results = []
    for rule in list_rules():
        if rule.table_name in unjudged and not isinstance(rule, ExpectTableShape):
            continue
        texts = (rule.rule_id, rule.table_name, rule.level, rule.action, rule.meaning)
        counts = found.get(rule.rule_id, (0, 0, 0, ()))
        results.append(RuleResult(*texts, *counts, is_about_shape=isinstance(rule, ExpectTableShape)))
    return tuple(results)
