with

periods as (

    select * from {{ ref('int_periods_compared') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

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
        days.whole_count,
        days.attendance_count,
        days.presumed_count
    from periods
    cross join
        lateral (
            select
                assessed.visit_day,
                assessed.measure,
                count(*) filter (where assessed.is_part) as part_count,
                count(*) as whole_count,
                count(*) filter (where assessed.is_attendance) as attendance_count,
                count(*) filter (where assessed.is_presumed) as presumed_count
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
        {% for counted in ['part', 'whole', 'attendance', 'presumed'] %}
        coalesce(
            sum(visit_days.{{ counted }}_count) filter (where visit_days.visit_day >= periods.period_start), 0
        )::bigint as {{ counted }}_count,
        coalesce(
            sum(visit_days.{{ counted }}_count) filter (where visit_days.visit_day < periods.period_start), 0
        )::bigint as previous_{{ counted }}_count,
        {% endfor %}
        names.measure
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
    windows.part_count::numeric as part_sum,
    windows.whole_count,
    windows.presumed_count,
    summed.measure not in ('arrival', 'no_show') or {{ is_attendance_told(
        'windows.presumed_count', 'windows.attendance_count', 'tenants.recorded_attendance_percent'
    ) }} as is_told
from summed
inner join tenants on summed.tenant_id = tenants.tenant_id
cross join
    lateral (
        values
        (false, summed.part_count, summed.whole_count, summed.attendance_count, summed.presumed_count),
        (
            true, summed.previous_part_count, summed.previous_whole_count, summed.previous_attendance_count,
            summed.previous_presumed_count
        )
    ) as windows (is_previous, part_count, whole_count, attendance_count, presumed_count)
