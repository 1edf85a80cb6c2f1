"""The data standard of Agent P's raw tables, as expectations: a file a table."""

from __future__ import annotations

from expectations.inspections import Standard, Watched
from systems.agent_p.standard import clients, memories, messages, open_sessions, sessions, tenants, wishes
from systems.agent_p.standard.inspections import INSPECTIONS

PROBLEMS = {
    "session_id_null": ("`session_id = NULL`", "dialogues are not shown"),
    "wish_without_status": ("no `status` on a wish", "the waiting list cannot be filtered"),
    "wish_without_processed_at": ("no `processed_at` on a wish", "wishes cannot be cancelled or converted"),
    "key_on_active_sessions": (
        "messages whose session is in no archive",
        "the connection is lost when the session closes",
    ),
    "only_auto_closed": ("booked sessions that are not `done`", "the funnel does not work"),
}
"""The five problems of the standard's first table: what is counted, and what it does to the dashboard."""

STANDARD = Standard(
    # In the order in which tables refer to one another.
    suites=tuple(
        suite.build_suite for suite in (tenants, clients, sessions, messages, wishes, open_sessions, memories)
    ),
    inspections=INSPECTIONS,
    parted_by="recent_history_v2",
    problems=PROBLEMS,
    watched=(
        Watched(table="recent_history_v2", measures={"messages": "true"}, has_silences=True),
        Watched(table="conversation_sessions_v2", measures={"sessions": "true", "bookings": r"rows.booking_id ~ '\S'"}),
    ),
)
