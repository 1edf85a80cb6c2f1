with

wishes as (

    select * from {{ ref('stg_agent_p__wishes') }}

),

-- Bots name them in wishes alone (seed 01, section 5): bookings know numbers.
wished as (

    select
        tenant_id,
        wish_id,
        created_at,
        {{ wished_service("wishes") }} as service_id,
        case when {{ is_scalar("meta -> 'service_title'") }} then nullif(btrim(service_title), '') end as service_title
    from wishes

)

select distinct on (tenant_id, service_id)
    tenant_id,
    service_id,
    service_title
from wished
where service_id is not null and service_title is not null
order by tenant_id asc, service_id asc, created_at desc nulls last, wish_id desc
