{# How a build learns which entities changed: from the queue that triggers fill (sources/change_tracking.py), or, on a database
   that may not be altered, from fingerprints of every entity's rows. Either way they are moved to the system's queues in
   schema `build` in one transaction, and stay there until a build has finished with them. #}

{% macro claim_changes(system) %}
    {%- set is_tracked = has_change_tracking(system) -%}
    {%- for entity in touched_entities(system) -%}
        {%- if is_tracked -%}
            {{ claim_from_queue(system, entity) }}
        {%- else -%}
            {{ claim_from_fingerprints(system, entity) }}
        {%- endif -%}
    {%- endfor -%}
    {{ claim_reconsidered(system) }}
    {{ run_hook(system, 'claim_from_gate') }}
{% endmacro %}


{# Everything of tenants whose rows the gate set aside or took back: nothing else need have changed about them. #}
{% macro claim_reconsidered(system) %}
    {%- for entity in touched_entities(system) -%}
    {%- set id = queue_column(system, entity) %}
    insert into {{ queue_of(system, entity) }} (tenant_id, {{ id }}, claimed_at)
    select distinct places.tenant_id, places.{{ id }}, statement_timestamp()
    from (
        {% for relation, tenant, column in places_of(system, entity) %}
        select {{ tenant }} as tenant_id, {{ column }} as {{ id }} from {{ relation }}
        {{ 'union all' if not loop.last }}
        {% endfor %}
    ) as places
    where
        places.{{ id }} is not null
        and places.tenant_id in (
            select tenant_id from quality.reconsidered_tenants where source_system = '{{ system }}'
        )
    on conflict (tenant_id, {{ id }}) do update set claimed_at = excluded.claimed_at;
    {%- endfor %}
    delete from quality.reconsidered_tenants where source_system = '{{ system }}';
{% endmacro %}


{# All tables must have their triggers, enabled: a queue that misses one is worse than none. #}
{% macro has_change_tracking(system) %}
    {%- set tables = tables_that_touch(system) | map(attribute='name') | list -%}
    {%- set queues = [] -%}
    {%- for entity in touched_entities(system) -%}
        {%- do queues.append("to_regclass('" ~ tracking_queue(system, entity) ~ "') is not null") -%}
    {%- endfor -%}
    {%- set found = run_query(
        "select count(*) from pg_trigger as t join pg_class as c on c.oid = t.tgrelid"
        ~ " join pg_namespace as n on n.oid = c.relnamespace where n.nspname = '" ~ raw_schema_of(system) ~ "'"
        ~ " and c.relname in ('" ~ tables | join("', '") ~ "')"
        ~ " and t.tgname in ('agentp_note_insert', 'agentp_note_update', 'agentp_note_delete', 'agentp_note_truncate')"
        ~ " and t.tgenabled in ('O', 'A') and " ~ (queues | join(' and ') or 'false')
    ) -%}
    {{ return(found.rows[0][0] == 4 * tables | length) }}
{% endmacro %}


{# Where triggers note an entity: NULL for the entity means all of the tenant, NULL for the tenant everything. #}
{% macro tracking_queue(system, entity) %}
    {{ return('change_tracking.' ~ declaration(system).get('prefix', system ~ '__') ~ 'changed_' ~ entity ~ 's') }}
{% endmacro %}


{# Where the entities of a tenant are found, as (relation, tenant, id): raw tables, and marts that may know more. #}
{% macro places_of(system, entity) %}
    {%- set places = [] -%}
    {%- for source in tables_that_touch(system, entity) if not source.config.meta.watches -%}
        {%- do places.append((raw_table(source), source.config.meta.tenant, source.config.meta.touches[entity])) -%}
    {%- endfor -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and node.fqn[1] == system and (node.config.get('scope') or {}).get('entity') == entity -%}
        {%- set mart = mart_if_built(node.alias, node.schema) -%}
        {%- for column in [node.config.scope.columns[1]] + node.config.scope.get('also', []) if mart -%}
            {%- do places.append((mart, 'tenant_id', column)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(places) }}
{% endmacro %}


{% macro claim_from_queue(system, entity) %}
    {%- set id, type, queue = queue_column(system, entity), entity_type(system, entity), queue_of(system, entity) -%}
    {%- set claimed = 'claimed_' ~ entity ~ 's' -%}
    create temporary table {{ claimed }} on commit drop as
    with claimed as (
        delete from {{ tracking_queue(system, entity) }}
        returning tenant_id, {{ id }}
    )
    select distinct tenant_id, {{ id }} from claimed;

    insert into {{ queue }} (tenant_id, {{ id }}, claimed_at)
    select distinct touched.tenant_id, touched.{{ id }}, statement_timestamp()
    from (
        select tenant_id, {{ id }} from {{ claimed }} where {{ id }} is not null
        union all
        select {{ everything() }}, {{ everything(type) }} from {{ claimed }} where tenant_id is null
        {% for relation, tenant, column in places_of(system, entity) %}
        union all
        select places.tenant_id, places.{{ id }}
        from (select {{ tenant }} as tenant_id, {{ column }} as {{ id }} from {{ relation }}) as places
        where places.tenant_id in (
            select tenants.tenant_id
            from {{ claimed }} as tenants
            where tenants.{{ id }} is null and tenants.tenant_id is not null
        )
        {% endfor %}
    ) as touched
    where touched.{{ id }} is not null
    on conflict (tenant_id, {{ id }}) do update set claimed_at = excluded.claimed_at;
    drop table {{ claimed }};
{% endmacro %}


{# A fingerprint is a sum of row hashes, so that it needs no order; the row counts keep two equal rows from
   looking like none. What a tenant sets is part of the fingerprints of all that is its own. #}
{% macro claim_from_fingerprints(system, entity) %}
    {%- set id, queue = queue_column(system, entity), queue_of(system, entity) -%}
    {%- set stored = state_table(system, entity ~ '_fingerprints') -%}
    {%- set tenants = [] -%}
    {%- for source in tables_that_touch(system) if source.config.meta.touches == 'tenant' %}{% do tenants.append(source) %}{% endfor -%}
    create temporary table fresh_fingerprints on commit drop as
    select rows.tenant_id, rows.{{ id }},
        sum(rows.row_hash) + count(*)
        {%- for source in tenants %} + coalesce(hashtextextended(tenants_{{ loop.index }}.settings, {{ loop.index }}), 0)
        {%- endfor %} as fingerprint
    from (
        {%- for source in tables_that_touch(system, entity) if source.config.meta.touches != 'tenant' %}
        select
            {{ source.config.meta.tenant }} as tenant_id,
            {{ source.config.meta.touches[entity] }} as {{ id }},
            hashtextextended({{ watched(source) }}, {{ loop.index }})::numeric as row_hash
        from {{ raw_table(source) }} as watched
        {{ 'where ' ~ source.config.meta.watches | join(' is not null or ') ~ ' is not null' if source.config.meta.watches }}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as rows
    {%- for source in tenants %}
    left join (
        select {{ source.config.meta.tenant }} as tenant_id, {{ watched(source) }} as settings from {{ raw_table(source) }} as watched
    ) as tenants_{{ loop.index }} on rows.tenant_id = tenants_{{ loop.index }}.tenant_id
    {%- endfor %}
    where rows.{{ id }} is not null and rows.tenant_id is not null
    group by rows.tenant_id, rows.{{ id }}{% for source in tenants %}, tenants_{{ loop.index }}.settings{% endfor %};

    insert into {{ queue }} (tenant_id, {{ id }}, claimed_at)
    select
        coalesce(fresh.tenant_id, stored.tenant_id),
        coalesce(fresh.{{ id }}, stored.{{ id }}),
        statement_timestamp()
    from fresh_fingerprints as fresh
    full join {{ stored }} as stored
        on fresh.tenant_id = stored.tenant_id and fresh.{{ id }} = stored.{{ id }}
    where fresh.fingerprint is distinct from stored.fingerprint
    on conflict (tenant_id, {{ id }}) do update set claimed_at = excluded.claimed_at;

    delete from {{ stored }} as stored
    where not exists (
        select 1
        from fresh_fingerprints as fresh
        where fresh.tenant_id = stored.tenant_id and fresh.{{ id }} = stored.{{ id }}
    );
    insert into {{ stored }} as stored (tenant_id, {{ id }}, fingerprint)
    select tenant_id, {{ id }}, fingerprint from fresh_fingerprints
    on conflict (tenant_id, {{ id }}) do update set fingerprint = excluded.fingerprint
    where stored.fingerprint is distinct from excluded.fingerprint;
    drop table fresh_fingerprints;
{% endmacro %}


{# What of a raw row, joined as `watched`, reaches marts, as text. #}
{% macro watched(source) -%}
    {%- if source.config.meta.watches -%}
        jsonb_build_array({{ source.config.meta.watches | join(', ') }})::text
    {%- else -%}
        watched::text
    {%- endif -%}
{%- endmacro %}


{# The name of a published mart, or nothing before its first build. #}
{% macro mart_if_built(mart, schema=none) %}
    {%- set name = (schema or target.schema) ~ '.' ~ mart -%}
    {{ return(name if run_query("select to_regclass('" ~ name ~ "') is not null").rows[0][0] else none) }}
{% endmacro %}


{# Whether a raw table has a column that older shapes lack (REQUIREMENTS A2). #}
{% macro has_raw_column(table, column, system=none) %}
    {%- if not execute -%}{{ return(true) }}{%- endif -%}
    {{ return(run_query(
        "select exists (select 1 from pg_attribute where attrelid = to_regclass('" ~ raw_schema_of(system or own_system()) ~ "." ~ table
        ~ "') and attname = '" ~ column ~ "' and not attisdropped)"
    ).rows[0][0]) }}
{% endmacro %}


{% macro raw_column(table, column, data_type, absent='null') -%}
    {%- if has_raw_column(table, column) -%}
        source.{{ adapter.quote(column) }}
    {%- else -%}
        {{ absent }}::{{ data_type }}
    {%- endif -%}
{%- endmacro %}
