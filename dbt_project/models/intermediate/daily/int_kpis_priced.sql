with

periods as (

    select * from {{ ref('int_periods_compared') }}

),

sessions as (

    select * from {{ ref('sessions') }}

),

-- As `revenue_daily` has it, which does not tell how many of the kept bookings name their amount. One look at both windows:
-- a currency of either has sums for both.
summed as (

    select
        periods.tenant_id,
        periods.period_days,
        booked.currency,
        booked.kept_amount,
        booked.priced_bookings,
        booked.previous_kept_amount,
        booked.previous_priced_bookings
    from periods
    cross join
        lateral (
            select
                coalesce(sessions.booking_currency, 'XXX') as currency,
                sum(sessions.booking_amount) filter (
                    where not sessions.is_booking_cancelled and sessions.started_day >= periods.period_start
                ) as kept_amount,
                count(sessions.booking_amount) filter (
                    where not sessions.is_booking_cancelled and sessions.started_day >= periods.period_start
                ) as priced_bookings,
                sum(sessions.booking_amount) filter (
                    where not sessions.is_booking_cancelled and sessions.started_day < periods.period_start
                ) as previous_kept_amount,
                count(sessions.booking_amount) filter (
                    where not sessions.is_booking_cancelled and sessions.started_day < periods.period_start
                ) as previous_priced_bookings
            from sessions
            where
                sessions.tenant_id = periods.tenant_id
                and sessions.started_day between periods.previous_start and periods.period_end
                and sessions.is_booked
            group by coalesce(sessions.booking_currency, 'XXX')
        ) as booked

)

select
    summed.tenant_id,
    summed.period_days,
    measures.is_previous,
    measures.measure,
    summed.currency,
    measures.kind,
    coalesce(measures.part_sum, 0) as part_sum,
    measures.whole_count
from summed
cross join
    lateral (
        values
        (false, 'kept_amount', 'count', summed.kept_amount, null),
        (true, 'kept_amount', 'count', summed.previous_kept_amount, null),
        (false, 'avg_ticket', 'average', summed.kept_amount, summed.priced_bookings),
        (true, 'avg_ticket', 'average', summed.previous_kept_amount, summed.previous_priced_bookings)
    ) as measures (is_previous, measure, kind, part_sum, whole_count)
