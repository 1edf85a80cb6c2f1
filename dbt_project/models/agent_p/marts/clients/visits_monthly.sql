with

visits as (

    select * from {{ ref('visits') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

-- Read twice, once for each kind of name.
wishes as not materialized (

    select * from {{ ref('stg_agent_p__wishes') }}

),

-- A moved booking counts where it was moved to (METRICS, "Cancellation rate"). XXX is ISO 4217's code for "no currency".
planned as (

    select
        tenant_id,
        {{ month_of('visit_day') }} as visit_month,
        coalesce(service_id, '') as service_id,
        coalesce(staff_id, '') as staff_id,
        coalesce(booking_currency, 'XXX') as currency,
        person_id,
        outcome,
        is_visit,
        is_visit and outcome_source = 'presumed' as is_presumed,
        booking_amount
    from visits
    where outcome <> 'moved' and isfinite(visit_at)

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
        coalesce(sum(booking_amount) filter (where is_presumed), 0) as presumed_amount
    from planned
    group by tenant_id, visit_month, service_id, staff_id, currency

),

-- Bots name services and staff in wishes alone (seed 01, section 5): bookings know numbers.
services_wished as (

    select
        tenant_id,
        wish_id,
        created_at,
        {{ wished_service('wishes') }} as service_id,
        case when {{ is_scalar("meta -> 'service_title'") }} then nullif(btrim(service_title), '') end as service_title
    from wishes

),

service_titles as (

    select distinct on (tenant_id, service_id)
        tenant_id,
        service_id,
        service_title
    from services_wished
    where service_title is not null
    order by tenant_id asc, service_id asc, created_at desc nulls last, wish_id desc

),

staff_wished as (

    select
        tenant_id,
        wish_id,
        created_at,
        {{ read_scalar("meta -> 'staff_id'") }} as staff_id,
        case when {{ is_scalar("meta -> 'staff_name'") }} then nullif(btrim(staff_name), '') end as staff_name
    from wishes

),

staff_names as (

    select distinct on (tenant_id, staff_id)
        tenant_id,
        staff_id,
        staff_name
    from staff_wished
    where staff_name is not null
    order by tenant_id asc, staff_id asc, created_at desc nulls last, wish_id desc

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
    coalesce(tenants.recorded_attendance_percent, {{ var('recorded_attendance_percent') }}) as recorded_attendance_percent
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
