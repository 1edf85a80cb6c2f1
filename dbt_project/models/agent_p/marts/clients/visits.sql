{{ config(
    scope={'entity': 'visitor', 'columns': ['tenant_id', 'client_id']},
    announces=['first_booked_day', 'visit_day'],
    indexes=[
        ['tenant_id', 'client_id', 'visit_at'],
        ['tenant_id', 'visit_at'],
        ['tenant_id', 'first_booked_day'],
        ['tenant_id', 'staff_id', 'visit_at']
    ]
) }}

with

bookings as (

    select * from {{ ref('int_bookings_merged') }}

),

cancelled as (

    select * from {{ ref('int_bookings_cancelled') }}

),

moved as (

    select * from {{ ref('int_bookings_moved') }}

),

traced as (

    select * from {{ ref('int_bookings_traced') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

judged as (

    select
        bookings.*,
        moved.moved_to_booking_id,
        {{ tenant_timezone() }} as timezone,
        least(cancelled.cancelled_at, moved.moved_at) as released_at,
        coalesce(tenants.late_cancellation_hours, {{ var('late_cancellation_hours') }}) as late_cancellation_hours,
        case
            when moved.booking_id is not null then 'moved'
            when bookings.is_cancelled then 'cancelled'
            when bookings.visit_at is null or not isfinite(bookings.visit_at) then 'unknown'
            -- Of a word that nobody knows nobody knows whether the booking stands.
            when bookings.status_kind = 'unknown' and coalesce(bookings.visit_kind, '') not in ('no_show', 'arrived') then 'unknown'
            when bookings.visit_at >= {{ as_of_moment(tenant_timezone()) }} then 'upcoming'
            when 'no_show' in (bookings.status_kind, bookings.visit_kind) then 'no_show'
            when 'arrived' in (bookings.status_kind, bookings.visit_kind) then 'arrived'
            when bookings.status_kind = 'confirmed' then 'arrived'
            else 'unknown'
        end as outcome,
        case
            when moved.booking_id is not null then case when moved.is_told then 'recorded' else 'inferred' end
            when bookings.is_cancelled then 'recorded'
            when bookings.status_kind in ('no_show', 'arrived') or bookings.visit_kind in ('no_show', 'arrived') then 'recorded'
            else 'presumed'
        end as outcome_source,
        coalesce(traced.first_booking_id, bookings.booking_id) as first_booking_id,
        coalesce(traced.first_booked_at, bookings.booked_at) as first_booked_at,
        case when traced.booking_id is null then bookings.booking_source else traced.first_booking_source end as first_booking_source
    from bookings
    left join cancelled
        on
            bookings.tenant_id = cancelled.tenant_id
            and bookings.booking_id = cancelled.booking_id
    left join moved
        on
            bookings.tenant_id = moved.tenant_id
            and bookings.booking_id = moved.booking_id
    left join traced
        on
            bookings.tenant_id = traced.tenant_id
            and bookings.booking_id = traced.booking_id
    left join tenants on bookings.tenant_id = tenants.tenant_id

),

numbered as (

    select
        judged.*,
        row_number() over arrivals as visit_number,
        lag(visit_at) over arrivals as previous_visit_at
    from judged
    window arrivals as (partition by tenant_id, person_id, outcome = 'arrived' order by visit_at, booking_id)

)

select
    tenant_id,
    booking_id,
    client_id,
    person_id,
    session_id,
    channel,
    booking_source,
    booked_at,
    {{ local_day('booked_at', 'timezone') }} as booked_day,
    visit_at,
    {{ local_day('visit_at', 'timezone') }} as visit_day,
    {{ days_between('booked_at', 'visit_at') }} as lead_time_days,
    service_id,
    staff_id,
    booking_amount,
    booking_currency,
    booking_status,
    outcome,
    case when outcome not in ('upcoming', 'unknown') then outcome_source end as outcome_source,
    outcome = 'arrived' as is_visit,
    case when outcome in ('cancelled', 'moved') then released_at end as released_at,
    case
        when outcome in ('cancelled', 'moved')
            then {{ milliseconds_between('released_at', 'visit_at') }} < late_cancellation_hours * 3600000
    end as is_released_late,
    times_moved,
    moved_to_booking_id,
    case when outcome = 'arrived' then visit_number end as visit_number,
    case when outcome = 'arrived' then previous_visit_at end as previous_visit_at,
    status_kind,
    outcome in ('upcoming', 'arrived') or (outcome = 'unknown' and coalesce({{ is_standing('status_kind') }}, false)) as is_kept,
    slot_taken_at,
    first_booking_id,
    first_booked_at,
    {{ local_day('first_booked_at', 'timezone') }} as first_booked_day,
    first_booking_source,
    {{ local_time('booked_at', 'timezone') }} as booked_local,
    {{ local_time('visit_at', 'timezone') }} as visit_local,
    extract(hour from {{ local_time('visit_at', 'timezone') }})::integer as visit_hour,
    {{ weekday_of(local_time('visit_at', 'timezone')) }} as visit_weekday
from numbered
