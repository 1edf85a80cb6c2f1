with

held as (

    select * from {{ ref('int_slots_held') }}

),

wishes as (

    select * from {{ ref('stg_agent_p__wishes') }}

),

clients as (

    select * from {{ ref('clients') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

freed as (

    select
        held.tenant_id,
        held.booking_id,
        held.visit_at,
        held.service_id,
        {{ local_day('held.visit_at', tenant_timezone()) }} as visit_day,
        {{ local_time('held.visit_at', tenant_timezone()) }}::time as visit_time,
        coalesce(held.released_at, held.visit_at) as released_at
    from held
    left join tenants on held.tenant_id = tenants.tenant_id
    where held.outcome in ('cancelled', 'moved') and isfinite(held.visit_at)

),

-- Wishes that a freed slot would have met: made before it came free, or, where nobody knows when that was, before the visit.
wished as (

    select
        freed.tenant_id,
        freed.booking_id,
        freed.visit_at,
        wishes.wish_id,
        wishes.client_id,
        coalesce(clients.person_id, wishes.client_id) as person_id,
        wishes.created_at,
        wishes.processed_at is null or wishes.processed_at >= freed.released_at as was_pending
    from freed
    inner join wishes
        on
            freed.tenant_id = wishes.tenant_id
            and freed.service_id = {{ wished_service('wishes') }}
            and freed.visit_day = {{ parse_day("wishes.meta ->> 'date'") }}
    left join clients
        on
            wishes.tenant_id = clients.tenant_id
            and wishes.client_id = clients.client_id
    where
        wishes.created_at <= freed.released_at
        and {{ fits_time_preference("lower(btrim(wishes.meta ->> 'time_preference'))", 'freed.visit_time') }}

)

select * from wished
