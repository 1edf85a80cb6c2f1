{# The materialization of every mart (DESIGN, decision 3): new rows are built aside, then deleted, updated and
   inserted by primary key in one transaction, which is one script of SQL. The relation keeps its identity, is never missing,
   empty or half built, and an unchanged input changes no row.

   config:
     scope       what one scoped build may touch: {'entity': an entity of the system's or 'day', 'columns': [tenant, id]}; `also`
                 names further columns with such an id;
                 without it every build covers the whole table.
     brake       false where the mart may lose any number of rows at once (brake.sql).
     announces   column pairs (tenant, day) of rows that changed, handed on to the queue of touched days.
     indexes     lists of columns beside the primary key. #}
{% materialization published, adapter='postgres' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set full = is_full_build() -%}
    {%- set key = primary_key_of(model) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {% do require_table(existing) %}
    {# A scoped build has the definition of the last complete one, whose columns were checked. Before the parts are read:
       what the check locks is let go with the first of them. #}
    {% if full %}
        {% do set_limits() %}
        {% do get_assert_columns_equivalent(narrow_to_batch(sql, none, none)) %}
    {% endif %}
    {%- set rows_sql = gather_batches(sql, key) -%}
    {% do begin_limited() %}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set changes = alter_to_contract(target_relation, key) if full and existing is not none else none %}

    {% call statement('main') -%}
        {% if existing is none -%}
        {{ publish_first(target_relation, rows_sql, key) }}
        {%- else -%}
        {{ publish_changes(target_relation, rows_sql, key, full, changes) }}
        {%- endif %}
        {{ secured(target_relation) }};
        {{ model_run_record(target_relation, full) }}
    {%- endcall %}

    {% if full %}{% do publish_indexes(target_relation) %}{% endif %}
    {%- set is_ready = is_settled(target_relation) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {% if not is_ready %}{% do settle(target_relation) %}{% endif %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{# Make the table and fill it; the key comes last, because one sort is cheaper than a million descents. #}
{% macro publish_first(relation, sql, key) %}
    {%- set names = quote_columns(model.columns.keys()) -%}
    {{ create_by_contract(relation, key) }};
    insert into {{ relation }} ({{ names }})
    select {{ names }} from (
        {{ sql }}
    ) as built;
    alter table {{ relation }} add primary key ({{ quote_columns(key) }});
    analyze {{ relation }};
    create temporary table {{ aside(relation, 'written') }} on commit drop as
    select {{ quote_columns(key) }}, false as is_update from {{ relation }};
    create temporary table {{ aside(relation, 'removed') }} on commit drop as
    select {{ quote_columns(key) }} from {{ relation }} where false;
{% endmacro %}


{% macro publish_changes(relation, sql, key, full, changes) %}
    {%- set names = model.columns.keys() | list -%}
    {%- set next, written, removed = aside(relation, 'next'), aside(relation, 'written'), aside(relation, 'removed') -%}
    {%- set scope = none if full else config.get('scope') -%}
    {%- set values = names | reject('in', key) | list -%}
    create temporary table {{ next }} on commit drop as
    select {{ quote_columns(names) }} from (
        {{ sql }}
    ) as built;
    analyze {{ next }};
    {% for statement_text in changes.early if changes %}{{ statement_text }};
    {% endfor %}

    create temporary table {{ written }} on commit drop as
    select {{ quote_columns(key, 'next_rows') }}, stored.{{ adapter.quote(key[0]) }} is not null as is_update
    from {{ next }} as next_rows
    left join {{ relation }} as stored on {{ equal_keys(key, 'next_rows', 'stored') }}
    where
        stored.{{ adapter.quote(key[0]) }} is null
        or ({{ quote_columns(names, 'stored') }}) is distinct from ({{ quote_columns(names, 'next_rows') }});
    create temporary table {{ removed }} on commit drop as
    select {{ quote_columns(key, 'stored') }}
    from {{ relation }} as stored
    where
        not exists (select 1 from {{ next }} as next_rows where {{ equal_keys(key, 'next_rows', 'stored') }})
        {%- if scope %}
        and {{ scope_filter(scope, 'stored') }}
        {%- endif %};

    {{ brake(relation, next, written, removed, key) }}
    {# Readers go on reading; a second writer waits for the lock instead of meeting us half-way. #}
    {{ where_changed([written, removed], "lock table " ~ relation ~ " in share row exclusive mode") }}
    {% if not full %}{{ announce_days(relation, next, written, removed, key) }}{% endif %}
    delete from {{ relation }} where ({{ quote_columns(key) }}) in (select {{ quote_columns(key) }} from {{ removed }});
    insert into {{ relation }} ({{ quote_columns(names) }})
    select {{ quote_columns(names) }} from {{ next }}
    where ({{ quote_columns(key) }}) in (select {{ quote_columns(key) }} from {{ written }})
    on conflict ({{ quote_columns(key) }}) do
    {%- if values %} update set {% for name in values -%}
        {{ adapter.quote(name) }} = excluded.{{ adapter.quote(name) }}{{ ', ' if not loop.last }}
    {%- endfor %}{% else %} nothing{% endif %};
    {% for statement_text in changes.late if changes %}{{ statement_text }};
    {% endfor %}
    {% if full %}{{ where_changed([written, removed], "analyze " ~ relation) }}{% endif %}
{% endmacro %}


{# The name of a table that lives as long as the transaction that publishes. #}
{% macro aside(relation, part) %}
    {{ return(adapter.quote(relation.identifier ~ '__' ~ part)) }}
{% endmacro %}


{# Do so where one of these holds a row: what nothing changed in need not be locked, nor known anew by the planner. #}
{% macro where_changed(changes, statement_text) %}
    do $changed$
    begin
        if {% for change in changes %}exists (select 1 from {{ change }}){{ ' or ' if not loop.last }}{% endfor %} then
            {{ statement_text }};
        end if;
    end
    $changed$;
{% endmacro %}


{# Queue the tenant-days that old or new versions of changed rows belong to, in the publishing transaction:
   a build that dies after it finds them still queued. #}
{% macro announce_days(relation, next, written, removed, key) %}
    {%- set days = config.get('announces', []) -%}
    {% if days %}
    {%- set queue = queue_of(own_system(), 'day') %}
    insert into {{ queue }} (tenant_id, day, claimed_at)
    select distinct tenant_id, day, statement_timestamp()
    from (
        {% for day in days -%}
        {% set outer_loop = loop -%}
        {% for rows, keys in [(relation, written), (next, written), (relation, removed)] -%}
        select tenant_id, {{ adapter.quote(day) }} as day from {{ rows }}
        where ({{ quote_columns(key) }}) in (select {{ quote_columns(key) }} from {{ keys }})
        {{ 'union all' if not (loop.last and outer_loop.last) }}
        {% endfor -%}
        {% endfor -%}
    ) as changed
    where day is not null
    on conflict (tenant_id, day) do update set claimed_at = excluded.claimed_at;
    {# What was a handful of days an hour ago may be years now, and the planner should know. #}
    {{ where_changed([written, removed], "analyze " ~ queue) }}
    {% endif %}
{% endmacro %}


{# What the build did to the mart, in the transaction that did it. How many rows the mart holds now is counted by a full build
   and carried forward by a scoped one, which must not cost more the longer the history is. #}
{% macro model_run_record(relation, full) -%}
    insert into build.model_runs (
        invocation_id, model, was_full, rows_inserted, rows_updated, rows_deleted, row_count, finished_at
    )
    select
        '{{ invocation_id }}', '{{ model.name }}', {{ full }}, counts.inserted, counts.updated, counts.deleted,
        coalesce(
            {%- if not full %}
            (
                select model_runs.row_count + counts.inserted - counts.deleted
                from build.model_runs
                where model_runs.model = '{{ model.name }}'
                order by model_runs.finished_at desc
                limit 1
            ),
            {%- endif %}
            (select count(*) from {{ relation }})
        ),
        clock_timestamp()
    from (
        select
            (select count(*) from {{ aside(relation, 'written') }} where not is_update) as inserted,
            (select count(*) from {{ aside(relation, 'written') }} where is_update) as updated,
            (select count(*) from {{ aside(relation, 'removed') }}) as deleted
    ) as counts
{%- endmacro %}


{% macro publish_indexes(relation) %}
    {%- set wanted = {} -%}
    {%- for columns in config.get('indexes', []) -%}
        {%- do wanted.update({(relation.identifier ~ '_' ~ columns | join('_'))[:63]: "(" ~ quote_columns(columns) ~ ")"}) -%}
    {%- endfor -%}
    {% do create_indexes(relation, wanted) %}
{% endmacro %}


{# Make the indexes, by name, that the relation lacks. `if not exists` would lock it first and look afterwards. #}
{% macro create_indexes(relation, wanted) %}
    {%- if execute and wanted -%}
        {%- set present = run_query(
            "select relname::text from pg_index join pg_class on indexrelid = oid where indrelid = '" ~ relation ~ "'::regclass"
        ).columns[0].values() -%}
        {%- for name, definition in wanted.items() if name not in present -%}
            {% do run_query("create index " ~ adapter.quote(name) ~ " on " ~ relation ~ " " ~ definition) %}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
