{#- What somebody may have put into a report. Left out are the parts of averages, which stand in the marts. -#}
{%- set measures = {
    'metrics_dailies': [
        'dialogs_started', 'bookings', 'conversion', 'avg_response_ms', 'median_response_ms', 'p90_response_ms',
        'cancelled_bookings', 'unique_clients', 'new_clients', 'inferred_sessions', 'messages', 'user_messages', 'agent_messages',
        'unique_persons', 'new_persons',
        'new_bookings', 'moves', 'cancellations', 'intended_dialogs', 'intended_bookings', 'intended_conversion',
        'outreach_sessions',
    ],
    'revenue_daily': [
        'kept_bookings', 'kept_amount', 'cancelled_bookings', 'cancelled_amount', 'bookings_without_amount', 'booked_count',
        'booked_amount', 'no_show_count', 'unknown_count', 'earned_count', 'earned_amount', 'earned_recorded_amount', 'no_show_amount', 'unknown_amount',
        'earned_recorded_count', 'earned_without_amount',
    ],
} -%}

with

metrics_dailies as (

    select * from {{ ref('metrics_dailies') }}

),

revenue_daily as (

    select * from {{ ref('revenue_daily') }}

),

figures as (

    {% for mart, names in measures.items() %}
    select
        tenant_id,
        day,
        {{ 'currency' if mart == 'revenue_daily' else "''" }} as currency,
        jsonb_build_object(
            {% for name in names %}
            '{{ name }}', {{ name }}{{ ',' if not loop.last }}
            {% endfor %}
        ) as figures
    from {{ mart }}
    where is_final and {{ is_touched_day(mart) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from figures
