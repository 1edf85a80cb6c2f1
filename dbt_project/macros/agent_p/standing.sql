{# What `clients` and `persons` say alike of somebody, of the CTE `standing` (int_visitors_standing) that is joined by its side; who
   never booked has no row in it. #}
{% macro standing_columns() -%}
    coalesce(standing.bookings_count, 0) as bookings_count,
    coalesce(standing.visits_count, 0) as visits_count,
    coalesce(standing.visit_days_count, 0) as visit_days_count,
    coalesce(standing.no_shows_count, 0) as no_shows_count,
    coalesce(standing.cancellations_count, 0) as cancellations_count,
    coalesce(standing.moves_count, 0) as moves_count,
    coalesce(standing.upcoming_count, 0) as upcoming_count,
    coalesce(standing.unknown_count, 0) as unknown_count,
    standing.first_visit_at,
    standing.last_visit_at,
    standing.next_booking_at,
    standing.avg_visit_interval,
    standing.cadence_days,
    standing.next_expected_visit_at,
    standing.spend_amount,
    standing.spend_currency,
    standing.spend_by_currency,
    standing.avg_ticket_amount,
    coalesce(standing.lifecycle, 'prospect') as lifecycle,
    standing.churn_risk_score,
    standing.next_change_at
{%- endmacro %}
