{# What one build covers. A full build covers everything; a scoped one the queued clients and tenant-days,
   each recomputed from its own start (DESIGN, decision 4). #}

{% macro is_full_build() %}
    {%- if not execute or flags.WHICH not in ('run', 'build') -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set found = run_query("select is_full from build.runs where invocation_id = '" ~ invocation_id ~ "'") -%}
    {{ return(found.rows | length == 0 or found.rows[0][0]) }}
{% endmacro %}


{% macro is_touched_client(relation, client_column='client_id') -%}
    {%- if is_full_build() -%}
        true
    {%- else -%}
        {{ scope_filter({'queue': 'touched_clients', 'columns': ['tenant_id', client_column]}, relation) }}
    {%- endif -%}
{%- endmacro %}


{# Clients whose bookings or standing may have changed: the touched ones, who shares a booking with them, and those
   whom the clock alone changed (claim_visitors). #}
{% macro is_touched_visitor(relation, client_column='client_id') -%}
    {%- if is_full_build() -%}
        true
    {%- else -%}
        {{ scope_filter({'queue': 'touched_visitors', 'columns': ['tenant_id', client_column]}, relation) }}
    {%- endif -%}
{%- endmacro %}


{% macro is_touched_day(relation, day_column='day') -%}
    {%- if is_full_build() -%}
        true
    {%- else -%}
        {{ scope_filter({'queue': 'touched_days', 'columns': ['tenant_id', day_column]}, relation) }}
    {%- endif -%}
{%- endmacro %}


{% macro scope_filter(scope, relation) -%}
    {%- set queue_columns = ['tenant_id', 'day' if scope.queue == 'touched_days' else 'client_id'] -%}
    {{ return(
        "(" ~ quote_columns(scope.columns, relation) ~ ") in (select " ~ quote_columns(queue_columns, 'queue')
        ~ " from build." ~ scope.queue ~ " as queue)"
    ) }}
{%- endmacro %}
