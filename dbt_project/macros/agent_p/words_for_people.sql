{# Russian counts days in three forms: 1 день, 2 дня, 5 дней. #}
{% macro days_in_russian(days) -%}
    {{ days }} || case
        when {{ days }} % 100 between 11 and 14 then ' дней'
        when {{ days }} % 10 = 1 then ' день'
        when {{ days }} % 10 between 2 and 4 then ' дня'
        else ' дней'
    end
{%- endmacro %}


{# Whether a slot's local time is the wished part of the day (REQUIREMENTS C10): morning before 12, afternoon 12 to 17,
   evening from 17. No wish, or none that the standard knows, is any time. #}
{% macro fits_time_preference(preference, local_time) -%}
    case {{ preference }}
        when 'morning' then {{ local_time }} < time '12:00'
        when 'afternoon' then {{ local_time }} >= time '12:00' and {{ local_time }} < time '17:00'
        when 'evening' then {{ local_time }} >= time '17:00'
        else true
    end
{%- endmacro %}


{# The service that a wish is for (seed 01, section 5): `meta.service_id`, else what `item_id` holds behind `service_`. #}
{% macro wished_service(wishes) -%}
    {{ bounded_id(
        "coalesce(nullif(btrim(" ~ wishes ~ ".meta ->> 'service_id'), ''), case when starts_with(" ~ wishes
        ~ ".item_id, 'service_') then nullif(substr(" ~ wishes ~ ".item_id, 9), '') end)"
    ) }}
{%- endmacro %}
