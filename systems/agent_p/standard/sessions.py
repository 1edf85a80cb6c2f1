"""Section 3 of the standard and its checklist: `conversation_sessions_v2`, the archived sessions."""

from __future__ import annotations

import great_expectations as gx

from expectations.rules import expect_shape, expect_short_texts
from systems.agent_p.standard.references import expect_client, expect_tenant
from systems.agent_p.standard.session_bookings import expect_bookings
from systems.agent_p.standard.session_outcomes import expect_counts, expect_outcome
from systems.agent_p.standard.session_times import expect_identity, expect_times

TABLE = "conversation_sessions_v2"


def build_suite() -> gx.ExpectationSuite:
    """Return the suite; needs no context and no database."""
    return gx.ExpectationSuite(
        name=TABLE,
        expectations=[
            *expect_shape("sessions", section="3"),
            *expect_tenant("sessions", section="3", implies=("sessions.client_same_tenant",)),
            *expect_client("sessions", section="3"),
            *expect_identity(),
            *expect_times(),
            *expect_outcome(),
            *expect_bookings(),
            *expect_counts(),
            expect_short_texts(
                "sessions",
                booking_id=200,
                channel=100,
                final_status=100,
                final_intent=100,
                booking_source=100,
                booking_status=100,
                booking_currency=100,
                final_summary=1_000_000,
            ),
        ],
    )
