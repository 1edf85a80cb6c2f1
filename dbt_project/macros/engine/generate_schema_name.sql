{# Schemas are named as configured, without the target's name before them: BI tools rely on `dashboard`. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
