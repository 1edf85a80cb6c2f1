"""Digests for owners (issue 6): the step that sends what is due, hour by hour."""

import dagster as dg

from orchestration.targets import Target
from orchestration.translation import OWNER

READ = ("metrics_dailies", "revenue_daily", "funnel_daily", "risky_slots", "waitlist_matches", "win_back",
        "tenant_settings")  # fmt: skip


def build_digests() -> dg.AssetsDefinition:
    """Return the step that sends digests; a salon that cannot be reached fails its own digest, not the run."""

    @dg.multi_asset(
        name="salon_digests", required_resource_keys={"target"},
        description="Send owners who asked for it what their day, and their week, was like, each once.",
        specs=[
            dg.AssetSpec(
                dg.AssetKey(["quality", "digests"]), group_name="activation", owners=[OWNER],
                deps=[["dashboard", name] for name in READ],
                description="One row per salon, kind of digest and last day: when it was sent, or why it was not.",
                kinds={"python", "postgres"},
            )
        ],
    )  # fmt: skip
    def salon_digests(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from agentp.pipeline import find_last_moment
        from orchestration.digests import send_digests

        target: Target = context.resources.target
        with target.run_step(context):
            report = send_digests(target.url, target.settings, present=find_last_moment(target.as_of))
            target.listener.results["digests"] = report
            for line in (*report.left_out, *(str(failure) for failure in report.failures)):
                context.log.warning(line)
            return dg.MaterializeResult(
                metadata={
                    "sent": report.sent, "missed": report.missed, "waiting": report.waiting,
                    "failed": len(report.failures), "obstacle": report.obstacle or "none",
                }
            )  # fmt: skip

    return salon_digests
