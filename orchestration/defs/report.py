"""The site of reports, as the last step of the daily run (issue 6)."""

from typing import Any

import dagster as dg

from orchestration.targets import Target
from orchestration.translation import OWNER

SITE = dg.AssetKey(["reports", "site"])
READ = (
    "dialogs", "funnel_daily", "kpis", "metrics_dailies", "peers", "persons", "restatements", "retention",
    "revenue_daily", "risky_slots", "row_accounts", "sessions", "slot_offers", "slot_recovery", "standard_problems",
    "tenant_settings", "traffic_hourly", "visit_rates", "visits_monthly", "waitlist", "waitlist_matches", "win_back",
)  # fmt: skip
"""The marts that pages show."""


def build_report() -> dg.AssetsDefinition:
    """Return the step that brings the site up to date: salons whose marts changed are rendered again."""

    @dg.asset(
        key=SITE, name=None, deps=[dg.AssetKey(["dashboard", name]) for name in READ], group_name="reports",
        owners=[OWNER], kinds={"python", "pandas"}, required_resource_keys={"target"},
        description="The site of files that salon owners and the data team open, with spreadsheets beside each page.",
    )  # fmt: skip
    def site(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        from agentp.reporting import find_folder
        from reports.audiences import Audience
        from reports.site import write_site

        target: Target = context.resources.target
        with target.run_step(context):
            settings = target.settings
            target.listener.note("Rendering reports")
            found = write_site(
                target.url, find_folder(settings), audience=Audience(settings.report_audience),
                processes=settings.threads,
            )  # fmt: skip
            target.listener.results["site"] = found
            return dg.MaterializeResult(
                metadata={
                    "path": str(found.index), "salons": found.salons, "rendered": found.rendered,
                    "removed": found.removed, "audience": settings.report_audience,
                }
            )  # fmt: skip
        raise AssertionError("run_step has let an error pass")

    return site
