with

periods as (

    select * from {{ ref('int_periods_compared') }}

),

metrics as (

    select * from {{ ref('metrics_dailies') }}

),

revenue as (

    select * from {{ ref('revenue_daily') }}

),

person_days as (

    select * from {{ ref('int_person_days') }}

),

windows as (

    select
        periods.tenant_id,
        periods.period_days,
        sides.is_previous,
        sides.first_day,
        sides.last_day
    from periods
    cross join
        lateral (
            values
            (false, periods.period_start, periods.period_end),
            (true, periods.previous_start, periods.previous_end)
        ) as sides (is_previous, first_day, last_day)

),

-- Days add up; persons who wrote on several do not, and are counted over the window.
totals as (

    select
        windows.tenant_id,
        windows.period_days,
        windows.is_previous,
        measures.measure,
        '' as currency,
        measures.kind,
        measures.part_sum,
        measures.whole_count,
        null::bigint as presumed_count,
        true as is_told
    from windows
    cross join
        lateral (
            select
                coalesce(sum(metrics.dialogs_started), 0)::bigint as dialogs,
                coalesce(sum((metrics.new_bookings_by_source ->> 'bot')::bigint), 0) as bot_bookings,
                coalesce(sum(metrics.moves), 0) as moves,
                coalesce(sum(metrics.response_ms_sum), 0) as response_ms_sum,
                coalesce(sum(metrics.response_count), 0)::bigint as response_count,
                coalesce(sum(metrics.new_persons), 0) as new_clients,
                coalesce(sum(metrics.messages), 0) as messages,
                coalesce(sum(metrics.intended_dialogs), 0)::bigint as intended_dialogs,
                coalesce(sum(metrics.intended_bookings), 0) as intended_bookings
            from metrics
            where metrics.tenant_id = windows.tenant_id and metrics.day between windows.first_day and windows.last_day
        ) as days
    cross join
        lateral (
            select
                coalesce(sum(revenue.booked_count), 0) as booked_count,
                coalesce(sum(revenue.kept_bookings), 0) as kept_bookings,
                coalesce(sum(revenue.cancelled_bookings), 0) as cancelled_bookings,
                coalesce(sum(revenue.unknown_count), 0) as unknown_count
            from revenue
            where revenue.tenant_id = windows.tenant_id and revenue.day between windows.first_day and windows.last_day
        ) as made
    cross join
        lateral (
            select count(distinct person_days.person_id) as unique_clients
            from person_days
            where
                person_days.tenant_id = windows.tenant_id
                and person_days.day between windows.first_day and windows.last_day
        ) as visitors
    cross join
        lateral (
            values
            ('dialogs', 'count', days.dialogs, null),
            ('bookings', 'count', made.booked_count, null),
            ('bot_bookings', 'count', days.bot_bookings, null),
            ('kept_bookings', 'count', made.kept_bookings, null),
            ('cancelled_bookings', 'count', made.cancelled_bookings, null),
            ('unknown_bookings', 'count', made.unknown_count, null),
            ('moves', 'count', days.moves, null),
            ('conversion', 'rate', days.intended_bookings, days.intended_dialogs),
            ('avg_response_ms', 'average', days.response_ms_sum, days.response_count),
            ('unique_clients', 'count', visitors.unique_clients, null),
            ('new_clients', 'count', days.new_clients, null),
            ('messages', 'count', days.messages, null)
        ) as measures (measure, kind, part_sum, whole_count)

)

select * from totals
