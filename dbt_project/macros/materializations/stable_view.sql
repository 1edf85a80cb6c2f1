{# A view that is replaced in place, never dropped: what hangs on it (grants, other people's views) stays.
   Where the new columns do not fit behind the old ones, Postgres refuses, and says which. #}
{% materialization stable_view, adapter='postgres' %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if config.get('contract').enforced %}{% do get_assert_columns_equivalent(sql) %}{% endif %}
    {% call statement('main') -%}
        create or replace view {{ target_relation }} with (security_invoker = true) as (
            {{ sql }}
        );
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
