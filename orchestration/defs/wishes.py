"""The reaction to wishes (REQUIREMENTS C10, C13, D1): a sensor that looks every half minute, and the step it asks."""

import dagster as dg

from activation.wishes import look_for_wishes, react_to_wishes
from agentp.activating import read_present
from agentp.database import open_connection, resolve_url
from agentp.errors import RawTablesError
from agentp.settings import read_settings
from orchestration.tags import CURSOR, WISHES
from orchestration.targets import Target
from orchestration.translation import OWNER, name_raw_table

SECONDS = 30
"""Between two looks: a wish is reacted to within a minute, the start of a run included."""
UNFINISHED = (
    dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
)  # fmt: skip


def build_wishes() -> dg.AssetsDefinition:
    """Return the step that reacts to wishes; offers are queued where the settings switch messages on."""

    @dg.multi_asset(
        name="wish_reactions", required_resource_keys={"target"},
        description="React to wishes that are new, changed or gone since the last reaction, each once.",
        specs=[
            dg.AssetSpec(
                dg.AssetKey(["dashboard", "wish_reactions"]), group_name="activation", owners=[OWNER],
                deps=[name_raw_table("wishlist_v2"), ["dashboard", "waitlist_matches"], ["dashboard", "slot_offers"]],
                description="One row per wish: as what it was reacted to last, when, and what matched it.",
                kinds={"python", "postgres"},
            )
        ],
    )  # fmt: skip
    def wish_reactions(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        target: Target = context.resources.target
        with target.run_step(context):
            report = react_to_wishes(
                target.url, as_of=read_present(target.as_of), cursor=context.run.tags.get(CURSOR) or None,
                is_applied=target.settings.activation, announce=target.listener.note,
            )  # fmt: skip
            return dg.MaterializeResult(
                metadata={
                    "wishes": report.wishes, "new": report.new, "changed": report.changed, "deleted": report.deleted,
                    "matches": report.matches, "offers_queued": report.offers_queued,
                    "offers_ended": report.offers_ended, "obstacle": report.obstacle or "none",
                }
            )  # fmt: skip

    return wish_reactions


def build_wish_sensor() -> dg.SensorDefinition:
    """Return the sensor that asks for a reaction while wishes await one.

    Its cursor only spares looking at wishes that were reacted to; whether one was, says `dashboard.wish_reactions`. So
    a cursor that is lost, or a run that dies, costs nothing, and no wish is missed or reacted to twice.
    """

    @dg.sensor(
        name="wish_sensor", job_name=WISHES, minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ask for a reaction to wishes that are new, changed or gone.",
    )  # fmt: skip
    def wish_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        waiting = context.instance.get_runs_count(dg.RunsFilter(job_name=WISHES, statuses=list(UNFINISHED)))
        if waiting:
            return dg.SkipReason("A reaction is under way; what it leaves is found by the next look.")
        try:
            with open_connection(resolve_url(read_settings())) as connection:
                tick = look_for_wishes(connection, context.cursor or None)
        except RawTablesError as error:
            return dg.SkipReason(str(error))
        seen = context.cursor or ""
        context.update_cursor(tick.cursor or "")
        if tick.changed == 0:
            return dg.SkipReason("A reaction is at work." if tick.is_busy else "No wish is new, changed or gone.")
        return dg.RunRequest(tags={CURSOR: seen})

    return wish_sensor
