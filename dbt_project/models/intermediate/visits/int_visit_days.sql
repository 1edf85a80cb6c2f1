with

visits as (

    select * from {{ ref('visits') }}

),

-- Two bookings on one day are one visit of the client's rhythm (METRICS, RFM).
visit_days as (

    select
        tenant_id,
        client_id,
        visit_day
    from visits
    where is_visit
    group by tenant_id, client_id, visit_day

)

select
    tenant_id,
    client_id,
    visit_day,
    {{ month_of('visit_day') }} as visit_month,
    row_number() over client_days as visit_day_number,
    lead(visit_day) over client_days as next_visit_day,
    lead(visit_day, 2) over client_days as second_next_visit_day,
    row_number() over (
        partition by tenant_id, client_id, {{ month_of('visit_day') }} order by visit_day
    ) = 1 as is_first_of_month
from visit_days
window client_days as (partition by tenant_id, client_id order by visit_day)
