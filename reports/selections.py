"""What pages select from the marts: columns, conditions, order and the most rows that a page shows."""

from __future__ import annotations

from dataclasses import dataclass

DAYS_SHOWN = 400
"""Days that daily figures are read for: a year and the month before it."""
MOST_ROWS = 20_000
"""Rows that a page and its files hold at most, the latest or the most urgent ones; `agentp export` gives all."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A select: from which relation, which columns, under which condition, in what order, how many rows at most."""

    relation: str
    columns: tuple[str, ...]
    order: str
    where: str = "tenant_id = %(tenant_id)s"
    limit: int = MOST_ROWS
    schema: str = "dashboard"


_SINCE_DAY = "tenant_id = %(tenant_id)s and day >= %(since)s"

KPIS = (
    "period_days", "measure", "currency", "period_start", "period_end", "previous_start", "previous_end", "value",
    "part_count", "whole_count", "value_low", "value_high", "previous_value", "previous_part_count",
    "previous_whole_count", "previous_value_low", "previous_value_high", "is_comparable", "presumed_count",
    "previous_presumed_count", "kind", "unit", "better",
)  # fmt: skip
DAILY = (
    "day", "is_final", "dialogs_started", "bookings", "conversion", "cancelled_bookings", "avg_response_ms",
    "median_response_ms", "p90_response_ms", "unique_persons", "new_persons", "messages", "user_messages",
    "agent_messages", "new_bookings", "moves", "cancellations",
)  # fmt: skip
FUNNEL = (
    "day", "channel", "is_final", "sessions_started", "chose_service", "chose_staff", "chose_time", "booked",
    "dropped_at_service", "dropped_at_staff", "dropped_at_time", "dropped_at_confirmation", "inferred_at_service",
    "inferred_at_staff", "inferred_at_time", "other_sessions",
)  # fmt: skip
SESSIONS = (
    "session_id", "client_id", "client_name", "channel", "started_at", "ended_at", "duration_sec", "status",
    "status_source", "intent", "summary", "drop_off_stage", "is_booked", "is_booking_cancelled", "booking_at",
    "booking_amount", "booking_currency", "messages_count", "user_messages_count", "first_response_ms", "is_inferred",
)  # fmt: skip
PERSONS = (
    "person_id", "client_name", "phone", "created_at", "favourite_staff_id", "favourite_service_id", "visits_count",
    "bookings_count", "no_shows_count", "cancellations_count", "first_visit_at", "last_visit_at", "next_booking_at",
    "avg_visit_interval", "spend_amount", "spend_currency", "avg_ticket_amount", "lifecycle", "churn_risk_score",
    "has_telegram", "has_whatsapp",
)  # fmt: skip
WIN_BACK = (
    "place", "client_id", "client_name", "phone", "segment", "last_visit_at", "days_since_last_visit", "cycle_days",
    "churn_risk_score", "churn_probability", "value_at_risk_amount", "value_currency", "visits_count",
    "favourite_staff_id", "has_consent", "reason", "reason_en",
)  # fmt: skip
WAITLIST = (
    "wish_id", "client_id", "client_name", "phone", "service_id", "service_title", "staff_id", "staff_name",
    "wished_day", "time_preference", "wish_source", "wish_comment", "waiting_since", "is_expired",
)  # fmt: skip
RISKY = (
    "booking_id", "client_id", "client_name", "phone", "visit_at", "visit_day", "service_id", "service_title",
    "staff_id", "staff_name", "booking_amount", "booking_currency", "risk_score", "value_at_risk_amount", "reason",
    "reason_en",
)  # fmt: skip
MATCHES = (
    "wish_id", "booking_id", "waiting_client_id", "waiting_client_name", "waiting_phone", "booked_client_id",
    "booked_client_name", "service_id", "service_title", "visit_at", "staff_id", "staff_name", "is_wished_staff",
    "time_preference", "waiting_since", "risk_score", "place",
)  # fmt: skip
OFFERS = (
    "wish_id", "booking_id", "client_id", "client_name", "service_id", "service_title", "visit_at", "staff_id",
    "slot_amount", "slot_currency", "waiting_since", "place",
)  # fmt: skip
RECOVERY = (
    "currency", "freed_count", "refilled_count", "recovered_count", "recovery_rate", "recovery_rate_low",
    "recovery_rate_high", "lost_amount", "recovered_amount",
)  # fmt: skip
MONTHLY = (
    "visit_month", "service_id", "service_title", "staff_id", "staff_name", "currency", "bookings_count",
    "arrived_count", "no_show_count", "cancelled_count", "unknown_count", "upcoming_count", "arrived_amount",
    "amount_missing_count",
    "presumed_count", "recorded_attendance_percent", "late_cancelled_count",
)  # fmt: skip
RETENTION = (
    "cohort_month", "measure", "window_days", "clients_count", "maturing_count", "assessable_count", "returned_count",
    "rate", "rate_low", "rate_high",
)  # fmt: skip
RATES = (
    "visit_month", "measure", "part_count", "whole_count", "rate", "rate_low", "rate_high", "attendance_count",
    "presumed_count",
)  # fmt: skip
PEERS = ("measure", "part_count", "whole_count", "rate", "rate_low", "rate_high", "peers_count", "peers_median_rate")
RESTATEMENTS = (
    "day", "measure", "currency", "first_value", "first_shown_at", "previous_value", "value", "change", "restated_at",
    "reason", "is_current",
)  # fmt: skip

