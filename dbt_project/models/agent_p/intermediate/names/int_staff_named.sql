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
        {{ read_scalar("meta -> 'staff_id'") }} as staff_id,
        case when {{ is_scalar("meta -> 'staff_name'") }} then nullif(btrim(staff_name), '') end as staff_name
    from wishes

)

select distinct on (tenant_id, staff_id)
    tenant_id,
    staff_id,
    staff_name
from wished
where staff_id is not null and staff_name is not null
order by tenant_id asc, staff_id asc, created_at desc nulls last, wish_id desc
