with

visits as (

    select * from {{ ref('visits') }}

),

-- Two bookings on one day are one visit of the client's rhythm (METRICS, RFM).
visit_days as (

    select
        tenant_id,
        person_id,
        visit_day
    from visits
    where is_visit
    group by tenant_id, person_id, visit_day

)

select
    tenant_id,
    person_id,
    visit_day,
    {{ month_of('visit_day') }} as visit_month,
    row_number() over person_days as visit_day_number,
    lead(visit_day) over person_days as next_visit_day,
    lead(visit_day, 2) over person_days as second_next_visit_day,
    row_number() over (
        partition by tenant_id, person_id, {{ month_of('visit_day') }} order by visit_day
    ) = 1 as is_first_of_month
from visit_days
window person_days as (partition by tenant_id, person_id order by visit_day)
