{# What one build covers. A full build covers everything; a scoped one the queued entities and tenant-days,
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


{# Whether a row's entity is among those that this build covers; `column` of `relation` has its id. #}
{% macro is_touched(entity, relation, column) -%}
    {#- `dbt build` by hand runs unit tests as well, on rows of their own. -#}
    {%- set scope = {'is_full': true} if model.resource_type == 'unit_test' else read_scope() -%}
    {%- if scope.is_full -%}
        true
    {%- else -%}
        {{ scope_filter({'entity': entity, 'columns': ['tenant_id', column]}, relation) }}
    {%- endif -%}
    {%- if scope.is_batched and is_read_in_batches(entity) %} and {{ in_batch(relation ~ '.' ~ column) }}{% endif -%}
{%- endmacro %}


{% macro is_touched_day(relation, day_column='day') -%}
    {{ is_touched('day', relation, day_column) }}
{%- endmacro %}


{# Whether the entity's system has its rows read part by part (batches.sql). #}
{% macro is_read_in_batches(entity) %}
    {{ return(entity != 'day' and (declaration(own_system()).entities[entity].is_batched or false)) }}
{% endmacro %}


{% macro scope_filter(scope, relation) -%}
    {%- set queue_columns = ['tenant_id', queue_column(own_system(), scope.entity)] -%}
    {{ return(
        "(" ~ quote_columns(scope.columns, relation) ~ ") in (select " ~ quote_columns(queue_columns, 'queue')
        ~ " from " ~ queue_of(own_system(), scope.entity) ~ " as queue)"
    ) }}
{%- endmacro %}
