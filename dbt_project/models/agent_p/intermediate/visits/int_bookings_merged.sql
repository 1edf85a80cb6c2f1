with

named as (

    select * from {{ ref('int_bookings_named') }}

),

-- Beside each time told of a booking, the time told before it.
told as (

    select
        *,
        lag(booking_at) over (
            partition by tenant_id, booking_id, booking_at is null order by started_at, session_id
        ) as previous_booking_at
    from named
    where booking_id is not null

),

-- The bot may name a booking in several dialogues: the first one made it, the last that says something of it counts.
merged as (

    select
        tenant_id,
        booking_id,
        (array_agg(client_id order by started_at desc, session_id desc))[1] as client_id,
        (array_agg(person_id order by started_at desc, session_id desc))[1] as person_id,
        (array_agg(session_id order by started_at, session_id))[1] as session_id,
        (array_agg(channel order by started_at, session_id))[1] as channel,
        min(started_at) as booked_at,
        (array_agg(booking_source order by started_at, session_id) filter (where booking_source is not null))[1] as booking_source,
        (array_agg(booking_at order by started_at desc, session_id desc) filter (where booking_at is not null))[1] as visit_at,
        count(*) filter (where booking_at <> previous_booking_at) as times_moved,
        -- Since when it has the time that it has.
        coalesce(max(started_at) filter (where booking_at <> previous_booking_at), min(started_at)) as slot_taken_at,
        (array_agg(booking_status order by started_at desc, session_id desc) filter (where booking_status is not null))[1]
            as booking_status,
        (array_agg(status_kind order by started_at desc, session_id desc) filter (where status_kind is not null))[1] as status_kind,
        (array_agg(visit_kind order by started_at desc, session_id desc) filter (where visit_kind is not null))[1] as visit_kind,
        (array_agg(service_id order by started_at desc, session_id desc) filter (where service_id is not null))[1] as service_id,
        (array_agg(staff_id order by started_at desc, session_id desc) filter (where staff_id is not null))[1] as staff_id,
        (array_agg(booking_amount order by started_at desc, session_id desc) filter (where booking_amount is not null))[1]
            as booking_amount,
        -- The currency of the amount that counts; a later currency without an amount says nothing of it.
        (array_agg(booking_currency order by started_at desc, session_id desc) filter (where booking_amount is not null))[1]
            as booking_currency
    from told
    group by tenant_id, booking_id

)

select
    tenant_id,
    booking_id,
    client_id,
    person_id,
    session_id,
    channel,
    booked_at,
    booking_source,
    visit_at,
    times_moved,
    slot_taken_at,
    booking_status,
    status_kind,
    visit_kind,
    coalesce(status_kind = 'cancelled', false) as is_cancelled,
    service_id,
    staff_id,
    booking_amount,
    booking_currency
from merged
