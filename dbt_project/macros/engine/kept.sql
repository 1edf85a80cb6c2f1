{# The materialization of what cannot be computed again: what the model selects is appended, and nothing that is there is
   ever altered or removed, whatever is built, `--full-refresh` included. The model reads what it kept as `this`, which is
   there from before the first build on, and selects only what is new: nothing, when nothing is.

   config:
     indexes     lists of columns beside the primary key. #}
{% materialization kept, adapter='postgres' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set full = is_full_build() -%}
    {%- set key = primary_key_of(model) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {% do begin_limited() %}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% do require_table(existing) %}
    {% if existing is none %}
        {% do run_unheard(
            create_by_contract(target_relation, key)
            ~ "; alter table " ~ target_relation ~ " add primary key (" ~ quote_columns(key) ~ ")"
        ) %}
    {% endif %}
    {# A scoped build has the definition of the last complete one, whose columns were checked. #}
    {%- set changes = alter_to_contract(target_relation, key) if full and existing is not none else none -%}
    {% for statement_text in changes.early if changes %}{% do run_unheard(statement_text) %}{% endfor %}
    {% if full %}{% do get_assert_columns_equivalent(sql) %}{% endif %}
    {%- set names = quote_columns(model.columns.keys()) -%}
    {%- set written = aside(target_relation, 'written') -%}
    {%- set removed = aside(target_relation, 'removed') %}

    {% call statement('main') -%}
        create temporary table {{ written }} on commit drop as
        select {{ names }}, false as is_update from (
            {{ sql }}
        ) as fresh;
        create temporary table {{ removed }} on commit drop as select from {{ written }} where false;
        insert into {{ target_relation }} ({{ names }}) select {{ names }} from {{ written }};
        {% for statement_text in changes.late if changes %}{{ statement_text }};
        {% endfor %}
        {{ secured(target_relation) }};
        {% if full %}{{ where_changed([written], "analyze " ~ target_relation) }}{% endif %}
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
