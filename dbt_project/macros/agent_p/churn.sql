{# The seed's steps to the letter (seed 02, feature 2): days since the last visit over the usual interval, 30 where that is
   unknown. An interval of nothing, over which the seed's Python would stumble, is overdue after a day. Floating point, as there. #}
{% macro step_churn_risk(days, interval_days) -%}
    case
        when {{ days }} is null then null
        when {{ interval_days }} <= 0 then case when {{ days }} <= 0 then 0.0 else 0.9 end
        when {{ days }}::float8 / coalesce({{ interval_days }}, {{ var('default_visit_interval_days') }})::float8 < 1.0::float8 then 0.0
        when {{ days }}::float8 / coalesce({{ interval_days }}, {{ var('default_visit_interval_days') }})::float8 < 1.3::float8 then 0.3
        when {{ days }}::float8 / coalesce({{ interval_days }}, {{ var('default_visit_interval_days') }})::float8 < 1.5::float8 then 0.6
        else 0.9
    end
{%- endmacro %}


{# The instants at which the steps are reached. #}
{% macro churn_risk_steps(last_visit_at, interval_days) %}
    {%- set steps = [] -%}
    {%- for ratio in ('1.0', '1.3', '1.5') -%}
        {%- do steps.append(days_later(last_visit_at, "ceil(" ~ ratio ~ " * " ~ interval_days ~ ")")) -%}
    {%- endfor -%}
    {{ return(steps) }}
{% endmacro %}


{# The first of some instants that is still ahead, the next booking, which always is, among them. A booking at the very
   moment is ahead; a step at the very moment is reached. #}
{% macro next_change(moment, next_booking_at, instants) -%}
    least(
        {{ next_booking_at }},
        {%- for instant in instants %}
        case when {{ instant }} > {{ moment }} then {{ instant }} end{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}


{# Whether a client agreed to be written to, where `meta` says so in one of the usual ways; NULL where it does not. #}
{% macro parse_consent(meta) -%}
    case lower(btrim(coalesce({{ meta }} #>> '{consent,marketing}', {{ meta }} ->> 'marketing_consent', {{ meta }} ->> 'consent')))
        when 'true' then true
        when 'yes' then true
        when '1' then true
        when 'false' then false
        when 'no' then false
        when '0' then false
    end
{%- endmacro %}
