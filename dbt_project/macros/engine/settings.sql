{# What changes with every run. As --vars they would make dbt parse the whole project anew each time, so the
   command line hands them over in the environment; `--vars '{as_of: 2026-01-31}'` works as well. #}

{# The present: a day, meaning the end of that local day in every tenant's zone, or an instant with its offset.
   Nothing in the models asks the clock. #}
{% macro as_of() -%}
    {%- if not execute -%}
        {{ return('2000-01-01') }}
    {%- endif -%}
    {%- set given = var('as_of', env_var('AGENTP_AS_OF', '')) | string -%}
    {{ return(given or run_started_at.isoformat()) }}
{%- endmacro %}


{# A hash of everything the marts are computed by. Another one than that of the last complete build, or none,
   means that everything is computed anew. #}
{% macro definition() -%}
    {{ return(env_var('AGENTP_DEFINITION', '') if execute else '') }}
{%- endmacro %}


{# Days that are to be computed anew whether anything changed or not, as 2026-01-01..2026-01-31; nothing otherwise. #}
{% macro days_to_rebuild() -%}
    {{ return(env_var('AGENTP_DAYS', '').split('..') if execute and env_var('AGENTP_DAYS', '') else []) }}
{%- endmacro %}
