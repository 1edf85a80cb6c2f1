{{ config(indexes=[['tenant_id', 'visit_at']]) }}

with

visits as (

    select * from {{ ref('visits') }}

),

wished as (

    select * from {{ ref('int_slots_wished') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

freed as (

    select * from visits
    where outcome in ('cancelled', 'moved') and isfinite(visit_at) and coalesce(staff_id, service_id) is not null

),

-- Nobody works for two at once: a later booking of the same staff member (where none is noted, of the same service) for
-- the same time took the slot that had come free.
taken as (

    select
        freed.tenant_id,
        freed.booking_id,
        visits.booking_id as refill_booking_id,
        visits.client_id as refill_client_id,
        visits.booked_at as refilled_at,
        visits.outcome as refill_outcome,
        visits.booking_amount as refill_amount,
        visits.booking_currency as refill_currency,
        row_number() over (partition by freed.tenant_id, freed.booking_id order by visits.booked_at, visits.booking_id) as turn
    from freed
    inner join visits
        on
            freed.tenant_id = visits.tenant_id
            and freed.visit_at = visits.visit_at
            and freed.staff_id is not distinct from visits.staff_id
            and (freed.staff_id is not null or freed.service_id = visits.service_id)
            and freed.booking_id <> visits.booking_id
            and freed.booked_at < visits.booked_at
    where visits.booked_at >= coalesce(freed.released_at, freed.booked_at)

),

wishes_counted as (

    select
        tenant_id,
        booking_id,
        count(*) filter (where was_pending) as matching_wishes_count
    from wished
    group by tenant_id, booking_id

),

slots as (

    select
        freed.tenant_id,
        freed.booking_id,
        freed.client_id,
        freed.outcome as freed_by,
        freed.released_at,
        freed.visit_at,
        freed.visit_day,
        freed.service_id,
        freed.staff_id,
        freed.booking_amount as lost_amount,
        freed.booking_currency as lost_currency,
        freed.visit_at < {{ as_of_moment(tenant_timezone()) }} as is_over,
        coalesce(wishes_counted.matching_wishes_count, 0) as matching_wishes_count,
        taken.refill_booking_id,
        taken.refill_client_id,
        taken.refilled_at,
        taken.refill_outcome,
        taken.refill_booking_id is not null and exists (
            select 1
            from wished
            where
                freed.tenant_id = wished.tenant_id
                and freed.booking_id = wished.booking_id
                and taken.refill_client_id = wished.client_id
                and wished.created_at <= taken.refilled_at
        ) as is_refilled_from_waitlist,
        {{ milliseconds_between('freed.released_at', 'taken.refilled_at') }} / 60000 as fill_minutes,
        case when taken.refill_outcome = 'arrived' then taken.refill_amount end as recovered_amount,
        case when taken.refill_outcome = 'arrived' then taken.refill_currency end as recovered_currency
    from freed
    left join tenants on freed.tenant_id = tenants.tenant_id
    left join wishes_counted
        on
            freed.tenant_id = wishes_counted.tenant_id
            and freed.booking_id = wishes_counted.booking_id
    left join taken
        on
            freed.tenant_id = taken.tenant_id
            and freed.booking_id = taken.booking_id
            and taken.turn = 1

)

select * from slots
