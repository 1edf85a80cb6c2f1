{{ config(materialized='stable_view') }}

with

visits as not materialized (

    select * from {{ ref('visits') }}

),

visit_days as (

    select * from {{ ref('int_visit_days') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

-- Two bookings of one person for one service of one staff member on a day are one visit.
visited as (

    select
        tenant_id,
        person_id,
        visit_day,
        coalesce(staff_id, '') as staff_id,
        coalesce(service_id, '') as service_id
    from visits
    where is_visit
    group by tenant_id, person_id, visit_day, coalesce(staff_id, ''), coalesce(service_id, '')

),

-- Of one day all services have the same next day.
followed as (

    select
        visited.*,
        min(visited.visit_day) over (
            partition by visited.tenant_id, visited.person_id, visited.staff_id
            order by visited.visit_day
            range between interval '1 day' following and unbounded following
        ) as next_staff_day
    from visited

),

assessed as (

    select
        followed.tenant_id,
        {{ month_of('followed.visit_day') }} as visit_month,
        followed.staff_id,
        followed.service_id,
        windows.window_days,
        {{ is_final_day('followed.visit_day + windows.window_days', tenant_timezone()) }} as is_assessable,
        coalesce(visit_days.next_visit_day <= followed.visit_day + windows.window_days, false) as has_returned,
        followed.staff_id <> ''
        and coalesce(followed.next_staff_day <= followed.visit_day + windows.window_days, false) as has_returned_to_staff
    from followed
    inner join visit_days
        on
            followed.tenant_id = visit_days.tenant_id
            and followed.person_id = visit_days.person_id
            and followed.visit_day = visit_days.visit_day
    cross join lateral (values (30), (60), (90)) as windows (window_days)
    left join tenants on followed.tenant_id = tenants.tenant_id

),

counted as (

    select
        tenant_id,
        visit_month,
        staff_id,
        service_id,
        window_days,
        count(*) as visits_count,
        count(*) filter (where not is_assessable) as maturing_count,
        count(*) filter (where is_assessable) as assessable_count,
        count(*) filter (where is_assessable and has_returned) as rebooked_count,
        count(*) filter (where is_assessable and has_returned_to_staff) as rebooked_same_staff_count
    from assessed
    group by tenant_id, visit_month, staff_id, service_id, window_days

)

select
    counted.*,
    {{ rate_of('rebooked_count', 'assessable_count') }}::double precision as rate,
    {{ wilson_low('rebooked_count', 'assessable_count') }}::double precision as rate_low,
    {{ wilson_high('rebooked_count', 'assessable_count') }}::double precision as rate_high
from counted
