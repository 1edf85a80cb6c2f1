{# How late somebody is, by whole days since the last visit and the usual days between visits (docs/decisions.md, "Win-back"). #}

{# From how many cycles on somebody is called so. #}
{% macro lateness_steps() %}
    {{ return({'due': '1.0', 'overdue': '1.35', 'lapsed': '3.0'}) }}
{% endmacro %}


{# Lost is lost whatever the cycles; who is not due yet is not late. #}
{% macro name_lateness(days, cycle_days, is_lost) -%}
    {%- set steps = lateness_steps() -%}
    case
        when {{ is_lost }} then 'lost'
        when {{ days }} >= {{ steps.lapsed }} * {{ cycle_days }} then 'lapsed'
        when {{ days }} >= {{ steps.overdue }} * {{ cycle_days }} then 'overdue'
        when {{ days }} >= {{ steps.due }} * {{ cycle_days }} then 'due'
    end
{%- endmacro %}


{# The rows of `lateness`, the first whole day of it and the first day past it, counted from a visit. #}
{% macro lateness_spans(cycle_days, loss_period_days) -%}
    {%- set steps = lateness_steps() -%}
    values
    ('due', ceil({{ steps.due }} * {{ cycle_days }}), least(ceil({{ steps.overdue }} * {{ cycle_days }}), {{ loss_period_days }})),
    ('overdue', ceil({{ steps.overdue }} * {{ cycle_days }}), least(ceil({{ steps.lapsed }} * {{ cycle_days }}), {{ loss_period_days }})),
    ('lapsed', ceil({{ steps.lapsed }} * {{ cycle_days }}), {{ loss_period_days }}),
    ('lost', {{ loss_period_days }}, null)
{%- endmacro %}


{# A whole number of days in a text. #}
{% macro day_count_pattern() -%}
    '^[0-9]{1,6}$'
{%- endmacro %}
