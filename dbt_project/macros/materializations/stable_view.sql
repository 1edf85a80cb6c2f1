{# A view that is replaced in place, never dropped: what hangs on it (grants, other people's views) stays.
   Where the new columns do not fit behind the old ones, Postgres refuses, and says which. #}
{% materialization stable_view, adapter='postgres' %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if config.get('contract').enforced %}{% do get_assert_columns_equivalent(sql) %}{% endif %}
    {% do begin_limited() %}
    {% if is_mart() %}
        {% do create_live_view(target_relation, sql) %}
    {% else %}
        {% call statement('main') -%}
            {# What live views read for readers who may not read raw tables: nobody but the owner has a right on it. #}
            create or replace view {{ target_relation }} with (security_invoker = false) as (
                {{ sql }}
            );
        {%- endcall %}
    {% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
