with

bookings as (

    select * from {{ ref('int_bookings_merged') }}

),

moved as (

    select * from {{ ref('int_bookings_moved') }}

),

-- Each round looks as far again as all before it: after six a booking is followed over 64 moves. They lead forward in time
-- (int_bookings_moved), and so to an end.
followed_0 as (

    select
        tenant_id,
        booking_id,
        moved_to_booking_id as last_booking_id
    from moved

),
{% for round in range(1, 7) %}
followed_{{ round }} as (

    select
        nearer.tenant_id,
        nearer.booking_id,
        coalesce(further.last_booking_id, nearer.last_booking_id) as last_booking_id
    from followed_{{ round - 1 }} as nearer
    left join followed_{{ round - 1 }} as further
        on
            nearer.tenant_id = further.tenant_id
            and nearer.last_booking_id = further.booking_id

),
{% endfor %}
-- All that came to the same booking, itself among them.
related as (

    select
        tenant_id,
        booking_id,
        last_booking_id
    from followed_6
    union
    select
        tenant_id,
        last_booking_id as booking_id,
        last_booking_id
    from followed_6

),

dated as (

    select
        related.tenant_id,
        related.booking_id,
        related.last_booking_id,
        bookings.booked_at,
        bookings.booking_source
    from related
    inner join bookings
        on
            related.tenant_id = bookings.tenant_id
            and related.booking_id = bookings.booking_id

)

-- A move to a new id is no new booking (METRICS, "Revenue"): all of them were made when the first was.
select
    tenant_id,
    booking_id,
    first_value(booking_id) over related_bookings as first_booking_id,
    first_value(booked_at) over related_bookings as first_booked_at,
    first_value(booking_source) over related_bookings as first_booking_source
from dated
window related_bookings as (partition by tenant_id, last_booking_id order by booked_at, booking_id)
