{# The state of builds, in schema `build`: what ran, and what is queued. Queues are only emptied by a build that
   finished every mart, so that a build that dies anywhere is simply run again (REQUIREMENTS D3). #}

{% macro open_build() %}
    {%- if not execute or flags.WHICH not in ('run', 'build') -%}
        {{ return('') }}
    {%- endif -%}
    {% do require_secure_models() %}
    {% do run_query(build_state_ddl()) %}
    {% do open_schemas_to_declared() %}
    {%- if not is_build() -%}
        {{ return(limits() ~ ';\n' ~ note_present()) }}
    {%- endif -%}
    {{ limits() }};
    begin;
    {{ note_present() }}
    insert into build.timezones (timezone)
    select name from pg_timezone_names
    where name not like 'posix/%' and name not like 'right/%' and name <> 'Factory'
    on conflict (timezone) do nothing;

    {% for system in systems() %}
    {{ claim_changes(system) }}
    {{ analyze_queues(system) }}
    {% endfor %}

    insert into build.runs (invocation_id, as_of, definition, is_full, claimed_at)
    select
        '{{ invocation_id }}',
        '{{ as_of() }}',
        '{{ definition() }}',
        {{ flags.FULL_REFRESH }}
        or '{{ definition() }}' = ''
        or '{{ definition() }}' is distinct from (
            select runs.definition
            from build.runs
            where runs.outcome = 'complete'
            order by runs.finished_at desc
            limit 1
        )
        {% for system in systems() %}{% for entity in touched_entities(system) %}
        or exists (select 1 from {{ queue_of(system, entity) }} where tenant_id = {{ everything() }})
        {% endfor %}{% endfor %}
        {# A full build that died half-way had left out what its queues hang together with. #}
        or exists (
            select 1
            from build.runs
            where
                runs.is_full
                and runs.outcome <> 'complete'
                and runs.claimed_at > coalesce(
                    (select max(complete.claimed_at) from build.runs as complete where complete.outcome = 'complete'),
                    '-infinity'
                )
        ),
        statement_timestamp();

    {% for system in systems() %}
    {{ claim_days(system) }}
    {{ run_hook(system, 'claim_more') }}
    {% endfor %}
    commit;
{% endmacro %}


{# Replacing views, or running tests alone, builds nothing: it claims no changes and finishes none. #}
{% macro is_build() %}
    {%- if not execute or flags.WHICH not in ('run', 'build') -%}
        {{ return(false) }}
    {%- endif -%}
    {%- for node in graph.nodes.values()
        if node.unique_id in selected_resources and node.config.materialized in ('published', 'kept') -%}
        {{ return(true) }}
    {%- endfor -%}
    {{ return(false) }}
{% endmacro %}


{% macro close_build(results) %}
    {%- if not is_build() -%}
        {{ return('') }}
    {%- endif -%}
    {%- set wanted = [] -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and node.config.materialized in ('published', 'kept') -%}
        {%- do wanted.append(node.unique_id) -%}
    {%- endfor -%}
    {%- set built = [] -%}
    {%- set failed = [] -%}
    {%- for result in results if result.node.resource_type == 'model' -%}
        {%- if result.status == 'success' -%}
            {%- do built.append(result.node.unique_id) -%}
        {%- else -%}
            {%- do failed.append(result.node.unique_id) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set missed = wanted | reject('in', built) | list -%}
    {%- set outcome = 'failed' if failed else ('partial' if missed else 'complete') -%}
    {# Of a connection that a failed start has rolled back nobody knows the limits. #}
    {{ limits() }};
    begin;
    {% if outcome == 'complete' %}
    {% for system in systems() %}
    {{ run_hook(system, 'finish') }}
    {% endfor %}
    {{ settle_removals() }}
    {% for system in systems() %}
    {% for entity in declaration(system).get('entities', {}) %}
    delete from {{ queue_of(system, entity) }}
    where claimed_at <= (select runs.claimed_at from build.runs where runs.invocation_id = '{{ invocation_id }}');
    {% endfor %}
    {% if models_that_read_days(system) %}
    {# Days are announced while the build runs, and built after that in the same run. #}
    delete from {{ queue_of(system, 'day') }}
    where claimed_at <= (
        select min(model_runs.finished_at)
        from build.model_runs
        where model_runs.invocation_id = '{{ invocation_id }}' and model_runs.model in (
            {%- for name in models_that_read_days(system) %}'{{ name }}'{{ ', ' if not loop.last }}{% endfor -%}
        )
    )
    {# What is not over anywhere by the clock is looked at again, until it is and what it showed can be kept. #}
    and (
        day < (statement_timestamp() at time zone 'UTC' - interval '12 hours')::date
        or day > {{ as_of_day("'UTC'") }} + 1
    );
    {% endif %}
    {% endfor %}
    {% endif %}
    update build.runs set outcome = '{{ outcome }}', finished_at = statement_timestamp()
    where invocation_id = '{{ invocation_id }}';
    commit;
{% endmacro %}


{# What was announced before a complete build began has gone with it. #}
{% macro settle_removals() %}
    do $settle$
    begin
        if to_regclass('quality.announced_removals') is not null then
            update quality.announced_removals as announced
            set settled_at = statement_timestamp()
            from build.runs as runs
            where
                runs.invocation_id = '{{ invocation_id }}'
                and announced.settled_at is null
                and announced.announced_at <= runs.claimed_at;
        end if;
    end
    $settle$;
{% endmacro %}


{% macro models_that_read_days(system) %}
    {%- set names = [] -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and node.fqn[1] == system and (node.config.get('scope') or {}).get('entity') == 'day' -%}
        {%- do names.append(node.name) -%}
    {%- endfor -%}
    {{ return(names) }}
{% endmacro %}


{# The id that stands for "every entity of every tenant" in the queues. #}
{% macro everything(type='uuid') -%}
    '00000000-0000-0000-0000-000000000000'::{{ type }}
{%- endmacro %}


{# The tenant id under which schema `quality` files rows that name no tenant. #}
{% macro nobody() -%}
    '00000000-0000-0000-0000-000000000000'::uuid
{%- endmacro %}


{% macro build_state_ddl() %}
    set client_min_messages = warning;
    do $$
    begin
        if to_regnamespace('build') is null then create schema build; end if;
        if to_regnamespace('{{ target.schema }}') is null then create schema {{ target.schema }}; end if;
    end
    $$;
    create table if not exists build.runs (
        invocation_id text primary key,
        as_of text not null,
        definition text not null,
        is_full boolean not null,
        claimed_at timestamptz not null,
        finished_at timestamptz,
        outcome text not null default 'running'
    );
    create table if not exists build.model_runs (
        invocation_id text not null,
        model text not null,
        was_full boolean not null,
        rows_inserted bigint not null,
        rows_updated bigint not null,
        rows_deleted bigint not null,
        row_count bigint not null,
        finished_at timestamptz not null,
        primary key (invocation_id, model)
    );
    {# Not `if not exists`, which locks the table before it looks. #}
    do $$
    begin
        if to_regclass('build.model_runs_latest') is null then
            create index model_runs_latest on build.model_runs (model, finished_at);
        end if;
    end
    $$;
    {% for system in systems() %}{{ queues_ddl(system) }}{% endfor %}
    create table if not exists build.batches (up_to uuid primary key);
    create table if not exists build.declared_grants (
        schema_name text not null,
        relation_name text not null,
        role_name text not null,
        primary key (schema_name, relation_name, role_name)
    );
    create table if not exists build.present (
        is_present boolean primary key check (is_present),
        as_of_day date,
        as_of_instant timestamptz
    );
    create table if not exists build.timezones (timezone text primary key);
    reset client_min_messages;
{% endmacro %}


{# Queues of entities and of days, and what the entities' rows were when they were last looked at. #}
{% macro queues_ddl(system) %}
    {%- for entity in declaration(system).get('entities', {}) | list + ['day'] %}
    {%- set id, type = queue_column(system, entity), entity_type(system, entity) %}
    create table if not exists {{ queue_of(system, entity) }} (
        tenant_id uuid not null,
        {{ id }} {{ type }} not null,
        claimed_at timestamptz not null,
        primary key (tenant_id, {{ id }})
    );
    {%- if entity in touched_entities(system) %}
    create table if not exists {{ state_table(system, entity ~ '_fingerprints') }} (
        tenant_id uuid not null,
        {{ id }} {{ type }} not null,
        fingerprint numeric not null,
        primary key (tenant_id, {{ id }})
    );
    {%- endif %}
    {%- endfor %}
{% endmacro %}


{% macro analyze_queues(system) -%}
    {%- for entity in touched_entities(system) %}analyze {{ queue_of(system, entity) }}; {% endfor -%}
{%- endmacro %}


{# A build may be for an earlier day than the last one: then what had come due is ahead again. #}
{% macro has_as_of_moved_back() -%}
    exists (
        select 1
        from build.runs as earlier
        where
            earlier.invocation_id <> '{{ invocation_id }}'
            and earlier.claimed_at >= coalesce(
                (select max(complete.claimed_at) from build.runs as complete where complete.outcome = 'complete'), '-infinity'
            )
            and (
                (length(earlier.as_of) = 10) <> {{ 'true' if is_as_of_a_day() else 'false' }}
                or earlier.as_of::timestamptz > '{{ as_of() }}'::timestamptz
            )
    )
{%- endmacro %}
