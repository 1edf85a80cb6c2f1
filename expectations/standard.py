"""The whole data standard: every suite, every rule, and a hash that tells one version from another."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import great_expectations as gx

from expectations.inspections import Standard, label_standard
from expectations.rules import ExpectRowsToFollowRule, StandardExpectation
from systems.registry import list_systems
from systems.system import System


def load_standard(system: System) -> Standard | None:
    """Return the standard that a system declares in its package `standard`, by its tables' own names; None without."""
    if find_spec(f"{system.package}.standard") is None:
        return None
    standard = import_module(f"{system.package}.standard").STANDARD
    assert isinstance(standard, Standard)
    return standard


def get_standard() -> Standard:
    """Return the standards of all systems that are on as one, in which tables are named by their labels.

    (`systems.registry.list_labels`.)
    """
    return _join_standards(list_systems())


@cache
def _join_standards(systems: tuple[System, ...]) -> Standard:
    standards = [(system.prefix, standard) for system in systems if (standard := load_standard(system))]
    labelled = [label_standard(standard, prefix) for prefix, standard in standards]
    return Standard(
        suites=tuple(build for standard in labelled for build in standard.suites),
        inspections=tuple(inspection for standard in labelled for inspection in standard.inspections),
        problems={name: problem for standard in labelled for name, problem in standard.problems.items()},
        watched=tuple(watched for standard in labelled for watched in standard.watched),
    )


def build_suites() -> dict[str, gx.ExpectationSuite]:
    """Return every suite by its raw table's label, in the order in which tables refer to one another."""
    return _build_suites(list_systems())


@cache
def _build_suites(systems: tuple[System, ...]) -> dict[str, gx.ExpectationSuite]:
    return {
        system.prefix + str(suite.name): suite
        for system in systems
        if (standard := load_standard(system))
        for suite in (build() for build in standard.suites)
    }


def copy_suite(table: str) -> gx.ExpectationSuite:
    """Return the suite of a raw table's label to add to a context, which takes possession of the suites it is given."""
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
