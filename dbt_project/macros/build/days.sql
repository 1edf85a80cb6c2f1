{# The tenant's calendar (REQUIREMENTS C6). #}

{# On the first and last days that Postgres knows, an offset would lead out of its time: there the day is that of UTC. #}
{% macro local_day(instant, timezone) -%}
    (
        {{ instant }} at time zone case
            when {{ instant }} between '4713-01-02 BC' and '294276-12-30' then {{ timezone }} else 'UTC'
        end
    )::date
{%- endmacro %}


{# The zone of a tenant joined as `tenants`; a row whose tenant is gone is shown in the default one. #}
{% macro tenant_timezone() -%}
    coalesce(tenants.timezone, '{{ var("default_timezone") }}')
{%- endmacro %}


{% macro is_as_of_a_day() %}
    {{ return(modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', as_of()) is not none) }}
{% endmacro %}


{# The last local day that `as_of` reaches: that day itself when as_of is a day, else the day the instant falls on. #}
{% macro as_of_day(timezone) -%}
    {%- if is_as_of_a_day() -%}
        date '{{ as_of() }}'
    {%- else -%}
        (timestamptz '{{ as_of_instant() }}' at time zone {{ timezone }})::date
    {%- endif -%}
{%- endmacro %}


{# A day is final once it is over where the tenant lives: an as_of that is a day ends it, one that is an instant lies in it. #}
{% macro is_final_day(day, timezone) -%}
    ({{ day }} {{ '<=' if is_as_of_a_day() else '<' }} {{ as_of_day(timezone) }})
{%- endmacro %}


{# An instant without an offset would mean another moment on another server. #}
{% macro as_of_instant() -%}
    {%- set text = as_of() -%}
    {%- if not modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)', text) -%}
        {{ exceptions.raise_compiler_error(
            "as_of is '" ~ text ~ "'; write a day (2026-01-31) or an instant with its offset (2026-01-31T09:00:00+00:00)."
        ) }}
    {%- endif -%}
    {{ return(text) }}
{%- endmacro %}


{# Whole milliseconds between two instants; NULL where either is infinite. #}
{% macro milliseconds_between(earlier, later) -%}
    case
        when isfinite({{ earlier }}) and isfinite({{ later }})
            then round(extract(epoch from {{ later }}) * 1000 - extract(epoch from {{ earlier }}) * 1000)::bigint
    end
{%- endmacro %}
