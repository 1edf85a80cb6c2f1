{# The materialization of every mart (DESIGN, decision 3): new rows are built aside, then deleted, updated and
   inserted by primary key in one transaction. The relation keeps its identity, is never missing, empty or half
   built, and an unchanged input changes no row.

   config:
     scope       what one scoped build may touch: {'queue': 'touched_clients' | 'touched_days', 'columns': [...]};
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


    {% if existing is none %}
        {%- set counts = publish_first(target_relation, rows_sql, key) -%}
    {% else %}
        {%- set counts = publish_changes(target_relation, rows_sql, key, full) -%}
    {% endif %}
    {% do secure(target_relation) %}
    {%- set row_count = count_published(target_relation, counts, full) -%}
    {% if full %}{% do publish_indexes(target_relation) %}{% endif %}
    {% call statement('main') %}{{ model_run_record(counts, row_count, full) }}{% endcall %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{# Make the table and fill it; the key comes last, because one sort is cheaper than a million descents. #}
{% macro publish_first(relation, sql, key) %}
    {% do create_by_contract(relation, key) %}
    {%- set names = quote_columns(model.columns.keys()) -%}
    {% call statement('fill') -%}
        insert into {{ relation }} ({{ names }}) select {{ names }} from ({{ sql }}) as built
    {%- endcall %}
    {%- set inserted = load_result('fill').response.rows_affected -%}
    {% do run_query("alter table " ~ relation ~ " add primary key (" ~ quote_columns(key) ~ ")") %}
    {% do run_query("analyze " ~ relation) %}
    {{ return({'inserted': inserted, 'updated': 0, 'deleted': 0}) }}
{% endmacro %}


{% macro publish_changes(relation, sql, key, full) %}
    {%- set names = model.columns.keys() | list -%}
    {%- set next = adapter.quote(relation.identifier ~ '__next') -%}
    {%- set written = adapter.quote(relation.identifier ~ '__written') -%}
    {%- set removed = adapter.quote(relation.identifier ~ '__removed') -%}
    {%- set scope = none if full else config.get('scope') -%}

    {# Readers go on reading; a second writer waits for the lock instead of meeting us half-way. #}
    {% do run_unheard(
        "create temporary table " ~ next ~ " on commit drop as select " ~ quote_columns(names) ~ " from (" ~ sql ~ ") as built; "
        ~ "analyze " ~ next ~ "; lock table " ~ relation ~ " in share row exclusive mode"
    ) %}
    {%- set late = alter_to_contract(relation, key) if full else [] -%}

    {%- set counts = run_query(
        "create temporary table " ~ written ~ " on commit drop as select " ~ quote_columns(key, 'next_rows')
        ~ ", stored." ~ adapter.quote(key[0]) ~ " is not null as is_update from " ~ next ~ " as next_rows left join "
        ~ relation ~ " as stored on " ~ equal_keys(key, 'next_rows', 'stored') ~ " where stored." ~ adapter.quote(key[0])
        ~ " is null or (" ~ quote_columns(names, 'stored') ~ ") is distinct from (" ~ quote_columns(names, 'next_rows') ~ "); "
        ~ "create temporary table " ~ removed ~ " on commit drop as select " ~ quote_columns(key, 'stored') ~ " from " ~ relation
        ~ " as stored where not exists (select 1 from " ~ next ~ " as next_rows where "
        ~ equal_keys(key, 'next_rows', 'stored') ~ ")"
        ~ ((" and " ~ scope_filter(scope, 'stored')) if scope else '') ~ "; "
        ~ "select (select count(*) from " ~ written ~ " where not is_update), (select count(*) from " ~ written
        ~ " where is_update), (select count(*) from " ~ removed ~ ")"
    ).rows[0] -%}

    {% if counts[2] > (env_var('AGENTP_BRAKE_ROWS', '100') | int) // 5 and config.get('brake', true)
        and env_var('AGENTP_ACCEPT_REMOVALS', '') != 'true' %}
        {% do brake(relation, next, written, removed, key) %}
    {% endif %}
    {% if counts[0] + counts[1] + counts[2] > 0 %}
        {% if not full %}{% do announce_days(relation, next, written, removed, key) %}{% endif %}
        {% do run_unheard(
            "delete from " ~ relation ~ " where (" ~ quote_columns(key) ~ ") in (select "
            ~ quote_columns(key) ~ " from " ~ removed ~ ")"
        ) %}
        {%- set assignments = [] -%}
        {%- for name in names if name not in key -%}
            {%- do assignments.append(adapter.quote(name) ~ ' = excluded.' ~ adapter.quote(name)) -%}
        {%- endfor -%}
        {% do run_unheard(
            "insert into " ~ relation ~ " (" ~ quote_columns(names) ~ ") select " ~ quote_columns(names) ~ " from " ~ next
            ~ " where (" ~ quote_columns(key) ~ ") in (select " ~ quote_columns(key) ~ " from " ~ written ~ ")"
            ~ " on conflict (" ~ quote_columns(key) ~ ") do "
            ~ (("update set " ~ assignments | join(', ')) if assignments else "nothing")
        ) %}
    {% endif %}
    {% for statement_text in late %}{% do run_query(statement_text) %}{% endfor %}
    {% if full and counts[0] + counts[1] + counts[2] > 0 %}{% do run_query("analyze " ~ relation) %}{% endif %}
    {{ return({'inserted': counts[0], 'updated': counts[1], 'deleted': counts[2]}) }}
{% endmacro %}


{# Queue the tenant-days that old or new versions of changed rows belong to, in the publishing transaction:
   a build that dies after it finds them still queued. #}
{% macro announce_days(relation, next, written, removed, key) %}
    {%- set parts = [] -%}
    {%- for day in config.get('announces', []) -%}
        {%- for rows, keys in [(relation, written), (next, written), (relation, removed)] -%}
            {%- do parts.append(
                "select tenant_id, " ~ adapter.quote(day) ~ " as day from " ~ rows ~ " where (" ~ quote_columns(key)
                ~ ") in (select " ~ quote_columns(key) ~ " from " ~ keys ~ ")"
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {% if parts %}
        {# What was a handful of days an hour ago may be years now, and the planner should know. #}
        {% do run_unheard(
            "insert into build.touched_days (tenant_id, day, claimed_at) select distinct tenant_id, day, statement_timestamp() from ("
            ~ parts | join(' union all ') ~ ") as changed where day is not null"
            ~ " on conflict (tenant_id, day) do update set claimed_at = excluded.claimed_at; analyze build.touched_days"
        ) %}
    {% endif %}
{% endmacro %}


{# How many rows the mart holds now, as SQL: counted by a full build, carried forward by a scoped one, which must not cost
   more the longer the history is. #}
{% macro count_published(relation, counts, full) -%}
    {%- if not full %}
    (
        select row_count + {{ counts.inserted - counts.deleted }}
        from build.model_runs where model = '{{ relation.identifier }}' order by finished_at desc limit 1
    ), {% endif -%}
    (select count(*) from {{ relation }})
{%- endmacro %}


{# What the build did to the mart, in the transaction that did it. #}
{% macro model_run_record(counts, row_count, full) -%}
    insert into build.model_runs (
        invocation_id, model, was_full, rows_inserted, rows_updated, rows_deleted, row_count, finished_at
    ) values (
        '{{ invocation_id }}', '{{ this.identifier }}', {{ full }},
        {{ counts.inserted }}, {{ counts.updated }}, {{ counts.deleted }}, coalesce({{ row_count }}), statement_timestamp()
    )
{%- endmacro %}


{% macro publish_indexes(relation) %}
    {% for columns in config.get('indexes', []) %}
        {% do run_query(
            "create index if not exists " ~ adapter.quote((relation.identifier ~ '_' ~ columns | join('_'))[:63])
            ~ " on " ~ relation ~ " (" ~ quote_columns(columns) ~ ")"
        ) %}
    {% endfor %}
{% endmacro %}
