"""`active_sessions_v2`, the temporary sessions that old messages point at (REQUIREMENTS A1, B3)."""

from __future__ import annotations

import great_expectations as gx

from expectations.rules import expect_shape
from systems.agent_p.standard.references import expect_client, expect_tenant

TABLE = "active_sessions_v2"


def build_suite() -> gx.ExpectationSuite:
    """Return the suite; needs no context and no database."""
    return gx.ExpectationSuite(
        name=TABLE,
        expectations=[
            *expect_shape("open_sessions", section="A1"),
            *expect_tenant(
                "open_sessions", section="A1", foreign_key="A1", implies=("open_sessions.client_same_tenant",)
            ),
            *expect_client("open_sessions", section="A1", foreign_key="A1"),
        ],
    )
