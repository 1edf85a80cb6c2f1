with

named as (

    select * from {{ ref('int_bookings_named') }}

),

bookings as (

    select * from {{ ref('int_bookings_merged') }}

),

-- The dialogue of its person that cancelled it: the first that names it, by either field, or else the first about
-- cancelling, between the booking and the visit, that names no booking.
cancelled as (

    select
        bookings.tenant_id,
        bookings.booking_id,
        min(named.started_at) filter (
            where
            named.cancelled_booking_id = bookings.booking_id
            or (named.intent = 'cancel' and named.booking_id = bookings.booking_id)
        ) as told_at,
        min(named.started_at) filter (
            where
            coalesce(named.cancelled_booking_id, named.booking_id, named.moved_booking_id) is null
            and bookings.booked_at < named.started_at
            and named.started_at < bookings.visit_at
        ) as supposed_at
    from bookings
    inner join named
        on
            bookings.tenant_id = named.tenant_id
            and bookings.person_id = named.person_id
    where
        bookings.is_cancelled
        and (named.intent = 'cancel' or named.cancelled_booking_id is not null)
    group by bookings.tenant_id, bookings.booking_id

)

select
    tenant_id,
    booking_id,
    coalesce(told_at, supposed_at) as cancelled_at
from cancelled
