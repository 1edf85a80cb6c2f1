{# What one build covers. A full build covers everything; a scoped one the queued clients and tenant-days,
   each recomputed from its own start (DESIGN, decision 4). #}

{% macro is_full_build() %}
    {{ return(read_scope().is_full) }}
{% endmacro %}


{% macro read_scope() %}
    {%- if not execute or flags.WHICH not in ('run', 'build') -%}
        {{ return({'is_full': true, 'is_batched': false}) }}
    {%- endif -%}
    {%- set found = run_query(
        "select is_full, exists (select 1 from build.batches) from build.runs where invocation_id = '" ~ invocation_id ~ "'"
    ).rows -%}
    {{ return({
        'is_full': found | length == 0 or found[0][0], 'is_batched': found | length > 0 and found[0][1]
    }) }}
{% endmacro %}


{% macro is_touched_client(relation, client_column='client_id') -%}
    {%- set scope = read_scope() -%}
    {%- if scope.is_full -%}
        true
    {%- else -%}
        {{ scope_filter({'queue': 'touched_clients', 'columns': ['tenant_id', client_column]}, relation) }}
    {%- endif -%}
    {#- `dbt build` by hand runs unit tests as well, on rows of their own. -#}
    {%- if scope.is_batched and model.resource_type != 'unit_test' %} and {{ in_batch(relation ~ '.' ~ client_column) }}{% endif -%}
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
