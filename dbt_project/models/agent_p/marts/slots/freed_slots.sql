{{ config(indexes=[['tenant_id', 'visit_at']]) }}

with

held as (

    select * from {{ ref('int_slots_held') }}

),

wished as (

    select * from {{ ref('int_slots_wished') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

freed as (

    select * from held
    where outcome in ('cancelled', 'moved') and isfinite(visit_at)

),

-- Nobody works for two at once: the next to take the same time of the same staff member (where none is noted, for the same
-- service), by a new booking or by moving one there, took the slot that had come free.
taken as (

    select
        freed.tenant_id,
        freed.booking_id,
        freed.visit_at,
        held.booking_id as refill_booking_id,
        held.client_id as refill_client_id,
        held.person_id as refill_person_id,
        held.slot_taken_at as refilled_at,
        held.outcome as refill_outcome,
        held.booking_amount as refill_amount,
        held.booking_currency as refill_currency,
        row_number() over (
            partition by freed.tenant_id, freed.booking_id, freed.visit_at order by held.slot_taken_at, held.booking_id
        ) as turn
    from freed
    inner join held
        on
            freed.tenant_id = held.tenant_id
            and freed.visit_at = held.visit_at
            and freed.staff_id is not distinct from held.staff_id
            and (freed.staff_id is not null or freed.service_id = held.service_id)
            and freed.booking_id <> held.booking_id
            and freed.slot_taken_at < held.slot_taken_at
    where held.slot_taken_at >= coalesce(freed.released_at, freed.slot_taken_at)

),

wishes_counted as (

    select
        tenant_id,
        booking_id,
        visit_at,
        count(*) filter (where was_pending) as matching_wishes_count
    from wished
    group by tenant_id, booking_id, visit_at

),

slots as (

    select
        freed.tenant_id,
        freed.booking_id,
        freed.client_id,
        freed.outcome as freed_by,
        freed.released_at,
        freed.visit_at,
        {{ local_day('freed.visit_at', tenant_timezone()) }} as visit_day,
        freed.service_id,
        freed.staff_id,
        -- What was moved is paid at another time.
        case when freed.outcome = 'moved' then 0 else freed.booking_amount end as lost_amount,
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
                and freed.visit_at = wished.visit_at
                and taken.refill_person_id = wished.person_id
                and wished.created_at <= taken.refilled_at
        ) as is_refilled_from_waitlist,
        {{ milliseconds_between('freed.released_at', 'taken.refilled_at') }} / 60000 as fill_minutes,
        case when taken.refill_outcome = 'arrived' then taken.refill_amount end as recovered_amount,
        case when taken.refill_outcome = 'arrived' then taken.refill_currency end as recovered_currency,
        freed.booking_amount as slot_amount
    from freed
    left join tenants on freed.tenant_id = tenants.tenant_id
    left join wishes_counted
        on
            freed.tenant_id = wishes_counted.tenant_id
            and freed.booking_id = wishes_counted.booking_id
            and freed.visit_at = wishes_counted.visit_at
    left join taken
        on
            freed.tenant_id = taken.tenant_id
            and freed.booking_id = taken.booking_id
            and freed.visit_at = taken.visit_at
            and taken.turn = 1

)

select * from slots
