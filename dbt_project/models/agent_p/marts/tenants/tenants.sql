with

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

)

select
    tenant_id,
    tenant_name,
    slug,
    timezone,
    is_active,
    created_at
from tenants
