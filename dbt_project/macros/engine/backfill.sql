{# Days that somebody wants computed anew (`agentp backfill`): the days themselves, for every tenant, and before that the
   entities that have anything on them, raw or published, so that what daily marts are summed from is right as well.
   The window is a day wider on both sides, because a day begins and ends at other instants in every zone. #}

{% macro claim_days(system) %}
    {%- set days = days_to_rebuild() -%}
    {%- if days -%}
    {%- set first, last = "date '" ~ days[0] ~ "'", "date '" ~ days[1] ~ "'" -%}
    {%- set since, until = "(" ~ first ~ " - 1)::timestamp at time zone 'UTC'", "(" ~ last ~ " + 2)::timestamp at time zone 'UTC'" -%}
    {%- for entity in touched_entities(system) -%}
    {%- set id = queue_column(system, entity) -%}
    {%- set parts = [] -%}
    {%- for source in tables_that_touch(system, entity) if source.loaded_at_field -%}
        {%- do parts.append(
            "select " ~ source.config.meta.tenant ~ " as tenant_id, " ~ source.config.meta.touches[entity] ~ " as " ~ id ~ " from "
            ~ raw_table(source) ~ " where " ~ source.loaded_at_field ~ " >= " ~ since ~ " and " ~ source.loaded_at_field ~ " < " ~ until
        ) -%}
    {%- endfor -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.fqn[1] == system -%}
        {%- set scope = node.config.get('scope') or {} -%}
        {%- set mart = mart_if_built(node.alias, node.schema) if scope.entity == entity else none -%}
        {%- for day in node.config.get('announces', []) if mart -%}
            {%- for column in [scope.columns[1]] + scope.get('also', []) -%}
                {%- do parts.append(
                    "select tenant_id, " ~ column ~ " from " ~ mart ~ " where " ~ day ~ " between " ~ first ~ " and " ~ last
                ) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if parts %}
    insert into {{ queue_of(system, entity) }} (tenant_id, {{ id }}, claimed_at)
    select distinct active.tenant_id, active.{{ id }}, statement_timestamp()
    from (
        {{ parts | join(' union all ') }}
    ) as active
    where active.tenant_id is not null and active.{{ id }} is not null
    on conflict (tenant_id, {{ id }}) do update set claimed_at = excluded.claimed_at;
    {%- endif %}
    {%- endfor %}

    insert into {{ queue_of(system, 'day') }} (tenant_id, day, claimed_at)
    select distinct tenants.tenant_id, series.day::date, statement_timestamp()
    from (
        select known.tenant_id from ({{ declared_tenants(system) }}) as known
        {%- for mart in daily_marts(system) %}
        union
        select tenant_id from {{ mart }} where day between {{ first }} and {{ last }}
        {%- endfor %}
    ) as tenants
    cross join generate_series({{ first }}::timestamp, {{ last }}::timestamp, interval '1 day') as series (day)
    on conflict (tenant_id, day) do update set claimed_at = excluded.claimed_at;
    analyze {{ queue_of(system, 'day') }};
    {%- endif -%}
{% endmacro %}


{# Marts that stand and are computed by days. #}
{% macro daily_marts(system) %}
    {%- set marts = [] -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and node.fqn[1] == system and (node.config.get('scope') or {}).get('entity') == 'day' -%}
        {%- set mart = mart_if_built(node.alias, node.schema) -%}
        {%- if mart %}{% do marts.append(mart) %}{% endif -%}
    {%- endfor -%}
    {{ return(marts) }}
{% endmacro %}
