{# What raises the risk of a booking most, in words; `predictions` holds the factors as they were known (seed 02, feature 1). #}
{% macro risk_reason(language) -%}
    {%- set factors = 'predictions.risk_factors' -%}
    {%- set days = "(" ~ factors ~ " ->> 'days_since_last_visit')::integer" -%}
    {%- set lead = "(" ~ factors ~ " ->> 'lead_time_days')::integer" -%}
    {%- set cancels = "round((" ~ factors ~ " ->> 'cancel_rate')::numeric * 100)" -%}
    case
        when predictions.main_factor = 'cancel_rate' and {{ cancels }} is not null
            then {{ "'отменяет или пропускает " if language == 'ru' else "'cancels or misses " }}' || {{ cancels }} || '{{ ' % записей' if language == 'ru' else ' % of bookings' }}'
        when predictions.main_factor = 'days_since_last_visit' and {{ days }} is not null
            then {% if language == 'ru' %}'давно без визита: ' || {{ days_in_russian(days) }}{% else %}{{ days }} || ' days without a visit'{% endif %}
        when predictions.main_factor = 'lead_time_days' and {{ lead }} is not null
            then {% if language == 'ru' %}'запись сделана за ' || {{ days_in_russian(lead) }}{% else %}'booked ' || {{ lead }} || ' days ahead'{% endif %}
        when predictions.main_factor = 'is_new_client' then '{{ 'новый клиент' if language == 'ru' else 'a new client' }}'
        else '{{ 'обычный риск салона' if language == 'ru' else 'the usual risk of this salon' }}'
    end
{%- endmacro %}
