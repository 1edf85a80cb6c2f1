with

-- A booking counts for its client and for the person who that is. Read more than once: Postgres would store all of it first,
-- and look nothing up by index.
visits as not materialized (

    select
        booked.*,
        visitors.visitor_id,
        visitors.is_person
    from {{ ref('visits') }} as booked
    cross join lateral (values (booked.client_id, false), (booked.person_id, true)) as visitors (visitor_id, is_person)
    where {{ is_touched_visitor('booked') }}

),

counted as (

    select
        tenant_id,
        is_person,
        visitor_id,
        count(*) as bookings_count,
        count(*) filter (where is_visit) as visits_count,
        count(*) filter (where outcome = 'no_show') as no_shows_count,
        count(*) filter (where outcome = 'cancelled') as cancellations_count,
        (count(*) filter (where outcome = 'moved') + sum(times_moved))::bigint as moves_count,
        count(*) filter (where outcome = 'upcoming') as upcoming_count,
        count(*) filter (where outcome = 'unknown') as unknown_count,
        min(visit_at) filter (where is_visit) as first_visit_at,
        max(visit_at) filter (where is_visit) as last_visit_at,
        min(visit_at) filter (where outcome = 'upcoming') as next_booking_at
    from visits
    group by tenant_id, is_person, visitor_id

),

-- Two bookings on one day are one visit of the client's rhythm.
visit_days as (

    select distinct
        tenant_id,
        is_person,
        visitor_id,
        visit_day
    from visits
    where is_visit

),

gaps as (

    select
        tenant_id,
        is_person,
        visitor_id,
        visit_day,
        visit_day - lag(visit_day) over (partition by tenant_id, is_person, visitor_id order by visit_day) as gap_days,
        row_number() over (partition by tenant_id, is_person, visitor_id order by visit_day desc) as recency
    from visit_days

),

-- METRICS, "Personal cadence": the median of the last six gaps. The seed's interval is the plain mean, in whole days.
rhythms as (

    select
        tenant_id,
        is_person,
        visitor_id,
        count(*) as visit_days_count,
        round((max(visit_day) - min(visit_day))::numeric / nullif(count(*) - 1, 0))::integer as avg_visit_interval,
        percentile_cont(0.5) within group (order by gap_days) filter (where recency <= 6) as cadence_days,
        max(gap_days) filter (where recency = 1) as last_gap_days
    from gaps
    group by tenant_id, is_person, visitor_id

),

paid as (

    select
        tenant_id,
        is_person,
        visitor_id,
        coalesce(booking_currency, 'XXX') as booking_currency,
        sum(booking_amount) as amount,
        count(*) as paid_visits_count,
        max(visit_at) as last_paid_at
    from visits
    where is_visit and booking_amount is not null
    group by tenant_id, is_person, visitor_id, coalesce(booking_currency, 'XXX')

),

ranked as (

    select
        *,
        row_number() over (
            partition by tenant_id, is_person, visitor_id order by paid_visits_count desc, last_paid_at desc, booking_currency asc
        ) as place
    from paid

),

spent as (

    select
        tenant_id,
        is_person,
        visitor_id,
        jsonb_object_agg(booking_currency, amount) as spend_by_currency,
        max(booking_currency) filter (where place = 1) as spend_currency,
        max(amount) filter (where place = 1) as spend_amount,
        max(paid_visits_count) filter (where place = 1) as paid_visits_count
    from ranked
    group by tenant_id, is_person, visitor_id

)

select
    counted.*,
    coalesce(rhythms.visit_days_count, 0) as visit_days_count,
    rhythms.avg_visit_interval,
    rhythms.cadence_days,
    rhythms.last_gap_days,
    spent.spend_by_currency,
    spent.spend_currency,
    spent.spend_amount,
    spent.paid_visits_count
from counted
left join rhythms
    on
        counted.tenant_id = rhythms.tenant_id
        and counted.is_person = rhythms.is_person
        and counted.visitor_id = rhythms.visitor_id
left join spent
    on
        counted.tenant_id = spent.tenant_id
        and counted.is_person = spent.is_person
        and counted.visitor_id = spent.visitor_id
