with

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

-- Read more than once: Postgres would store all of it first, and look nothing up by index.
tenant_days as not materialized (

    select * from {{ ref('int_tenant_days') }}

),

-- The calendar without gaps: a single message dated 1970 is no history to compare with (docs/decisions.md, "Calendar").
bounded as (

    select
        tenants.tenant_id,
        (
            select min(tenant_days.day)
            from tenant_days
            where
                tenant_days.tenant_id = tenants.tenant_id
                and tenant_days.day >= date '{{ var("calendar_starts_on") }}'
        ) as first_day,
        (
            select max(tenant_days.day)
            from tenant_days
            where
                tenant_days.tenant_id = tenants.tenant_id
                and tenant_days.day >= date '{{ var("calendar_starts_on") }}'
                and tenant_days.is_final
        ) as last_day
    from tenants
    where tenants.is_active

)

select
    bounded.tenant_id,
    lengths.period_days,
    bounded.last_day - lengths.period_days + 1 as period_start,
    bounded.last_day as period_end,
    bounded.last_day - 2 * lengths.period_days + 1 as previous_start,
    bounded.last_day - lengths.period_days as previous_end,
    bounded.first_day <= bounded.last_day - 2 * lengths.period_days + 1 as is_comparable
from bounded
cross join lateral (values (7), (30), (90)) as lengths (period_days)
where bounded.last_day is not null
