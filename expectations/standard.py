"""The whole data standard: every suite, every rule, and a hash that tells one version from another."""

from __future__ import annotations

import hashlib
import json
from functools import cache

import great_expectations as gx

from expectations.rules import ExpectRowsToFollowRule, StandardExpectation
from expectations.suites import clients, memories, messages, open_sessions, sessions, tenants, wishes

SUITES = (tenants, clients, sessions, messages, wishes, open_sessions, memories)


@cache
def build_suites() -> dict[str, gx.ExpectationSuite]:
    """Return every suite by its raw table, in the order in which tables refer to one another."""
    return {suite.TABLE: suite.build_suite() for suite in SUITES}


def list_rules(table: str | None = None) -> list[StandardExpectation]:
    """Return the rules of one raw table, or of all."""
    suites = build_suites()
    return [rule for name in ([table] if table else suites) for rule in suites[name].expectations]  # type: ignore[misc]


def list_row_rules(table: str) -> list[ExpectRowsToFollowRule]:
    """Return the rules about rows of one raw table, in a fixed order."""
    return [rule for rule in list_rules(table) if isinstance(rule, ExpectRowsToFollowRule)]


def find_table(rule_id: str) -> str:
    """Return the raw table that a rule is about."""
    return next(table for table in build_suites() for rule in list_rules(table) if rule.rule_id == rule_id)


def compute_standard() -> str:
    """Return a hash of everything that verdicts depend on."""
    from expectations.inspections import INSPECTIONS

    rules = [(rule.rule_id, getattr(rule, "fails_when", ""), rule.action, rule.level) for rule in list_rules()]
    return hashlib.sha256(json.dumps([rules, repr(INSPECTIONS)]).encode()).hexdigest()
