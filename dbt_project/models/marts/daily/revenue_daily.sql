{{ config(scope={'queue': 'touched_days', 'columns': ['tenant_id', 'day']}) }}

with

tenant_days as (

    select * from {{ ref('int_tenant_days') }}

),

sessions as (

    select * from {{ ref('sessions') }}

),

-- XXX is ISO 4217's code for "no currency": an amount without one is added to no other.
booked as (

    select
        tenant_id,
        started_day as day,
        coalesce(booking_currency, 'XXX') as currency,
        is_booking_cancelled,
        booking_amount
    from sessions
    where is_booked and {{ is_touched_day('sessions', 'started_day') }}

),

summed as (

    select
        tenant_id,
        day,
        currency,
        count(*) filter (where not is_booking_cancelled) as kept_bookings,
        coalesce(sum(booking_amount) filter (where not is_booking_cancelled), 0) as kept_amount,
        count(*) filter (where is_booking_cancelled) as cancelled_bookings,
        coalesce(sum(booking_amount) filter (where is_booking_cancelled), 0) as cancelled_amount,
        count(*) filter (where booking_amount is null) as bookings_without_amount
    from booked
    group by tenant_id, day, currency

),

revenue as (

    select
        summed.tenant_id,
        summed.day,
        summed.currency,
        tenant_days.is_final,
        summed.kept_bookings,
        summed.kept_amount,
        summed.cancelled_bookings,
        summed.cancelled_amount,
        summed.bookings_without_amount
    from summed
    inner join tenant_days
        on
            summed.tenant_id = tenant_days.tenant_id
            and summed.day = tenant_days.day

)

select * from revenue
