"""dbt's own costs: what a process pays for a run does not grow with each, and no model is parsed for its first word."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from dbt import compilation
from dbt.adapters.base.impl import DEFAULT_BASE_BEHAVIOR_FLAGS
from dbt.contracts.graph.nodes import InjectedCTE

from agentp import dbt_costs
from agentp.dbt_costs import prepend_ctes
from agentp.project import run_dbt
from tests.support.marts import Workshop


def test_what_dbt_keeps_in_a_process_does_not_grow_with_each_run(workshop: Workshop) -> None:
    kept = []
    for _ in range(3):
        run_dbt(workshop.settings, workshop.url, "parse")
        kept.append(len(DEFAULT_BASE_BEHAVIOR_FLAGS))
    assert kept[0] == kept[1] == kept[2] > 0


def test_every_model_reads_its_ephemeral_models_as_dbt_puts_them_there(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    dbt_costs.save_costs()

    def compare(sql: str, ctes: list[InjectedCTE]) -> str:
        found = prepend_ctes(sql, ctes)
        if ctes:
            seen.append((found, dbt_costs.find_parser()(sql, ctes), dbt_costs.WITH.match(sql)))
        return found

    monkeypatch.setattr(dbt_costs, "prepend_ctes", compare)
    workshop.build_with_dbt()
    assert len(seen) > 20
    assert [pair for pair in seen if pair[0] != pair[1]] == []
    assert all(is_plain for _, _, is_plain in seen)
    monkeypatch.undo()
    dbt_costs.save_costs()
    assert compilation.inject_ctes_into_sql is prepend_ctes


@pytest.mark.parametrize(
    "sql",
    ["\n\nwith a as (select 1) select * from a", "WITH a as (select 1) select 1", "with\ta as (select 1) select 2",
     "select 'with' as word", "-- with\nwith a as (select 1) select 1", "with recursive a as (select 1) select 1",
     "withered", "with_out as (select 1)", "", "with -- a\na as (select 1) select 1", "with(select 1)"],
)  # fmt: skip
def test_ctes_are_put_in_front_as_dbt_does_it(sql: str) -> None:
    dbt_costs.save_costs()
    parse = dbt_costs.find_parser()
    ctes = [SimpleNamespace(sql=f" __dbt__cte__{name} as (\nselect 1\n)") for name in ("one", "two")]
    for chosen in (ctes, ctes[:1], []):
        assert tell(prepend_ctes, sql, chosen) == tell(parse, sql, chosen)


def tell(inject: object, sql: str, ctes: list[SimpleNamespace]) -> str:
    """What comes of it, be it an error."""
    try:
        return str(inject(sql, ctes))  # type: ignore[operator]
    except Exception as error:
        return type(error).__name__
