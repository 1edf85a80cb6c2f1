with

visits as (

    select * from {{ ref('visits') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

-- Bookings whose time has come; a moved booking counts where it was moved to (METRICS).
due as (

    select
        visits.tenant_id,
        visits.booking_id,
        visits.visit_at,
        visits.visit_day,
        visits.outcome,
        visits.outcome = 'arrived' and visits.outcome_source = 'presumed' as is_presumed,
        visits.is_released_late
    from visits
    left join tenants on visits.tenant_id = tenants.tenant_id
    where
        visits.outcome in ('arrived', 'no_show', 'cancelled', 'unknown')
        and isfinite(visits.visit_at)
        and visits.visit_at < {{ as_of_moment(tenant_timezone()) }}

)

-- METRICS, "Arrival rate" and below: what was cancelled in time was no visit to come to; where nobody knows when, neither.
select
    due.tenant_id,
    due.booking_id,
    due.visit_at,
    due.visit_day,
    measures.measure,
    measures.is_part,
    due.outcome in ('arrived', 'no_show') as is_attendance,
    due.is_presumed
from due
cross join
    lateral (
        values
        ('arrival', due.outcome = 'arrived', due.outcome in ('arrived', 'no_show') or coalesce(due.is_released_late, false)),
        ('no_show', due.outcome = 'no_show', due.outcome in ('arrived', 'no_show') or coalesce(due.is_released_late, false)),
        ('cancellation', due.outcome = 'cancelled', true),
        ('late_cancellation', coalesce(due.is_released_late, false), due.outcome <> 'cancelled' or due.is_released_late is not null),
        ('unknown', due.outcome = 'unknown', true)
    ) as measures (measure, is_part, is_counted)
where measures.is_counted
