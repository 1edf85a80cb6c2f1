with

visits as (

    select * from {{ ref('visits') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

service_titles as (

    select * from {{ ref('int_services_named') }}

),

staff_names as (

    select * from {{ ref('int_staff_named') }}

),

-- A moved booking counts where it was moved to (METRICS, "Cancellation rate"). XXX is ISO 4217's code for "no currency".
planned as (

    select
        visits.tenant_id,
        {{ month_of('visits.visit_day') }} as visit_month,
        coalesce(visits.service_id, '') as service_id,
        coalesce(visits.staff_id, '') as staff_id,
        coalesce(visits.booking_currency, 'XXX') as currency,
        visits.person_id,
        visits.outcome,
        visits.is_visit,
        visits.is_visit and visits.outcome_source = 'presumed' as is_presumed,
        coalesce(visits.is_released_late and visits.visit_at < {{ as_of_moment(tenant_timezone()) }}, false) as is_missed_late,
        visits.booking_amount
    from visits
    left join tenants on visits.tenant_id = tenants.tenant_id
    where visits.outcome <> 'moved' and isfinite(visits.visit_at)

),

counted as (

    select
        tenant_id,
        visit_month,
        service_id,
        staff_id,
        currency,
        count(*) as bookings_count,
        count(*) filter (where is_visit) as arrived_count,
        count(*) filter (where outcome = 'no_show') as no_show_count,
        count(*) filter (where outcome = 'cancelled') as cancelled_count,
        count(*) filter (where outcome = 'unknown') as unknown_count,
        count(*) filter (where outcome = 'upcoming') as upcoming_count,
        count(distinct person_id) filter (where is_visit) as visited_clients_count,
        coalesce(sum(booking_amount) filter (where is_visit), 0) as arrived_amount,
        count(*) filter (where is_visit and booking_amount is null) as amount_missing_count,
        count(*) filter (where is_presumed) as presumed_count,
        coalesce(sum(booking_amount) filter (where is_presumed), 0) as presumed_amount,
        count(*) filter (where is_missed_late) as late_cancelled_count
    from planned
    group by tenant_id, visit_month, service_id, staff_id, currency

)

select
    counted.tenant_id,
    counted.visit_month,
    counted.service_id,
    counted.staff_id,
    counted.currency,
    service_titles.service_title,
    staff_names.staff_name,
    counted.bookings_count,
    counted.arrived_count,
    counted.no_show_count,
    counted.cancelled_count,
    counted.unknown_count,
    counted.upcoming_count,
    counted.visited_clients_count,
    counted.arrived_amount,
    counted.amount_missing_count,
    counted.presumed_count,
    counted.presumed_amount,
    coalesce(tenants.recorded_attendance_percent, {{ var('recorded_attendance_percent') }}) as recorded_attendance_percent,
    counted.late_cancelled_count
from counted
left join tenants on counted.tenant_id = tenants.tenant_id
left join service_titles
    on
        counted.tenant_id = service_titles.tenant_id
        and counted.service_id = service_titles.service_id
left join staff_names
    on
        counted.tenant_id = staff_names.tenant_id
        and counted.staff_id = staff_names.staff_id
