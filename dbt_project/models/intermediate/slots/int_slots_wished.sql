with

visits as (

    select * from {{ ref('visits') }}

),

wishes as (

    select * from {{ ref('stg_agent_p__wishes') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

freed as (

    select
        visits.tenant_id,
        visits.booking_id,
        visits.service_id,
        visits.visit_day,
        {{ local_time('visits.visit_at', tenant_timezone()) }}::time as visit_time,
        visits.booked_at,
        coalesce(visits.released_at, visits.visit_at) as released_at
    from visits
    left join tenants on visits.tenant_id = tenants.tenant_id
    where visits.outcome in ('cancelled', 'moved') and isfinite(visits.visit_at)

),

-- Wishes that a freed slot would have met: made before it came free, or, where nobody knows when that was, before the visit.
wished as (

    select
        freed.tenant_id,
        freed.booking_id,
        wishes.wish_id,
        wishes.client_id,
        wishes.created_at,
        wishes.processed_at is null or wishes.processed_at >= freed.released_at as was_pending
    from freed
    inner join wishes
        on
            freed.tenant_id = wishes.tenant_id
            and freed.service_id = {{ wished_service('wishes') }}
            and freed.visit_day = {{ parse_day("wishes.meta ->> 'date'") }}
    where
        wishes.created_at <= freed.released_at
        and {{ fits_time_preference("lower(btrim(wishes.meta ->> 'time_preference'))", 'freed.visit_time') }}

)

select * from wished
