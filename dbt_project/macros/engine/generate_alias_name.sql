{# A mart has the plain name in its system's schema, whatever the model's, which dbt wants to be the only one of its name. #}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- if custom_alias_name -%}
        {{ custom_alias_name | trim }}
    {%- elif node.fqn | length > 3 and node.fqn[2] == 'marts' -%}
        {{ node.name.removeprefix(node.fqn[1] ~ '__') }}
    {%- else -%}
        {{ node.name }}
    {%- endif -%}
{%- endmacro %}
