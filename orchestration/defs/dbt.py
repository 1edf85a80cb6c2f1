"""dbt's models and tests: marts, then what reads scores, then what reads messages (orchestration/graph.py)."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import dagster as dg
import psycopg
from dagster_dbt.asset_utils import build_dbt_specs

from agentp.database import open_connection
from agentp.pipeline import open_build
from agentp.project import DbtOutcome, raise_first_error, run_dbt
from orchestration.counts import read_counts
from orchestration.dbt_events import DbtStream, choose_arguments
from orchestration.defs.gate import READABLE
from orchestration.graph import Graph
from orchestration.outputs import Withholding
from orchestration.partitions import CHUNK_DAYS
from orchestration.tags import ACCEPT_REMOVALS, FULL_REFRESH
from orchestration.targets import Target


def build_models(graph: Graph, *, name: str, models: Collection[str], description: str) -> dg.AssetsDefinition:
    """Return the step that builds the models (by unique id) and runs their tests.

    A test that fails keeps what is downstream of its model from being built, and only that.
    """
    specs, checks = build_dbt_specs(
        translator=graph.translator, manifest=graph.manifest, select=" ".join(sorted(map(graph.name, models))),
        exclude="", selector="", io_manager_key=None, project=None,
    )  # fmt: skip
    nodes = {spec.key: str(spec.metadata["dagster_dbt/unique_id"]) for spec in specs}
    tests = {check.key: str(check.metadata["dagster_dbt/unique_id"]) for check in checks}
    blocking = {check.key for check in checks if check.blocking}

    @dg.multi_asset(
        name=name, description=description, specs=specs, check_specs=checks, can_subset=True,
        required_resource_keys={"target"}, backfill_policy=dg.BackfillPolicy.multi_run(CHUNK_DAYS),
        allow_arbitrary_check_specs=True,
    )  # fmt: skip
    def build(context: dg.AssetExecutionContext) -> Iterator[Any]:
        target: Target = context.resources.target
        with target.run_step(context):
            unreadable = _read_unreadable(target)
            blocked = graph.find_blocked(unreadable)
            wanted = [nodes[key] for key in context.selected_asset_keys if nodes[key] not in blocked]
            checked = {key for key in context.selected_asset_check_keys if not graph.find_parents(tests[key]) & blocked}
            if skipped := len(context.selected_asset_keys) - len(wanted):
                context.log.warning(f"{skipped} models are not built: {', '.join(unreadable)} cannot be built from.")
            if not (wanted or checked):
                return
            if target.start.days:
                # Days are summed from conversations: all of the build goes along, and is told of without being asked.
                wanted = sorted(set(nodes.values()) - blocked)
            arguments = choose_arguments([graph.name(node) for node in [*wanted, *(tests[key] for key in checked)]])
            if context.run.tags.get(FULL_REFRESH) == "true":
                arguments.append("--full-refresh")
            accept_removals = context.run.tags.get(ACCEPT_REMOVALS) == "true"
            stream = DbtStream(
                lambda hear: _run_models(
                    target, arguments, unreadable=unreadable, accept_removals=accept_removals, hear=hear
                ),
                graph=graph, context=context,
            )  # fmt: skip
            withholding = Withholding(context, awaited=checked, blocking=blocking)
            with open_connection(target.url, autocommit=True) as connection:
                yield from withholding.sort(_describe(stream, graph=graph, connection=connection))
            target.keep_checks(withholding.list_results())
            target.listener.results.setdefault("tests", []).extend(withholding.list_results())
            raise_first_error(stream.outcome)

    return build


def _run_models(
    target: Target, arguments: list[str], *, unreadable: list[str], accept_removals: bool,
    hear: Callable[[Any], None],
) -> DbtOutcome:  # fmt: skip
    # The lock belongs to dbt's thread: who consumes the events may stop doing so at any of them.
    with open_build(target.url, without=unreadable, announce=target.listener.note):
        return run_dbt(
            target.settings, target.url, *arguments, as_of=target.as_of, days=str(target.start.days or ""),
            accept_removals=accept_removals, on_finish=target.listener.note, on_event=hear,
        )  # fmt: skip


def _read_unreadable(target: Target) -> list[str]:
    """The raw tables that the gate of this run found nothing right can be built of."""
    with open_connection(target.url) as connection:
        rows = connection.execute(
            "select split_part(asset, '.', 2) from quality.check_results "
            "where run_id = %s and check_name = %s and not has_passed order by asset",
            (target.start.run_id, READABLE),
        ).fetchall()
    return [table for (table,) in rows]


def _describe(events: Iterable[Any], *, graph: Graph, connection: psycopg.Connection[Any]) -> Iterator[Any]:
    """Add to each model how many rows it holds and how many this build inserted, updated and deleted."""
    for event in events:
        if isinstance(event, dg.Output):
            node = graph.manifest["nodes"][event.metadata["unique_id"].value]
            counts = read_counts(connection, node, invocation_id=str(event.metadata["invocation_id"].value))
            yield event.with_metadata({**event.metadata, **counts})
        else:
            yield event
