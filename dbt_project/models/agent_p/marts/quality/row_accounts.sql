{%- set tables = [
    ('tenants_v2', 'id', 'stg_agent_p__tenants', 'id'),
    ('clients_v2', 'id', 'stg_agent_p__clients', 'tenant_id'),
    ('conversation_sessions_v2', 'id', 'stg_agent_p__sessions', 'tenant_id'),
    ('recent_history_v2', 'id', 'stg_agent_p__messages', 'tenant_id'),
    ('wishlist_v2', 'id', 'stg_agent_p__wishes', 'tenant_id'),
    ('active_sessions_v2', 'session_id', 'stg_agent_p__active_sessions', 'tenant_id'),
    ('user_ltm_v2', 'user_id', 'stg_agent_p__client_memories', 'tenant_id'),
] -%}
with

set_aside as (

    select * from {{ ref('stg_quality__rows_set_aside') }}

),

-- Each row counts once as raw, and once as accepted or as set aside.
counted as (

    {% for table, key, staging, tenant in tables %}
    select
        coalesce(source.{{ tenant }}, {{ nobody() }}) as tenant_id,
        '{{ table }}' as table_name,
        1 as raw_rows,
        0 as accepted_rows,
        (source.{{ tenant }} is null or set_aside.row_key is not null)::integer as set_aside_rows
    from {{ source('agent_p', table) }} as source
    left join set_aside
        on
            source.{{ tenant }} = set_aside.tenant_id
            and set_aside.table_name = '{{ table }}'
            and coalesce(source.{{ key }}::text, '') = set_aside.row_key
    union all
    select
        staged.tenant_id,
        '{{ table }}' as table_name,
        0 as raw_rows,
        1 as accepted_rows,
        0 as set_aside_rows
    from {{ ref(staging) }} as staged
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    tenant_id,
    table_name,
    sum(raw_rows) as raw_rows,
    sum(accepted_rows) as accepted_rows,
    sum(set_aside_rows) as set_aside_rows,
    sum(raw_rows) = sum(accepted_rows) + sum(set_aside_rows) as is_balanced
from counted
group by tenant_id, table_name