SALON = {
    "kpis": Selection(relation="kpis", columns=KPIS, order="period_days, measure, currency"),
    "metrics_dailies": Selection(relation="metrics_dailies", columns=DAILY, order="day desc", where=_SINCE_DAY),
    "revenue_daily": Selection(
        relation="revenue_daily", columns=("day", "currency", "is_final", "kept_bookings", "kept_amount",
        "cancelled_bookings", "cancelled_amount", "booked_count", "booked_amount", "unknown_count", "earned_count",
        "earned_amount", "earned_recorded_amount"), order="day desc, currency", where=_SINCE_DAY,
    ),
    "funnel_daily": Selection(relation="funnel_daily", columns=FUNNEL, order="day desc, channel", where=_SINCE_DAY),
    "traffic_hourly": Selection(
        relation="traffic_hourly", columns=("day", "hour", "is_final", "sessions_started", "bookings", "user_messages"),
        order="day desc, hour", where=_SINCE_DAY,
    ),
    "sessions": Selection(relation="sessions", columns=SESSIONS, order="started_at desc, session_id"),
    "persons": Selection(relation="persons", columns=PERSONS, order="last_visit_at desc nulls last, person_id"),
    "win_back": Selection(
        relation="win_back", columns=WIN_BACK, order="place", where="tenant_id = %(tenant_id)s and is_candidate"
    ),
    "waitlist": Selection(relation="waitlist", columns=WAITLIST, order="waiting_since, wish_id"),
    "risky_slots": Selection(relation="risky_slots", columns=RISKY, order="risk_score desc, visit_at, booking_id"),
    "waitlist_matches": Selection(
        relation="waitlist_matches", columns=MATCHES, order="risk_score desc, booking_id, place"
    ),
    "slot_offers": Selection(relation="slot_offers", columns=OFFERS, order="visit_at, booking_id, place"),
    "slot_recovery": Selection(relation="slot_recovery", columns=RECOVERY, order="currency"),
    "visits_monthly": Selection(
        relation="visits_monthly", columns=MONTHLY, order="visit_month desc, service_id, staff_id, currency",
        where="tenant_id = %(tenant_id)s and visit_month >= %(since)s",
    ),
    "retention": Selection(relation="retention", columns=RETENTION, order="cohort_month desc, measure"),
    "visit_rates": Selection(relation="visit_rates", columns=RATES, order="visit_month desc, measure"),
    "peers": Selection(relation="peers", columns=PEERS, order="measure"),
    "restatements": Selection(
        relation="restatements", columns=RESTATEMENTS, order="restated_at desc, day, measure, currency", limit=2_000
    ),
}  # fmt: skip
"""What is read of a salon."""

_CHOSEN = "tenant_id = any(%(tenant_ids)s)"
CHAIN = {
    "kpis": Selection(
        relation="kpis", columns=("tenant_id", *KPIS), order="tenant_id, measure, currency",
        where="tenant_id = any(%(tenant_ids)s) and period_days = 30",
    ),
    "traffic": Selection(
        relation="metrics_dailies", columns=("tenant_id", "day", "messages", "user_messages", "dialogs_started"),
        order="tenant_id, day desc",
        where="tenant_id = any(%(tenant_ids)s) and messages > 0 "
        "and day > (select max(day) - 30 from dashboard.metrics_dailies)",
    ),
    "standard_problems": Selection(
        relation="standard_problems", columns=("tenant_id", "day", "problem", "rows_seen", "rows_failed"),
        order="day desc, tenant_id, problem", where=_CHOSEN,
    ),
    "row_accounts": Selection(
        relation="row_accounts", columns=("tenant_id", "table_name", "raw_rows", "accepted_rows", "set_aside_rows",
        "is_balanced"), order="tenant_id, table_name", where=_CHOSEN,
    ),
    "latest_results": Selection(
        schema="quality", relation="latest_results", columns=("tenant_id", "rule_id", "table_name", "severity",
        "action", "rows_seen", "rows_failed"), order="rows_failed desc, rule_id, tenant_id",
        where="tenant_id = any(%(tenant_ids)s) and rows_failed > 0",
    ),
    "rule_results": Selection(
        schema="quality", relation="rule_results", columns=("tenant_id", "rule_id", "run_id", "rows_seen",
        "rows_failed"), order="run_id desc, rule_id, tenant_id",
        where="tenant_id = any(%(tenant_ids)s) and rows_failed > 0 "
        "and run_id > (select max(run_id) - 60 from quality.runs)",
    ),
    "quality_runs": Selection(
        schema="quality", relation="runs", columns=("run_id", "started_at", "finished_at", "outcome",
        "rows_looked_at"), order="run_id desc", where="true", limit=60,
    ),
    "rules": Selection(
        schema="quality", relation="rules", columns=("rule_id", "table_name", "section", "severity", "action",
        "meaning_en", "meaning_ru"), order="rule_id", where="true",
    ),
    "run_history": Selection(
        schema="quality", relation="run_history", columns=("run_id", "job", "started_by", "as_of", "started_at",
        "finished_at", "duration_seconds", "outcome", "error", "attempts", "checks", "critical_failures", "warnings"),
        order="started_at desc", where="true", limit=200,
    ),
    "problems": Selection(
        schema="quality", relation="problems", columns=("kind", "title", "detail", "opened_at", "closed_at"),
        order="closed_at is not null, opened_at desc", where="true", limit=200,
    ),
    "restatements": Selection(
        relation="restatements", columns=("tenant_id", *RESTATEMENTS),
        order="restated_at desc, tenant_id, day, measure, currency", where=_CHOSEN, limit=5_000,
    ),
}  # fmt: skip
"""What is read across salons."""

SIGNED = tuple(
    "figures_shown" if relation == "restatements" else relation
    for relation in dict.fromkeys(["tenant_settings", *(selection.relation for selection in SALON.values()), "dialogs"])
)
"""The marts whose rows decide whether a salon's pages are made anew; of a view, the table that it reads alone."""
