with

visit_days as (

    select * from {{ ref('int_visit_days') }}

),

visits as (

    select * from {{ ref('visits') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

-- What was known of somebody's rhythm on a visit day: the seed's mean over the days until then.
paced as (

    select
        visit_days.tenant_id,
        visit_days.person_id,
        visit_days.visit_day,
        visit_days.next_visit_day,
        {{ tenant_timezone() }} as timezone,
        coalesce(tenants.loss_period_days, {{ var('loss_period_days') }}) as loss_period_days,
        case when visit_days.visit_day_number > 1 then 'regular' else 'one_visit' end as segment,
        coalesce(
            round(
                (
                    visit_days.visit_day
                    - min(visit_days.visit_day) over (partition by visit_days.tenant_id, visit_days.person_id)
                )::numeric / nullif(visit_days.visit_day_number - 1, 0)
            )::integer,
            {{ var('default_visit_interval_days') }}
        ) as cycle_days
    from visit_days
    left join tenants on visit_days.tenant_id = tenants.tenant_id

),

reached as (

    select
        paced.tenant_id,
        paced.person_id,
        paced.visit_day,
        paced.next_visit_day,
        paced.timezone,
        paced.segment,
        spans.lateness,
        paced.visit_day + spans.from_days::integer as reached_day
    from paced
    cross join
        lateral ({{ lateness_spans('paced.cycle_days', 'paced.loss_period_days') }}) as spans (lateness, from_days, until_days)
    where
        (spans.until_days is null or spans.from_days < spans.until_days)
        and (paced.next_visit_day is null or paced.next_visit_day > paced.visit_day + spans.from_days::integer)

)

-- Who had booked by then was nobody to be called.
select
    tenant_id,
    person_id,
    visit_day,
    segment,
    lateness,
    reached_day,
    coalesce(next_visit_day <= reached_day + {{ var('uplift_window_days') }}, false) as has_returned,
    {{ is_final_day('reached_day + ' ~ var('uplift_window_days'), 'timezone') }} as is_assessable
from reached
where
    {{ is_final_day('reached_day', 'timezone') }}
    and not exists (
        select 1
        from visits
        where
            reached.tenant_id = visits.tenant_id
            and reached.person_id = visits.person_id
            and visits.booked_day <= reached.reached_day
            and visits.visit_day > reached.reached_day
            and (visits.released_at is null or {{ local_day('visits.released_at', 'reached.timezone') }} > reached.reached_day)
    )
