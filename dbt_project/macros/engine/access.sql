{# Who may read what is built (issue 7; access/store.sql): by declaration, in the transaction that builds it. #}

{# Rows by tenant, columns by role. A mart without a tenant, or of a kind that row level security cannot hold, is refused. #}
{% macro withheld() %}
    {%- set personal = [] -%}
    {%- set secret = [] -%}
    {%- for column in model.columns.values() -%}
        {%- set sort = class_of(column) -%}
        {%- if sort in ('pii', 'text', 'staff') %}{% do personal.append(column.name) %}{% endif -%}
        {%- if sort == 'secret' %}{% do secret.append(column.name) %}{% endif -%}
    {%- endfor -%}
    {{ return({'personal': text_array(personal), 'secret': text_array(secret), 'all': text_array(personal + secret)}) }}
{% endmacro %}


{# Give the relation its policies and grants; return whether it is settled. #}
{% macro secure(relation) %}
    {% do run_unheard(secured(relation)) %}
    {{ return(is_settled(relation)) }}
{% endmacro %}


{% macro secured(relation) %}
    {%- set columns = withheld() -%}
    {{ return("select access.secure('" ~ relation ~ "'::regclass, " ~ columns.personal ~ ", " ~ columns.secret ~ ")") }}
{% endmacro %}


{# Whether all that hangs on a relation is as it should be: what analysts are shown, descriptions, grants that the model declares. #}
{% macro is_settled(relation) %}
    {{ return(run_query(
        "select access.shows_to_analysts('" ~ relation ~ "'::regclass, " ~ withheld().all ~ ")"
        ~ " and not exists (select 1 from access.undescribed('" ~ relation ~ "'::regclass, " ~ descriptions() ~ "))"
        ~ " and not exists (select 1 from (" ~ unshared(relation) ~ ") as unshared)"
    ).rows[0][0]) }}
{% endmacro %}


{# Make it so: after the commit that altered the relation, in a transaction of its own. #}
{% macro settle(relation) %}
    {% do begin_limited() %}
    {% if is_mart() %}
        {% do run_unheard("select access.show_to_analysts('" ~ relation ~ "'::regclass, " ~ withheld().all ~ ")") %}
    {% endif %}
    {% do run_unheard("select access.describe('" ~ relation ~ "'::regclass, " ~ descriptions() ~ ")") %}
    {% do share(relation) %}
    {% do adapter.commit() %}
{% endmacro %}


{# `persist_docs`: descriptions by column, the relation's own by '', as JSON. #}
{% macro descriptions() -%}
    {%- set texts = {} -%}
    {%- if config.persist_relation_docs() %}{% do texts.update({'': model.description | trim}) %}{% endif -%}
    {%- if config.persist_column_docs() -%}
        {%- for column in model.columns.values() %}{% do texts.update({column.name: column.description | trim}) %}{% endfor -%}
    {%- endif -%}
    $agentp${{ tojson(texts) }}$agentp$::jsonb
{%- endmacro %}


{% macro class_of(column) %}
    {%- set stated = ((column.get('config') or {}).get('meta') or {}).get('class') -%}
    {{ return(stated or (column.get('meta') or {}).get('class')) }}
{% endmacro %}


{% macro text_array(names) -%}
    array[{% for name in names %}'{{ name }}'{{ ', ' if not loop.last }}{% endfor %}]::text []
{%- endmacro %}


{# A live view of raw tables, for readers who may read none of those: `live` reads with its owner's rights and is cut to the
   reader's tenants before anything of the reader's is computed; the mart shows it with the reader's own rights. #}
{% macro create_live_view(relation, sql) %}
    {%- set inner = relation.incorporate(path={'schema': 'live', 'identifier': model.name}) -%}
    {%- set names = quote_columns(model.columns.keys()) -%}
    {%- set cut -%}
        select {{ names }} from ({{ read_live(sql) }}) as rows
        where rows.tenant_id = any ((select access.tenants())::uuid []) or (select access.sees_every_tenant())
    {%- endset -%}
    {%- set is_put = put_view(inner, 'security_barrier = true', cut) -%}
    {% do run_unheard(secured(inner)) %}
    {% if is_put %}
        {% do adapter.commit() %}
        {% do begin_limited() %}
    {% endif %}
    {% do put_view(relation, 'security_invoker = true', 'select ' ~ names ~ ' from ' ~ inner) %}
    {{ return(secure(relation)) }}
{% endmacro %}


{# Make a view what the query says; return whether it had to be. One that is that already is not touched, and nobody who reads it
   waited for. Then another view is not altered in the same transaction: readers take their locks in any order
   (access/store.sql, `access.change`). #}
{% macro put_view(relation, options, statement_text) %}
    {# A database that was copied or renamed has the same views. #}
    {%- set query = statement_text | replace(adapter.quote(target.database) ~ '.', '') -%}
    {%- set hash = local_md5(options ~ query) -%}
    {%- set stands = run_query("select access.view_stands('" ~ relation ~ "', '" ~ hash ~ "')").rows[0][0] -%}
    {%- if not stands -%}
        {% do run_unheard(
            "select access.put_view('" ~ relation ~ "', '" ~ options ~ "', $agentp$" ~ query ~ "$agentp$, '" ~ hash ~ "')"
        ) %}
    {%- endif -%}
    {{ return(not stands) }}
{% endmacro %}


{# A live view reads another one where its owner's rights count: what shows it with the reader's asks that reader for a right on
   each column, names and phones included, however deep in a query it stands. #}
{% macro read_live(sql) %}
    {%- set found = namespace(sql=sql) -%}
    {%- for id in model.depends_on.nodes
        if id in graph.nodes and graph.nodes[id].fqn[2] == 'marts' and graph.nodes[id].config.materialized == 'stable_view' -%}
        {%- set shown = adapter.quote(graph.nodes[id].schema) ~ '.' ~ adapter.quote(graph.nodes[id].alias) -%}
        {%- set found.sql = found.sql | replace(shown, adapter.quote('live') ~ '.' ~ adapter.quote(graph.nodes[id].name)) -%}
    {%- endfor -%}
    {{ return(found.sql) }}
{% endmacro %}


{# Whether a model is one that people read: all that need not be built by a materialization that secures it is elsewhere. #}
{% macro is_mart() %}
    {{ return(model.fqn[2] == 'marts') }}
{% endmacro %}


{# A model with a tenant that dbt's own materializations would build has no policy. #}
{% macro require_secure_models() %}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and node.config.materialized not in ('published', 'kept', 'stable_view', 'ephemeral') -%}
        {{ exceptions.raise_compiler_error(
            node.name ~ " is materialized as " ~ node.config.materialized ~ ", which gives it no row level security. "
            ~ "Marts are published, kept or stable_view."
        ) }}
    {%- endfor -%}
{% endmacro %}
