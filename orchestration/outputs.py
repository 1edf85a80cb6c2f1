"""What a step hands on: a model whose tests found something critical is told of, and handed on to nobody.

Dagster skips the steps that wait for an output that never comes; that is how a failure stops what is downstream of it
and only that, although one step builds many models. The step itself fails as well, because its blocking checks did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import dagster as dg

from orchestration.history import CheckResult


class Withholding:
    """Sorts a step's events: an output waits for the checks on it and for what it reads, and goes out before them.

    ``awaited`` are the checks that this step makes, ``blocking`` those whose failure keeps the output back, and with it
    whatever of this step reads it.
    """

    def __init__(
        self, context: dg.AssetExecutionContext, *, awaited: Iterable[dg.AssetCheckKey],
        blocking: Collection[dg.AssetCheckKey],
    ) -> None:  # fmt: skip
        self._context = context
        self._blocking = blocking
        self._awaited: dict[dg.AssetKey, set[dg.AssetCheckKey]] = {}
        for check in awaited:
            self._awaited.setdefault(check.asset_key, set()).add(check)
        self._keys = {key.to_python_identifier(): key for key in context.assets_def.keys}
        self._reads = {
            key: {parent for parent in parents if parent in context.selected_asset_keys and parent != key}
            for key, parents in context.assets_def.asset_deps.items()
        }
        self._outputs: dict[dg.AssetKey, dg.Output[Any]] = {}
        self._results: dict[dg.AssetCheckKey, dg.AssetCheckResult] = {}
        self._is_handed_on: dict[dg.AssetKey, bool] = {}

    def sort(self, events: Iterable[Any]) -> Iterator[Any]:
        """Yield the events in an order that Dagster understands; keep outputs back where they must not be used."""
        for event in events:
            if isinstance(event, dg.Output):
                key = self._keys[event.output_name]
                if key in self._context.selected_asset_keys:
                    self._outputs[key] = event
                else:
                    self._context.log_event(dg.AssetMaterialization(key, metadata=event.metadata))
            elif isinstance(event, dg.AssetCheckResult) and event.asset_key and event.check_name:
                self._results[dg.AssetCheckKey(event.asset_key, event.check_name)] = event
            else:
                yield event
            yield from self._release(is_over=False)
        # Tests that were skipped leave their model untested: what is downstream of it waits for a run that tests it.
        yield from self._release(is_over=True)
        yield from (result for check, result in self._results.items() if check.asset_key not in self._is_handed_on)

    def list_results(self) -> list[CheckResult]:
        """Return the results of all checks so far, for BI."""
        results = []
        for check, event in self._results.items():
            failed: Any = (event.metadata or {}).get("dagster_dbt/failed_row_count")
            results.append(
                CheckResult(
                    asset=".".join(check.asset_key.path), check_name=check.name,
                    severity="critical" if check in self._blocking else "warning",
                    is_blocking=check in self._blocking, has_passed=bool(event.passed),
                    rows_failed=getattr(failed, "value", failed),
                )
            )  # fmt: skip
        return results

    def _release(self, *, is_over: bool) -> Iterator[Any]:
        """Hand on what is ready, parents first, as long as anything is."""
        while ready := [key for key in self._outputs if is_over or self._is_ready(key)]:
            # Where all is over, those first whose parents are settled: there is always one, the graph has no circle.
            key = next((key for key in ready if not self._reads[key] & self._outputs.keys()), ready[0])
            yield from self._settle(key)

    def _is_ready(self, key: dg.AssetKey) -> bool:
        return self._awaited.get(key, set()) <= self._results.keys() and self._reads[key] <= self._is_handed_on.keys()

    def _settle(self, key: dg.AssetKey) -> Iterator[Any]:
        output = self._outputs.pop(key)
        checks = sorted(self._awaited.get(key, set()), key=str)
        found = {check: self._results[check] for check in checks if check in self._results}
        passed = all(result.passed for check, result in found.items() if check in self._blocking)
        is_good = (
            passed
            and len(found) == len(checks)
            and all(self._is_handed_on.get(parent, False) for parent in self._reads[key])
        )
        self._is_handed_on[key] = is_good
        if is_good:
            yield output
        else:
            self._context.log_event(dg.AssetMaterialization(key, metadata=output.metadata))
            self._context.log.warning(f"{key.to_user_string()} is built, and what is downstream of it is not.")
        yield from found.values()
