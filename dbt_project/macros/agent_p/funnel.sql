{# How far dialogues came, and where they ended: of rows of `sessions`, those that meet `among`. Every step contains the next one, so
   that what is lost between two steps are the drop-offs of that stage. #}
{% macro count_funnel(among='true') -%}
    count(*) filter (where {{ among }}) as sessions_started,
    {% for step in ['chose_service', 'chose_staff', 'chose_time', 'booked'] -%}
    count(*) filter (where {{ among }} and steps_completed >= {{ loop.index }}) as {{ step }},
    {% endfor -%}
    {% for stage in ['service', 'staff', 'time'] -%}
    count(*) filter (where {{ among }} and drop_off_stage = '{{ stage }}_selection') as dropped_at_{{ stage }},
    {% endfor -%}
    count(*) filter (where {{ among }} and drop_off_stage = 'confirmation') as dropped_at_confirmation,
    count(*) filter (where {{ among }} and not is_booked and drop_off_stage is null) as done_without_booking
{%- endmacro %}
