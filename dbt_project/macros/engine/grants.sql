{# `grants: {select: [ROLE, …]}` of a model, beside what every mart gives by itself (access.sql): who may read the relation. Which rows
   stays with row level security. What a model no longer declares is taken back; what nobody declared is left alone.

   What was declared stands in build.declared_grants, so that `agentp doctor` knows it. #}

{# The roles that the model names, those that the server lacks left out, with a word. #}
{% macro declared_readers() %}
    {%- set grants = config.get('grants') or {} -%}
    {%- for privilege in grants if privilege | lower != 'select' -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ " grants " ~ privilege ~ ", and nobody but builds writes what they build: declare select alone."
        ) }}
    {%- endfor -%}
    {%- set named = grants.get('select', grants.get('SELECT', [])) -%}
    {{ return([named] if named is string else named | list) }}
{% endmacro %}


{# The relation and, for a live view, the one that it shows with the reader's own rights. #}
{% macro shared_places(relation) %}
    {%- set is_live = is_mart() and config.get('materialized') == 'stable_view' -%}
    {{ return([relation, relation.incorporate(path={'schema': 'live'})] if is_live else [relation]) }}
{% endmacro %}


{# One row per right that is to be given or taken back. Postgres writes the names: a builder may have noted any. #}
{% macro unshared(relation) -%}
    {%- for place in shared_places(relation) %}
    select
        '{{ place.include(database=false) }}' as place,
        quote_ident(coalesce(wanted.role_name, declared.role_name)) as role_identifier,
        quote_literal(coalesce(wanted.role_name, declared.role_name)) as role_literal,
        to_regrole(quote_ident(coalesce(wanted.role_name, declared.role_name))) is not null as is_known,
        wanted.role_name is not null as is_wanted
    from (
        select role_name from unnest({{ text_array(declared_readers()) }}) as role_name where to_regrole(quote_ident(role_name)) is not null
    ) as wanted
    full join (
        select role_name from build.declared_grants
        where schema_name = '{{ place.schema }}' and relation_name = '{{ place.identifier }}'
    ) as declared on wanted.role_name = declared.role_name
    where
        wanted.role_name is null
        or declared.role_name is null
        or not has_table_privilege(wanted.role_name, '{{ place.include(database=false) }}', 'select')
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{% macro share(relation) %}
    {%- for place, role_identifier, role_literal, is_known, is_wanted in run_query(unshared(relation)).rows -%}
        {%- set schema_name, relation_name = place.replace('"', '').split('.') -%}
        {%- if is_wanted -%}
            {% do run_unheard("grant select on " ~ place ~ " to " ~ role_identifier) %}
            {% do run_unheard(
                "insert into build.declared_grants values ('" ~ schema_name ~ "', '" ~ relation_name ~ "', " ~ role_literal ~ ")"
                ~ " on conflict do nothing"
            ) %}
        {%- else -%}
            {% if is_known %}{% do run_unheard("revoke select on " ~ place ~ " from " ~ role_identifier) %}{% endif %}
            {% do run_unheard(
                "delete from build.declared_grants where schema_name = '" ~ schema_name ~ "' and relation_name = '" ~ relation_name
                ~ "' and role_name = " ~ role_literal
            ) %}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}


{# Let who is named by any model look into the schemas: before models are built several at a time, because two that grant on one
   schema at once would each find the other's row "concurrently updated". Roles that the server lacks are named, once. #}
{% macro open_schemas_to_declared() %}
    {%- set wanted = {} -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.get('grants') -%}
        {%- for roles in node.config.grants.values() -%}
            {%- for role_name in ([roles] if roles is string else roles) -%}
                {%- set schemas = ['live', node.schema] if node.config.materialized == 'stable_view' and node.fqn[1] == 'marts' else [node.schema] -%}
                {%- for schema_name in schemas %}{% do wanted.update({(role_name, schema_name): true}) %}{% endfor -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set absent = [] -%}
    {%- for role_name, schema_name in wanted -%}
        {%- set found = run_query(
            "select to_regrole(quote_ident('" ~ role_name ~ "')) is not null, exists (select 1 from pg_roles where rolname = '" ~ role_name
            ~ "' and has_schema_privilege(rolname, '" ~ schema_name ~ "', 'usage'))"
        ).rows[0] -%}
        {%- if not found[0] and role_name not in absent -%}
            {%- do absent.append(role_name) -%}
            {% do exceptions.warn("A model grants to " ~ role_name ~ ", and the server has no such role: nothing is given to it.") %}
        {%- elif found[0] and not found[1] -%}
            {% do run_query("grant usage on schema " ~ adapter.quote(schema_name) ~ " to " ~ adapter.quote(role_name)) %}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}
