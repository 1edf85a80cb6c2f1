{# What source systems declare of their raw tables, as `meta` of dbt's sources, so that no engine names a table: which entities
   there are (`entities` of a source: type, and the queue's column where it is not `<entity>_id`), and of each table

     tenant    the tenant's id, as SQL over a row of the table;
     touches   whose rows a change of it concerns: {entity: id, as SQL over a row}, or `tenant` for every entity of the tenant;
     watches   expressions that alone matter; without it every column does.

   A table without `touches` concerns no mart that a build computes in parts. Triggers are made of the same
   (sources/change_tracking.py). #}

{# The systems that are switched on. #}
{% macro systems() %}
    {{ return(var('systems')) }}
{% endmacro %}


{# The system of the model that is built. #}
{% macro own_system() %}
    {{ return(model.fqn[1]) }}
{% endmacro %}


{# The `meta` of a system's source; nothing for one that has no raw tables. #}
{% macro declaration(system) %}
    {#- Unit tests know of no sources. -#}
    {%- set found = graph.get('sources', {}).values() | selectattr('source_name', 'equalto', system) | list -%}
    {{ return(found[0].config.meta if found else {}) }}
{% endmacro %}


{# The raw tables that touch an entity, or anything where none is named. #}
{% macro tables_that_touch(system, entity=none) %}
    {%- set tables = [] -%}
    {%- for source in graph.get('sources', {}).values() | selectattr('source_name', 'equalto', system) | sort(attribute='name') -%}
        {%- set touches = source.config.meta.touches -%}
        {%- if touches and (entity is none or (touches is mapping and entity in touches)) %}{% do tables.append(source) %}{% endif -%}
    {%- endfor -%}
    {{ return(tables) }}
{% endmacro %}


{# Entities that raw tables touch; others are computed from these by a hook of the system's. #}
{% macro touched_entities(system) %}
    {%- set names = [] -%}
    {%- for entity in declaration(system).get('entities', {}) if tables_that_touch(system, entity) -%}
        {%- do names.append(entity) -%}
    {%- endfor -%}
    {{ return(names) }}
{% endmacro %}


{# The schema of the system's raw tables. #}
{% macro raw_schema_of(system) %}
    {{ return(var('raw_schemas')[system]) }}
{% endmacro %}


{% macro raw_table(source) %}
    {{ return(adapter.quote(raw_schema_of(source.source_name)) ~ '.' ~ adapter.quote(source.name)) }}
{% endmacro %}


{# A table of schema `build`. #}
{% macro state_table(system, name) %}
    {{ return('build.' ~ declaration(system).get('prefix', system ~ '__') ~ name) }}
{% endmacro %}


{# The queue of an entity, or of days. #}
{% macro queue_of(system, entity) %}
    {{ return(state_table(system, 'touched_' ~ entity ~ 's')) }}
{% endmacro %}


{# The column of the queue that names the entity. #}
{% macro queue_column(system, entity) %}
    {%- if entity == 'day' %}{{ return('day') }}{% endif -%}
    {{ return(declaration(system).entities[entity].get('column', entity ~ '_id')) }}
{% endmacro %}


{# The type of an entity's id. #}
{% macro entity_type(system, entity) %}
    {{ return('date' if entity == 'day' else declaration(system).entities[entity].type) }}
{% endmacro %}


{# What a system does at a moment of a build, by a macro `<system>__<moment>`; nothing where it has none. #}
{% macro run_hook(system, moment) %}
    {%- set hook = context.get(system ~ '__' ~ moment) -%}
    {{ return(hook() if hook else '') }}
{% endmacro %}


{# The tenants, with what they are called, as the tables of tenants have them. #}
{% macro declared_tenants(system) -%}
    {%- set tables = [] -%}
    {%- for source in tables_that_touch(system) if source.config.meta.touches == 'tenant' -%}
        {%- do tables.append(
            "select " ~ source.config.meta.tenant ~ " as tenant_id, " ~ source.config.meta.tenant_name ~ " as name from "
            ~ raw_table(source)
        ) -%}
    {%- endfor -%}
    {{- tables | join(' union ') or 'select null::uuid as tenant_id, null::text as name where false' -}}
{%- endmacro %}
