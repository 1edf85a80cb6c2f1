"""`user_ltm_v2`, what a bot remembers of a client in the long run (seed 02, feature 2; REQUIREMENTS A1, A4, B3)."""

from __future__ import annotations

import great_expectations as gx

from expectations.conditions import is_object
from expectations.rules import expect_rows, expect_shape
from systems.agent_p.standard.references import expect_client, expect_tenant

TABLE = "user_ltm_v2"


def build_suite() -> gx.ExpectationSuite:
    """Return the suite; needs no context and no database."""
    return gx.ExpectationSuite(
        name=TABLE,
        expectations=[
            *expect_shape("memories", section="A1, A4"),
            *expect_tenant("memories", section="A1", foreign_key="A1", implies=("memories.client_same_tenant",)),
            *expect_client("memories", section="A1", foreign_key="A1"),
            expect_rows(
                "memories.data_is_object", section="A1", severity="warning",
                fails_when=f"not {is_object('rows.ltm_data')}",
                en="ltm_data is filled and a JSON object.", ru="ltm_data заполнена и является JSON-объектом.",
            ),
            expect_rows(
                "memories.churn_figures_in_range", section="A4", severity="warning",
                fails_when="rows.churn_risk_score not between 0 and 1 or rows.avg_visit_interval < 0",
                en="churn_risk_score lies between 0 and 1; avg_visit_interval is not negative.",
                ru="churn_risk_score лежит между 0 и 1; avg_visit_interval не отрицателен.",
            ),
        ],
    )  # fmt: skip
