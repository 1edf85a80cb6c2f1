"""What goes back to the bot: memories and messages (`agentp activate`), and the reaction to wishes."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration.targets import Target
from orchestration.translation import OWNER

READ = (
    ["dashboard", "win_back"], ["dashboard", "slot_offers"], ["dashboard", "clients"], ["dashboard", "persons"],
    ["dashboard", "tenant_settings"], ["scoring", "client_scores"],
)  # fmt: skip


def build_messages() -> dg.AssetsDefinition:
    """Return the step that writes churn figures to the bot's memories and queues messages, each once."""
    deps = [dg.AssetKey(list(key)) for key in READ]

    @dg.multi_asset(
        name="activation", can_subset=False, required_resource_keys={"target"},
        description="Write churn figures to the bot's memories and queue win-back and slot-offer messages, each once.",
        specs=[
            dg.AssetSpec(
                dg.AssetKey(["dashboard", "outbox"]), deps=deps, group_name="activation", owners=[OWNER],
                description="One row per message for the bot, or candidate held out.", kinds={"python", "postgres"},
            ),
            dg.AssetSpec(
                dg.AssetKey(["activation", "memories"]), deps=deps, group_name="activation", owners=[OWNER],
                description="The churn columns of user_ltm_v2, written where they differ (seed 02).",
                kinds={"python", "postgres"},
            ),
        ],
    )  # fmt: skip
    def activation(context: dg.AssetExecutionContext) -> Iterator[Any]:
        from activation.runs import activate
        from agentp.activating import read_present

        target: Target = context.resources.target
        with target.run_step(context):
            report = activate(
                target.url, as_of=read_present(target.as_of), is_applied=True, announce=target.listener.note
            )
            queues = report.outbox.queues
            yield dg.MaterializeResult(
                asset_key=["dashboard", "outbox"],
                metadata={
                    name: sum(getattr(queue, name) for queue in queues)
                    for name in ("queued", "held_out", "withdrawn", "expired")
                },
            )  # fmt: skip
            yield dg.MaterializeResult(
                asset_key=["activation", "memories"], metadata={"rows_updated": report.memories.changed}
            )

    return activation
