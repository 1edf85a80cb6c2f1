{# What a measure of `kpis` is in; one that is not here has no unit, which the contract refuses. #}
{% macro unit_of(measure) -%}
    case
        when {{ measure }} in (
            'dialogs', 'bookings', 'bot_bookings', 'kept_bookings', 'cancelled_bookings', 'unknown_bookings', 'moves',
            'unique_clients', 'new_clients', 'messages'
        ) then 'count'
        when {{ measure }} in ('conversion', 'arrival_rate', 'no_show_rate', 'cancellation_rate', 'unknown_rate') then 'share'
        when {{ measure }} in (
            'booked_amount', 'kept_amount', 'earned_amount', 'earned_recorded_amount', 'avg_ticket'
        ) then 'money'
        when {{ measure }} = 'avg_response_ms' then 'milliseconds'
    end
{%- endmacro %}


{# Which way is better for a salon. More messages, or moves, are neither good nor bad. #}
{% macro better_way(measure) -%}
    case
        when {{ measure }} in ('messages', 'moves') then 'neither'
        when {{ measure }} in (
            'cancelled_bookings', 'unknown_bookings', 'avg_response_ms', 'no_show_rate', 'cancellation_rate', 'unknown_rate'
        ) then 'down'
        else 'up'
    end
{%- endmacro %}
