{# Trigram indexes, so that `ilike '%part%'` within a tenant needs no scan. They need the extensions pg_trgm and btree_gin,
   which every Postgres 15 to 18 ships and `agentp migrate` creates; where a database has not got them, search still works. #}
{% macro index_for_search(columns) %}
    {%- if not execute or not is_full_build() -%}{{ return('select 1') }}{%- endif -%}
    {%- set operators = run_query(
        "select n.nspname from pg_opclass as o join pg_namespace as n on n.oid = o.opcnamespace"
        ~ " where o.opcname = 'gin_trgm_ops' and has_schema_privilege(n.oid, 'usage') and exists (select 1 from pg_extension where extname = 'btree_gin')"
    ).rows -%}
    {%- if operators | length == 0 -%}{{ return('select 1') }}{%- endif -%}
    {%- set wanted = {} -%}
    {%- for column in columns -%}
        {%- do wanted.update({
            this.identifier ~ '_search_' ~ column:
            "using gin (tenant_id, " ~ adapter.quote(column) ~ " " ~ adapter.quote(operators[0][0]) ~ ".gin_trgm_ops)"
        }) -%}
    {%- endfor -%}
    {% do create_indexes(this, wanted) %}
    {{ return('select 1') }}
{% endmacro %}
