{# The tenant's calendar (REQUIREMENTS C6). #}

{# On the first and last days that Postgres knows, an offset would lead out of its time: there the clock is that of UTC. #}
{% macro local_time(instant, timezone) -%}
    (
        {{ instant }} at time zone case
            when {{ instant }} between '4713-01-02 BC' and '294276-12-30' then {{ timezone }} else 'UTC'
        end
    )
{%- endmacro %}


{% macro local_day(instant, timezone) -%}
    {{ local_time(instant, timezone) }}::date
{%- endmacro %}


{# The first of a day's month. Of the days before the first month that Postgres knows whole, that month's. #}
{% macro month_of(day) -%}
    date_trunc('month', greatest({{ day }}, date '4714-12-01 BC'))::date
{%- endmacro %}


{# The hour on the tenant's clock, 0 to 23; an infinite instant has none, and counts at 0. #}
{% macro local_hour(instant, timezone) -%}
    coalesce(extract(hour from {{ local_time(instant, timezone) }})::integer, 0)
{%- endmacro %}


{# The weekday of a local time, 1 (Monday) to 7; an infinite one has none. #}
{% macro weekday_of(local_time) -%}
    extract(isodow from {{ local_time }})::integer
{%- endmacro %}


{# The zone of a tenant joined as `tenants`; a row whose tenant is gone is shown in the default one. #}
{% macro tenant_timezone() -%}
    coalesce(tenants.timezone, '{{ var("default_timezone") }}')
{%- endmacro %}


{% macro is_as_of_a_day() %}
    {{ return(modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', as_of()) is not none) }}
{% endmacro %}


{# Live views are not replaced by builds: they read the present of the last one from where its start puts it. #}
{% macro is_live() %}
    {{ return(model.config.materialized == 'stable_view') }}
{% endmacro %}


{% macro note_present() %}
    insert into build.present (is_present, as_of_day, as_of_instant)
    values (true, {{ "'" ~ as_of() ~ "', null" if is_as_of_a_day() else "null, '" ~ as_of_instant() ~ "'" }})
    on conflict (is_present) do update set as_of_day = excluded.as_of_day, as_of_instant = excluded.as_of_instant
    where (present.as_of_day, present.as_of_instant) is distinct from (excluded.as_of_day, excluded.as_of_instant);
{% endmacro %}


{# The last local day that `as_of` reaches: that day itself when as_of is a day, else the day the instant falls on. #}
{% macro as_of_day(timezone) -%}
    {%- if is_live() -%}
        coalesce(
            (select present.as_of_day from build.present as present),
            ((select present.as_of_instant from build.present as present) at time zone {{ timezone }})::date
        )
    {%- elif is_as_of_a_day() -%}
        date '{{ as_of() }}'
    {%- else -%}
        (timestamptz '{{ as_of_instant() }}' at time zone {{ timezone }})::date
    {%- endif -%}
{%- endmacro %}


{# The first instant that no longer belongs to `as_of`: the end of that day where the tenant lives, or the instant itself. #}
{% macro as_of_moment(timezone) -%}
    {%- if is_live() -%}
        coalesce(
            (select present.as_of_instant from build.present as present),
            ((select present.as_of_day from build.present as present) + 1)::timestamp at time zone {{ timezone }}
        )
    {%- elif is_as_of_a_day() -%}
        ((date '{{ as_of() }}' + 1)::timestamp at time zone {{ timezone }})
    {%- else -%}
        timestamptz '{{ as_of_instant() }}'
    {%- endif -%}
{%- endmacro %}


{# A day is final once it is over where the tenant lives: an as_of that is a day ends it, one that is an instant lies in it. #}
{% macro is_final_day(day, timezone) -%}
    {%- if is_live() -%}
        ({{ day }} < {{ as_of_day(timezone) }} + (select present.as_of_day is not null from build.present as present)::integer)
    {%- else -%}
        ({{ day }} {{ '<=' if is_as_of_a_day() else '<' }} {{ as_of_day(timezone) }})
    {%- endif -%}
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


{# Whole days between two instants, rounded down as the seed's `(now() - last_visit).days` does, from the whole microseconds
   that Postgres stores: a day is over when it is, and not half a millisecond before. NULL where either is infinite. #}
{% macro days_between(earlier, later) -%}
    case
        when isfinite({{ earlier }}) and isfinite({{ later }})
            then floor((extract(epoch from {{ later }}) - extract(epoch from {{ earlier }})) / 86400)::bigint
    end
{%- endmacro %}


{# So many times twenty-four hours later; NULL for instants that no calendar of a tenant reaches. #}
{% macro days_later(instant, days) -%}
    case
        when {{ instant }} between '1900-01-01' and '9999-01-01' then {{ instant }} + {{ days }} * interval '24 hours'
    end
{%- endmacro %}


{# The calendar day that a text YYYY-MM-DD names; NULL where it names none (2025-02-30). #}
{% macro parse_day(text) -%}
    {%- set year, month, day = ["substr(" ~ text ~ ", 1, 4)::integer", "substr(" ~ text ~ ", 6, 2)::integer", "substr(" ~ text ~ ", 9, 2)::integer"] -%}
    case
        when {{ text }} ~ '^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'
            then case
                when {{ day }} <= extract(day from make_date({{ year }}, {{ month }}, 1) + interval '1 month' - interval '1 day')
                    then make_date({{ year }}, {{ month }}, {{ day }})
            end
    end
{%- endmacro %}
