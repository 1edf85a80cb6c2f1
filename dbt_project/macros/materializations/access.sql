{# Who may read what is built (issue 7; access/store.sql): by declaration, in the transaction that builds it. #}

{# Rows by salon, columns by role. A mart without a salon, or of a kind that row level security cannot hold, is refused. #}
{% macro secured(relation) %}
    {%- set personal = [] -%}
    {%- set secret = [] -%}
    {%- for column in model.columns.values() -%}
        {%- set sort = class_of(column) -%}
        {%- if sort in ('pii', 'text', 'staff') %}{% do personal.append(column.name) %}{% endif -%}
        {%- if sort == 'secret' %}{% do secret.append(column.name) %}{% endif -%}
    {%- endfor -%}
    {{ return(
        "select access.secure('" ~ relation ~ "'::regclass, " ~ text_array(personal) ~ ", " ~ text_array(secret) ~ ")"
    ) }}
{% endmacro %}


{% macro secure(relation) %}
    {% do run_unheard(secured(relation)) %}
{% endmacro %}


{% macro class_of(column) %}
    {%- set stated = ((column.get('config') or {}).get('meta') or {}).get('class') -%}
    {{ return(stated or (column.get('meta') or {}).get('class')) }}
{% endmacro %}


{% macro text_array(names) -%}
    array[{% for name in names %}'{{ name }}'{{ ', ' if not loop.last }}{% endfor %}]::text []
{%- endmacro %}


{# A live view of raw tables, for readers who may read none of those: `live` reads with its owner's rights and is cut to the
   reader's salons before anything of the reader's is computed; the mart shows it with the reader's own rights. #}
{% macro create_live_view(relation, sql) %}
    {%- set inner = relation.incorporate(path={'schema': 'live'}) -%}
    {%- set names = quote_columns(model.columns.keys()) -%}
    {% call statement('main') -%}
        create or replace view {{ inner }} with (security_barrier = true) as select {{ names }} from ({{ read_live(sql) }}) as rows
        where rows.tenant_id = any ((select access.tenants())::uuid []) or (select access.sees_every_tenant());
        {{ secured(inner) }};
        create or replace view {{ relation }} with (security_invoker = true) as select {{ names }} from {{ inner }};
        {{ secured(relation) }}
    {%- endcall %}
{% endmacro %}


{# A live view reads another one where its owner's rights count: what shows it with the reader's asks that reader for a right on
   each column, names and phones included, however deep in a query it stands. #}
{% macro read_live(sql) %}
    {%- set found = namespace(sql=sql) -%}
    {%- for id in model.depends_on.nodes
        if id in graph.nodes and graph.nodes[id].fqn[1] == 'marts' and graph.nodes[id].config.materialized == 'stable_view' -%}
        {%- set shown = adapter.quote(graph.nodes[id].schema) ~ '.' ~ adapter.quote(graph.nodes[id].alias) -%}
        {%- set found.sql = found.sql | replace(shown, adapter.quote('live') ~ '.' ~ adapter.quote(graph.nodes[id].alias)) -%}
    {%- endfor -%}
    {{ return(found.sql) }}
{% endmacro %}


{# Whether a model is one that people read: all that need not be built by a materialization that secures it is elsewhere. #}
{% macro is_mart() %}
    {{ return(model.fqn[1] == 'marts') }}
{% endmacro %}


{# A model with a salon that dbt's own materializations would build has no policy. #}
{% macro require_secure_models() %}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and node.config.materialized not in ('published', 'kept', 'stable_view', 'ephemeral') -%}
        {{ exceptions.raise_compiler_error(
            node.name ~ " is materialized as " ~ node.config.materialized ~ ", which gives it no row level security. "
            ~ "Marts are published, kept or stable_view."
        ) }}
    {%- endfor -%}
{% endmacro %}
