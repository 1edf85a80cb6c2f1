{# A view that is replaced in place, never dropped, and only where its definition changed: what hangs on it (grants, other
   people's views) stays, and who reads it is not waited for. The definition says nothing of the run that makes it. #}
{% materialization stable_view, adapter='postgres' %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if config.get('contract').enforced %}{% do get_assert_columns_equivalent(sql) %}{%- endif %}
    {% do begin_limited() %}
    {%- set is_ready = true -%}
    {% if is_mart() %}
        {%- set is_ready = create_live_view(target_relation, sql) -%}
    {% else %}
        {# What live views read for readers who may not read raw tables: nobody but the owner has a right on it. Others are
           read by who builds, and with their own rights. #}
        {%- set is_read_for_others = target_relation.schema == 'staging' -%}
        {% do put_view(target_relation, 'security_invoker = ' ~ ('false' if is_read_for_others else 'true'), sql) %}
        {%- set is_ready = is_settled(target_relation) -%}
    {% endif %}
    {% call statement('main') %}select 1{% endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {% if not is_ready %}{% do settle(target_relation) %}{% endif %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
