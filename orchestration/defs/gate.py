"""The raw tables and the gate in front of them: every rule of the data standard is a check on its raw table.

A rule that rows break stops nothing by itself: such rows are marked or set aside, and the marts are right without them
(REQUIREMENTS B5). What stops what is downstream of a raw table is the check `can_be_built_from`.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import dagster as dg

from agentp import pipeline
from agentp.database import open_connection
from agentp.errors import AgentpError
from agentp.settings import Settings
from expectations.arrivals import read_arrivals
from expectations.verdicts import Verdict
from orchestration.faults import is_passing
from orchestration.history import CheckResult
from orchestration.manifest import read_rules
from orchestration.targets import Target
from orchestration.translation import OWNER, name_raw_table
from sources.raw_tables import find_missing_tables, owns_raw_tables
from systems.registry import list_labels, list_systems

READABLE = "can_be_built_from"
USUAL = "arrives_as_usual"
KEPT = {
    "runs": "One row per run of the gate.",
    "rules": "One row per rule of the data standard.",
    "rule_results": "One row per salon, rule and run of the gate: rows seen, rows that break the rule, examples by id.",
    "rows_set_aside": "One row per raw row that stays out of the marts until it is repaired.",
}


def build_gate(settings: Settings) -> dg.AssetsDefinition:
    """Return the gate: the tables it keeps, and the checks it makes on raw tables."""
    raw = [dg.AssetKey(name_raw_table(label)) for label in list_labels()]
    blocking = settings.blocking_rules.split()
    checks = [
        dg.AssetCheckSpec(
            rule.rule_id.replace(".", "__"), asset=dg.AssetKey(name_raw_table(rule.table_name)),
            description=rule.meaning,
            metadata={"rule": rule.rule_id, "section": rule.section, "severity": rule.level, "action": rule.action},
        )
        for rule in read_rules(settings)
    ]  # fmt: skip
    checks += [
        dg.AssetCheckSpec(
            READABLE, asset=key, blocking=True,
            description="The table has the columns and types that models need"
            + (f", and none of its rules among {', '.join(blocking)} is broken." if blocking else "."),
        )
        for key in raw
    ]  # fmt: skip
    checks += [
        dg.AssetCheckSpec(
            USUAL, asset=dg.AssetKey(name_raw_table(table)),
            description=f"No salon's {' and '.join(measures).replace('_', ' ')} are out of what is usual for it.",
        )
        for table, measures in _list_measures().items()
    ]  # fmt: skip

    @dg.multi_asset(
        name="data_standard", can_subset=True, check_specs=checks, required_resource_keys={"target"},
        description="Judge the raw rows that changed against the data standard; set aside what cannot be built from.",
        specs=[
            dg.AssetSpec(
                dg.AssetKey(["quality", name]), deps=raw, description=meaning, group_name="gate", owners=[OWNER],
                kinds={"greatexpectations", "postgres"}, skippable=True,
            )
            for name, meaning in KEPT.items()
        ],
        allow_arbitrary_check_specs=True,
    )  # fmt: skip
    def data_standard(context: dg.AssetExecutionContext) -> Iterator[Any]:
        target: Target = context.resources.target
        with target.run_step(context):
            refusal = _migrate(context, target) if target.is_migrated else None
            verdict = target.listener.check(target.settings, target.url, as_of=target.as_of)
            target.listener.results["verdict"] = verdict
            if refusal is not None and not verdict.unreadable:
                raise refusal
            results = list(judge(verdict, blocking=target.settings.blocking_rules.split()))
            target.keep_checks(result for result, _ in results)
            yield from _describe_tables(context, verdict, arrivals=_find_arrivals(target))
            for result, metadata in results:
                key = dg.AssetKey(result.asset.split("."))
                if dg.AssetCheckKey(key, result.check_name) in context.selected_asset_check_keys:
                    severity = (
                        dg.AssetCheckSeverity.ERROR if result.severity == "critical" else dg.AssetCheckSeverity.WARN
                    )
                    yield dg.AssetCheckResult(
                        asset_key=key, check_name=result.check_name, passed=result.has_passed, severity=severity,
                        metadata=metadata,
                    )  # fmt: skip

    return data_standard


def judge(verdict: Verdict, *, blocking: list[str]) -> Iterator[tuple[CheckResult, dict[str, Any]]]:
    """Yield a verdict as results of checks, each with what Dagster shows beside it: counts, and rows by their ids."""
    broken: dict[str, list[str]] = {}
    for result in verdict.results:
        if result.is_broken and result.rule_id in blocking:
            broken.setdefault(result.table, []).append(f"{result.rule_id} is broken")
        yield (
            CheckResult(
                asset=".".join(name_raw_table(result.table)), check_name=result.rule_id.replace(".", "__"),
                severity=result.severity,
                is_blocking=False, has_passed=not result.is_broken, rows_failed=result.rows_failed,
            ),
            {
                "rows_failed": result.rows_failed, "rows_seen": result.rows_seen, "tenants": result.tenants_failed,
                "action": result.action, "examples": list(result.examples),
            },
        )  # fmt: skip
    for table in list_labels():
        faults = verdict.find_faults(table) + broken.get(table, [])
        yield (
            CheckResult(
                asset=".".join(name_raw_table(table)), check_name=READABLE, severity="critical", is_blocking=True,
                has_passed=not faults, rows_failed=None,
            ),
            {"faults": faults},
        )  # fmt: skip
    for table, measures in _list_measures().items():
        found = [finding for finding in verdict.unusual if finding.measure in measures]
        yield (
            CheckResult(
                asset=".".join(name_raw_table(table)), check_name=USUAL, severity="warning", is_blocking=False,
                has_passed=not found, rows_failed=len(found),
            ),
            {"findings": [f"{finding.tenant_id} {finding.day} {finding.measure}" for finding in found[:20]]},
        )  # fmt: skip


def _list_measures() -> dict[str, tuple[str, ...]]:
    """By the tables that are watched for what no fixed rule catches: what is counted, and silences (`activity`)."""
    from expectations.activity import SILENCE
    from expectations.standard import get_standard

    return {
        watched.table: (*watched.measures, *([SILENCE] if watched.has_silences else []))
        for watched in get_standard().watched
    }


def _migrate(context: dg.AssetExecutionContext, target: Target) -> AgentpError | None:
    """Migrate, and return what kept from it: tables of another shape do, and the gate says better what is wrong.

    A login that may only read the raw tables leaves them as they are (access/builder.sql): their owner migrates them.
    No run makes a raw table: one that is missing was lost, and an empty one in its place would empty the marts.
    """
    with open_connection(target.url) as connection:
        systems = list_systems()
        if missing := [name for system in systems for name in find_missing_tables(connection, system)]:
            context.log.error(f"The raw tables are not migrated: {', '.join(missing)} are missing.")
            return None
        if not all(owns_raw_tables(connection, system) for system in systems):
            context.log.info("The raw tables are somebody else's to migrate.")
            return None
    try:
        warnings = pipeline.migrate(
            target.url, with_change_tracking=True, report=target.listener.note, is_creating=False
        )  # fmt: skip
    except AgentpError as error:
        if is_passing(error):
            raise
        return error
    for warning in warnings:
        context.log.warning(warning)
    return None


def _find_arrivals(target: Target) -> dict[str, datetime]:
    with open_connection(target.url) as connection:
        return read_arrivals(connection, present=pipeline.find_last_moment(target.as_of))


def _describe_tables(
    context: dg.AssetExecutionContext, verdict: Verdict, *, arrivals: dict[str, datetime]
) -> Iterator[Any]:
    """The tables that the gate keeps as renewed, and what it saw of the raw tables as observations."""
    seen = verdict.count_rows()
    for table in list_labels():
        metadata: dict[str, Any] = {"faults": verdict.find_faults(table)}
        if table in seen:
            metadata["dagster/row_count"] = seen[table]
        if table in arrivals:
            metadata["dagster/last_updated_timestamp"] = dg.MetadataValue.timestamp(arrivals[table].timestamp())
        context.log_event(dg.AssetObservation(dg.AssetKey(name_raw_table(table)), metadata=metadata))
    for name in KEPT:
        key = dg.AssetKey(["quality", name])
        if key in context.selected_asset_keys:
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={
                    "outcome": verdict.outcome, "rows_looked_at": verdict.rows_looked_at, "run_id": verdict.run_id,
                    "rows_set_aside": verdict.rows_set_aside, "looked_at_every_row": verdict.is_full,
                },
            )  # fmt: skip
