with

named as (

    select * from {{ ref('int_bookings_named') }}

),

bookings as (

    select * from {{ ref('int_bookings_merged') }}

),

cancelled as (

    select * from {{ ref('int_bookings_cancelled') }}

),

-- Few dialogues move anything, so these come first.
moving as (

    select *
    from named
    where booking_id is not null and (moved_booking_id is not null or intent = 'reschedule')

),

-- A dialogue that names a booking and moves an older one of the same person: the one it says, or, where it is about
-- moving, says none and makes the new booking, one whose time was still ahead and that nobody had cancelled before.
candidates as (

    select
        older.tenant_id,
        older.booking_id,
        moving.booking_id as moved_to_booking_id,
        moving.started_at as moved_at,
        moving.session_id,
        moving.moved_booking_id is not null as is_told,
        older.booked_at
    from moving
    inner join bookings as newer
        on
            moving.tenant_id = newer.tenant_id
            and moving.booking_id = newer.booking_id
    inner join bookings as older
        on
            moving.tenant_id = older.tenant_id
            and moving.person_id = older.person_id
            and moving.booking_id <> older.booking_id
    left join cancelled
        on
            older.tenant_id = cancelled.tenant_id
            and older.booking_id = cancelled.booking_id
    where
        older.booking_id = moving.moved_booking_id
        or (
            moving.intent = 'reschedule'
            and moving.session_id = newer.session_id
            and moving.moved_booking_id is null
            and older.booked_at < moving.started_at
            and older.visit_at > moving.started_at
            and (cancelled.cancelled_at is null or cancelled.cancelled_at >= moving.started_at)
        )

),

-- One dialogue moves one booking, the one made last where several would do.
chosen as (

    select
        *,
        row_number() over (partition by tenant_id, session_id order by is_told desc, booked_at desc, booking_id asc) as place
    from candidates

),

-- When a booking last took another one's place: what had been moved away before then has come back.
arrived as (

    select
        tenant_id,
        moved_to_booking_id as booking_id,
        max(moved_at) as moved_at
    from chosen
    where place = 1
    group by tenant_id, moved_to_booking_id

),

moved as (

    select
        chosen.*,
        row_number() over (
            partition by chosen.tenant_id, chosen.booking_id
            order by chosen.is_told desc, chosen.moved_at asc, chosen.session_id asc
        ) as turn
    from chosen
    left join arrived
        on
            chosen.tenant_id = arrived.tenant_id
            and chosen.booking_id = arrived.booking_id
    where chosen.place = 1 and (arrived.moved_at is null or chosen.moved_at > arrived.moved_at)

)

select
    tenant_id,
    booking_id,
    moved_to_booking_id,
    moved_at,
    is_told
from moved
where turn = 1
