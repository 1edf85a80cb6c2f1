-- Fails with one row per tenant and client of whose raw messages `dialogs` has more or fewer.
{{ config(meta={'dagster': {'ref': {'name': 'dialogs'}}}) }}

with

messages as (

    select * from {{ ref('stg_agent_p__messages') }}

),

dialogs as (

    select * from {{ ref('dialogs') }}

),

raw_counts as (

    select
        tenant_id,
        client_id,
        count(*) as message_count
    from messages
    group by tenant_id, client_id

),

mart_counts as (

    select
        tenant_id,
        client_id,
        count(*) as message_count
    from dialogs
    group by tenant_id, client_id

)

select
    coalesce(raw_counts.tenant_id, mart_counts.tenant_id) as tenant_id,
    coalesce(raw_counts.client_id, mart_counts.client_id) as client_id,
    raw_counts.message_count as raw_message_count,
    mart_counts.message_count as mart_message_count
from raw_counts
full join mart_counts
    on
        raw_counts.tenant_id = mart_counts.tenant_id
        and raw_counts.client_id = mart_counts.client_id
where raw_counts.message_count is distinct from mart_counts.message_count
