{{ config(brake=false) }}

with

visit_days as (

    select * from {{ ref('int_visit_days') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

-- Who came back, and by which day it is known: second and third visits count from the first one ever, rebooking from a
-- person's first visit day of the month. One row a person, cohort and measure.
returns as (

    select
        visit_days.tenant_id,
        visit_days.visit_month as cohort_month,
        measures.measure,
        measures.window_days,
        visit_days.visit_day + measures.window_days as last_day,
        coalesce(measures.return_day <= visit_days.visit_day + measures.window_days, false) as has_returned
    from visit_days
    cross join
        lateral (
            values
            ('second_visit_90d', 90, visit_days.next_visit_day, visit_days.visit_day_number = 1),
            ('third_visit_180d', 180, visit_days.second_next_visit_day, visit_days.visit_day_number = 1),
            ('rebook_client_30d_fwd', 30, visit_days.next_visit_day, visit_days.is_first_of_month),
            ('rebook_client_60d_fwd', 60, visit_days.next_visit_day, visit_days.is_first_of_month),
            ('rebook_client_90d_fwd', 90, visit_days.next_visit_day, visit_days.is_first_of_month)
        ) as measures (measure, window_days, return_day, is_counted)
    where measures.is_counted

),

assessed as (

    select
        returns.*,
        {{ is_final_day('returns.last_day', tenant_timezone()) }} as is_assessable
    from returns
    left join tenants on returns.tenant_id = tenants.tenant_id

),

counted as (

    select
        tenant_id,
        cohort_month,
        measure,
        window_days,
        count(*) as clients_count,
        count(*) filter (where not is_assessable) as maturing_count,
        count(*) filter (where is_assessable) as assessable_count,
        count(*) filter (where is_assessable and has_returned) as returned_count
    from assessed
    group by tenant_id, cohort_month, measure, window_days

)

select
    tenant_id,
    cohort_month,
    measure,
    window_days,
    clients_count,
    maturing_count,
    assessable_count,
    returned_count,
    {{ rate_of('returned_count', 'assessable_count') }} as rate,
    {{ wilson_low('returned_count', 'assessable_count') }} as rate_low,
    {{ wilson_high('returned_count', 'assessable_count') }} as rate_high
from counted
