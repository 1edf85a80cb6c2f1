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
    {%- set late = [] -%}
    {% if existing is none %}
        {% do create_by_contract(target_relation, key) %}
        {% do run_query("alter table " ~ target_relation ~ " add primary key (" ~ quote_columns(key) ~ ")") %}
    {% elif full %}
        {# A scoped build has the definition of the last complete one, whose columns were checked. #}
        {%- set late = alter_to_contract(target_relation, key) -%}
    {% endif %}
    {% if full %}{% do get_assert_columns_equivalent(sql) %}{% endif %}

    {%- set names = quote_columns(model.columns.keys()) -%}
    {% call statement('append') -%}
        insert into {{ target_relation }} ({{ names }}) select {{ names }} from ({{ sql }}) as fresh
    {%- endcall %}
    {%- set counts = {'inserted': load_result('append').response.rows_affected, 'updated': 0, 'deleted': 0} -%}
    {% for statement_text in late %}{% do change(statement_text) %}{% endfor %}
    {%- set is_shown = secure(target_relation) -%}
    {%- set row_count = count_published(target_relation, counts, full) -%}
    {% if full %}{% do publish_indexes(target_relation) %}{% endif %}
    {% if full and counts.inserted > 0 %}{% do run_query("analyze " ~ target_relation) %}{% endif %}
    {% call statement('main') %}{{ model_run_record(counts, row_count, full) }}{% endcall %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {% if not is_shown %}{% do show_to_analysts(target_relation) %}{% endif %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
