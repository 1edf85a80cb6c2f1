"""Churn of every client and risk of every booking ahead (`agentp score`)."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration.targets import Target
from orchestration.translation import OWNER

READ = (["dashboard", "visits"], ["dashboard", "clients"], ["dashboard", "tenant_settings"])
KEPT = {
    ("scoring", "client_scores"): ("churn", "One row per person with a visit: how likely to stay away for a cycle."),
    ("dashboard", "predictions"): ("booking", "One row per booking ahead: the risk that it falls through (seed 02)."),
    ("scoring", "booking_scores"): ("booking", "One row per booking ahead: what raises its risk most."),
    ("scoring", "model_runs"): (None, "One row per fit: how good the model was, and whether it was put in place."),
}
"""What is kept, by schema and table: the kind of score it belongs to, and what it holds."""


def build_scores() -> dg.AssetsDefinition:
    """Return the step that scores; selected without clients, it scores bookings alone."""
    deps = [dg.AssetKey(list(key)) for key in READ]

    @dg.multi_asset(
        name="scores", can_subset=True, required_resource_keys={"target"},
        description="Fit, judge and apply the models of churn and of bookings that fall through.",
        specs=[
            dg.AssetSpec(
                dg.AssetKey(list(key)), deps=deps, description=meaning, group_name="scores", owners=[OWNER],
                kinds={"python", "scipy", "postgres"}, skippable=True,
            )
            for key, (_, meaning) in KEPT.items()
        ],
    )  # fmt: skip
    def scores(context: dg.AssetExecutionContext) -> Iterator[Any]:
        from agentp.pipeline import score

        target: Target = context.resources.target
        with target.run_step(context):
            kinds = {KEPT[tuple(key.path)][0] for key in context.selected_asset_keys} - {None}
            reports = score(
                target.url, as_of=target.as_of, kinds=[str(kind) for kind in kinds], announce=target.listener.note
            )
            target.listener.results["scores"] = reports
            by_kind = {report.kind: report for report in reports}
            for key in context.selected_asset_keys:
                report = by_kind.get(str(KEPT[tuple(key.path)][0]))
                yield dg.MaterializeResult(asset_key=key, metadata=_describe(report) if report else {})

    return scores


def _describe(report: Any) -> dict[str, Any]:
    quality = {name: value for name, value in (report.quality or {}).items() if isinstance(value, int | float)}
    return {"dagster/row_count": report.rows, "is_replaced": report.is_replaced, "reason": report.reason, **quality}
