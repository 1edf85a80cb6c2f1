{{ config(scope={'entity': 'day', 'columns': ['tenant_id', 'day']}) }}

with

tenant_days as (

    select * from {{ ref('int_tenant_days') }}

),

-- Read twice, by two days of the same booking.
visits as not materialized (

    select * from {{ ref('visits') }}

),

-- XXX is ISO 4217's code for "no currency": an amount without one is added to no other. A moved booking is the one that took its
-- place, on the day on which the first of them was made.
booked as (

    select
        tenant_id,
        first_booked_day as day,
        coalesce(booking_currency, 'XXX') as currency,
        case when is_kept then 'kept' else outcome end as became,
        booking_amount,
        false as is_earned,
        false as is_recorded
    from visits
    where outcome <> 'moved' and {{ is_touched_day('visits', 'first_booked_day') }}

),

earned as (

    select
        tenant_id,
        visit_day as day,
        coalesce(booking_currency, 'XXX') as currency,
        null::text as became,
        booking_amount,
        true as is_earned,
        outcome_source = 'recorded' as is_recorded
    from visits
    where is_visit and {{ is_touched_day('visits', 'visit_day') }}

),

counted as (

    select * from booked
    union all
    select * from earned

),

{% set parts = {
    'booked': 'not is_earned', 'kept': "became = 'kept'", 'cancelled': "became = 'cancelled'", 'no_show': "became = 'no_show'",
    'unknown': "became = 'unknown'", 'earned': 'is_earned', 'earned_recorded': 'is_recorded',
} -%}
summed as (

    select
        tenant_id,
        day,
        currency,
        {% for part, condition in parts.items() %}
        count(*) filter (where {{ condition }}) as {{ part }}_count,
        coalesce(sum(booking_amount) filter (where {{ condition }}), 0) as {{ part }}_amount,
        {% endfor %}
        count(*) filter (where not is_earned and booking_amount is null) as bookings_without_amount,
        count(*) filter (where is_earned and booking_amount is null) as earned_without_amount
    from counted
    group by tenant_id, day, currency

),

revenue as (

    select
        summed.tenant_id,
        summed.day,
        summed.currency,
        tenant_days.is_final,
        summed.kept_count as kept_bookings,
        summed.kept_amount,
        summed.cancelled_count as cancelled_bookings,
        summed.cancelled_amount,
        summed.bookings_without_amount,
        summed.booked_count,
        summed.booked_amount,
        summed.no_show_count,
        summed.no_show_amount,
        summed.unknown_count,
        summed.unknown_amount,
        summed.earned_count,
        summed.earned_amount,
        summed.earned_recorded_count,
        summed.earned_recorded_amount,
        summed.earned_without_amount
    from summed
    inner join tenant_days
        on
            summed.tenant_id = tenant_days.tenant_id
            and summed.day = tenant_days.day

)

select * from revenue
