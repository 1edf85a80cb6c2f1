with

freed_slots as not materialized (

    select * from {{ ref('freed_slots') }}

),

waitlist as (

    select * from {{ ref('waitlist') }}

),

clients as (

    select * from {{ ref('clients') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

sessions as (

    select * from {{ ref('stg_agent_p__sessions') }}

),

-- Slots still ahead that nobody had taken when the marts were built.
ahead as (

    select
        freed_slots.tenant_id,
        freed_slots.booking_id,
        coalesce(clients.person_id, freed_slots.client_id) as person_id,
        freed_slots.visit_at,
        freed_slots.visit_day,
        {{ local_time('freed_slots.visit_at', tenant_timezone()) }}::time as visit_time,
        freed_slots.service_id,
        freed_slots.staff_id,
        freed_slots.slot_amount,
        freed_slots.lost_currency
    from freed_slots
    left join tenants on freed_slots.tenant_id = tenants.tenant_id
    left join clients
        on
            freed_slots.tenant_id = clients.tenant_id
            and freed_slots.client_id = clients.client_id
    where
        not freed_slots.is_over
        and freed_slots.refill_booking_id is null
        and freed_slots.visit_at >= {{ as_of_moment(tenant_timezone()) }}

),

-- A slot may have come free twice; it is offered once, and to whoever has waited longest first.
distinct_slots as (

    select
        *,
        row_number() over (
            partition by tenant_id, visit_at, staff_id, case when staff_id is null then service_id end
            order by booking_id desc
        ) as turn
    from ahead

),

offers as (

    select
        waitlist.tenant_id,
        waitlist.wish_id,
        distinct_slots.booking_id,
        waitlist.client_id,
        waitlist.client_name,
        waitlist.service_id,
        waitlist.service_title,
        distinct_slots.visit_at,
        distinct_slots.visit_day,
        distinct_slots.visit_time,
        distinct_slots.staff_id,
        waitlist.staff_id = distinct_slots.staff_id as is_wished_staff,
        distinct_slots.slot_amount,
        distinct_slots.lost_currency as slot_currency,
        waitlist.waiting_since
    from waitlist
    inner join distinct_slots
        on
            waitlist.tenant_id = distinct_slots.tenant_id
            and waitlist.service_id = distinct_slots.service_id
            and waitlist.wished_day = distinct_slots.visit_day
            and waitlist.person_id <> distinct_slots.person_id
    where
        distinct_slots.turn = 1
        and {{ fits_time_preference('waitlist.time_preference', 'distinct_slots.visit_time') }}
        -- Taken since, as the raw tables know at this moment; asked of the few that somebody waits for.
        and not exists (
            select 1
            from sessions
            where
                distinct_slots.tenant_id = sessions.tenant_id
                and distinct_slots.visit_at = sessions.booking_at
                and coalesce({{ is_standing(status_kind('sessions.booking_status')) }}, false)
                and {{ told_staff('sessions.meta') }} is not distinct from distinct_slots.staff_id
                -- A slot that came free twice was confirmed by who gave it up first.
                and not exists (
                    select 1
                    from freed_slots as also_freed
                    where
                        sessions.tenant_id = also_freed.tenant_id
                        and sessions.booking_id = also_freed.booking_id
                        and sessions.booking_at = also_freed.visit_at
                        and sessions.started_at < coalesce(also_freed.released_at, 'infinity')
                )
        )

)

select
    offers.*,
    row_number() over (partition by tenant_id, booking_id order by waiting_since, wish_id) as place
from offers
