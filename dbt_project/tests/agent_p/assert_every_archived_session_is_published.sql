-- Fails with one row per archived session that `sessions` lacks, and per session it has beyond those and the inferred ones.
{{ config(meta={'dagster': {'ref': {'name': 'sessions'}}}) }}

with

archived as (

    select * from {{ ref('stg_agent_p__sessions') }}

),

sessions as (

    select * from {{ ref('sessions') }}

),

published as (

    select
        tenant_id,
        session_id
    from sessions
    where not is_inferred

)

select
    coalesce(archived.tenant_id, published.tenant_id) as tenant_id,
    coalesce(archived.session_id, published.session_id) as session_id
from archived
full join published
    on
        archived.tenant_id = published.tenant_id
        and archived.session_id = published.session_id
where archived.session_id is null or published.session_id is null
