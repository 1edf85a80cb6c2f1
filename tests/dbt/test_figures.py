"""Every figure of a day that somebody may have put into a report is followed when it changes afterwards."""

from __future__ import annotations

import ast
import re

import pytest

from agentp.classification import read_marts
from agentp.settings import DBT_PROJECT

MODEL = DBT_PROJECT / "models" / "agent_p" / "intermediate" / "daily" / "int_figures_published.sql"
PARTS = {
    "metrics_dailies": {
        "response_ms_sum", "response_count",
    },
    "revenue_daily": set(),
}  # fmt: skip
"""What averages and shares are made of: these stand in `restatements` themselves."""


@pytest.mark.parametrize("mart", PARTS)
def test_every_figure_of_a_day_is_published_or_part_of_one_that_is(mart: str) -> None:
    found = re.search(r"set measures = (\{.*?\})\s*-%\}", MODEL.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    published = set(ast.literal_eval(found[1])[mart])
    figures = {
        column.name
        for column in read_marts()[mart].columns
        if column.data_type in ("bigint", "integer", "numeric", "double precision")
    }
    assert figures - published - PARTS[mart] == set()
    assert published <= figures
    assert PARTS[mart] <= figures - published
