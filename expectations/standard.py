"""The whole data standard: every suite, every rule, and a hash that tells one version from another."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import import_module

import great_expectations as gx

from expectations.inspections import Standard
from expectations.rules import ExpectRowsToFollowRule, StandardExpectation
from systems.registry import get_main_system
from systems.system import System


def load_standard(system: System) -> Standard:
    """Return the standard that a system declares in its package `standard`."""
    standard = import_module(f"{system.package}.standard").STANDARD
    assert isinstance(standard, Standard)
    return standard


def get_standard() -> Standard:
    """Return the standard of the system that a bare name means."""
    return load_standard(get_main_system())


def build_suites() -> dict[str, gx.ExpectationSuite]:
    """Return every suite by its raw table, in the order in which tables refer to one another."""
    return _build_suites(get_main_system().package)


@cache
def _build_suites(package: str) -> dict[str, gx.ExpectationSuite]:
    suites = [build() for build in get_standard().suites]
    return {str(suite.name): suite for suite in suites}


def copy_suite(table: str) -> gx.ExpectationSuite:
    """Return a raw table's suite to add to a context, which takes possession of the suites it is given."""
    return gx.ExpectationSuite(name=table, expectations=[rule.copy() for rule in list_rules(table)])


def list_rules(table: str | None = None) -> list[StandardExpectation]:
    """Return the rules of one raw table, or of all."""
    suites = build_suites()
    return [rule for name in ([table] if table else suites) for rule in suites[name].expectations]  # type: ignore[misc]


def list_row_rules(table: str) -> list[ExpectRowsToFollowRule]:
    """Return the rules about rows of one raw table, in a fixed order."""
    return [rule for rule in list_rules(table) if isinstance(rule, ExpectRowsToFollowRule)]


def compute_standard() -> str:
    """Return a hash of everything that verdicts depend on."""
    rules = [(rule.rule_id, getattr(rule, "fails_when", ""), rule.action, rule.level) for rule in list_rules()]
    return hashlib.sha256(json.dumps([rules, repr(get_standard().inspections)]).encode()).hexdigest()
