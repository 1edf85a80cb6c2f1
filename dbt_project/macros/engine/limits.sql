{# How long a statement of ours may take, and how long it may wait for a lock while everybody who comes later waits behind
   it (issue 7; settings.py, Limits). Said by each model and each test to the connection that it has, because poolers in
   front of a server refuse start-up options, and dbt opens a connection a thread. By hand: the defaults. #}
{% macro set_limits() %}
    {% do run_query(limits()) %}
{% endmacro %}


{% macro limits() -%}
    select
        set_config('statement_timeout', '{{ env_var('AGENTP_PG_STATEMENT_TIMEOUT', '1800000ms') }}', false),
        set_config('lock_timeout', '{{ env_var('AGENTP_PG_LOCK_TIMEOUT', '10000ms') }}', false)
{%- endmacro %}


{# Begin the transaction of a model, under the limits: `run_query` alone opens none that dbt would commit. #}
{% macro begin_limited() %}
    {% call statement('begin_limited') %}{{ limits() }}{% endcall %}
{% endmacro %}


{# Run what answers with nothing that is needed: every answer that is fetched costs dbt a table of its own. #}
{% macro run_unheard(sql) %}
    {% call statement('unheard', auto_begin=False) %}{{ sql }}{% endcall %}
{% endmacro %}


{# Data tests have no materialization of ours: what dbt asks for their SQL is the last word before it runs. #}
{% macro postgres__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
    {% do set_limits() %}
    {{- default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -}}
{%- endmacro %}
