-- Fails with one row per tenant and month whose bookings, visits or their prices are not those counted over `visits`.
{{ config(meta={'dagster': {'ref': {'name': 'visits_monthly'}}}) }}

with

visits as (

    select * from {{ ref('visits') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

months as (

    select * from {{ ref('visits_monthly') }}

),

rates as (

    select * from {{ ref('visit_rates') }}

),

summed as (

    select
        tenant_id,
        visit_month,
        sum(bookings_count) as bookings_count,
        sum(arrived_count + no_show_count + cancelled_count + unknown_count + upcoming_count) as outcomes_count,
        sum(arrived_count) as arrived_count,
        sum(unknown_count) as unknown_count,
        sum(visited_clients_count) as visited_clients_count,
        sum(arrived_amount) as arrived_amount,
        sum(amount_missing_count) as amount_missing_count
    from months
    group by tenant_id, visit_month

),

-- Through what is left out, instead of what is counted.
booked as (

    select
        visits.tenant_id,
        {{ month_of('visits.visit_day') }} as visit_month,
        count(*) - count(*) filter (where outcome = 'moved') as bookings_count,
        -- A word that nobody knows on a booking ahead: it is not due, and in no rate yet.
        count(*) filter (
            where visits.outcome = 'unknown' and visits.visit_at >= {{ as_of_moment(tenant_timezone()) }}
        ) as unknown_ahead_count,
        count(visit_number) as arrived_count,
        count(distinct person_id) filter (where visit_number is not null) as visited_clients_count,
        coalesce(sum(booking_amount) filter (where visit_number is not null), 0) as arrived_amount,
        count(visit_number) - count(booking_amount) filter (where visit_number is not null) as amount_missing_count
    from visits
    left join tenants on visits.tenant_id = tenants.tenant_id
    where isfinite(visits.visit_day)
    group by visits.tenant_id, {{ month_of('visits.visit_day') }}
    having count(*) > count(*) filter (where outcome = 'moved')

),

rated as (

    select
        tenant_id,
        visit_month,
        coalesce(max(part_count) filter (where measure = 'arrival'), 0) as arrived_count,
        coalesce(max(part_count) filter (where measure = 'unknown'), 0) as unknown_count
    from rates
    group by tenant_id, visit_month

)

select
    coalesce(booked.tenant_id, summed.tenant_id, rated.tenant_id) as tenant_id,
    coalesce(booked.visit_month, summed.visit_month, rated.visit_month) as visit_month,
    booked.bookings_count as booked,
    summed.bookings_count as summed,
    booked.arrived_amount as booked_amount,
    summed.arrived_amount as summed_amount
from booked
full join summed
    on
        booked.tenant_id = summed.tenant_id
        and booked.visit_month = summed.visit_month
full join rated
    on
        coalesce(booked.tenant_id, summed.tenant_id) = rated.tenant_id
        and coalesce(booked.visit_month, summed.visit_month) = rated.visit_month
where
    booked.bookings_count is distinct from summed.bookings_count
    or summed.bookings_count <> summed.outcomes_count
    or booked.arrived_count is distinct from summed.arrived_count
    or booked.arrived_amount is distinct from summed.arrived_amount
    or booked.amount_missing_count is distinct from summed.amount_missing_count
    -- Who came for two services is in two rows, but nobody is in none.
    or summed.visited_clients_count < booked.visited_clients_count
    or summed.visited_clients_count > summed.arrived_count
    or coalesce(rated.arrived_count, 0) <> summed.arrived_count
    or coalesce(rated.unknown_count, 0) <> summed.unknown_count - booked.unknown_ahead_count
