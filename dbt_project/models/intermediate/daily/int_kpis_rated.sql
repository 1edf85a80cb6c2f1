with

periods as (

    select * from {{ ref('int_periods_compared') }}

),

assessed as (

    select * from {{ ref('int_visits_assessed') }}

),

-- Once for all periods: the longest and the one before it hold the others.
visit_days as (

    select
        periods.tenant_id,
        days.visit_day,
        days.measure,
        days.part_count,
        days.whole_count
    from periods
    cross join
        lateral (
            select
                assessed.visit_day,
                assessed.measure,
                count(*) filter (where assessed.is_part) as part_count,
                count(*) as whole_count
            from assessed
            where
                assessed.tenant_id = periods.tenant_id
                -- By index, and a little more than is wanted: no day of a salon lies further than a day from that of UTC.
                and assessed.visit_at >= (periods.previous_start - 1)::timestamp at time zone 'UTC'
                and assessed.visit_at < (periods.period_end + 2)::timestamp at time zone 'UTC'
            group by assessed.visit_day, assessed.measure
        ) as days
    where periods.period_days = 90

),

-- Where no booking was due there is a row too, with nothing of nothing.
summed as (

    select
        periods.tenant_id,
        periods.period_days,
        names.measure,
        sum(visit_days.part_count) filter (where visit_days.visit_day >= periods.period_start) as part_sum,
        sum(visit_days.whole_count) filter (where visit_days.visit_day >= periods.period_start) as whole_count,
        sum(visit_days.part_count) filter (where visit_days.visit_day < periods.period_start) as previous_part_sum,
        sum(visit_days.whole_count) filter (where visit_days.visit_day < periods.period_start) as previous_whole_count
    from periods
    cross join lateral (values ('arrival'), ('no_show'), ('cancellation'), ('unknown')) as names (measure)
    left join visit_days
        on
            periods.tenant_id = visit_days.tenant_id
            and names.measure = visit_days.measure
            and visit_days.visit_day between periods.previous_start and periods.period_end
    group by periods.tenant_id, periods.period_days, names.measure

)

select
    summed.tenant_id,
    summed.period_days,
    windows.is_previous,
    summed.measure || '_rate' as measure,
    '' as currency,
    'rate' as kind,
    coalesce(windows.part_sum, 0) as part_sum,
    coalesce(windows.whole_count, 0)::bigint as whole_count
from summed
cross join
    lateral (
        values
        (false, summed.part_sum, summed.whole_count),
        (true, summed.previous_part_sum, summed.previous_whole_count)
    ) as windows (is_previous, part_sum, whole_count)
