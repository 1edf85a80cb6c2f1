-- Fails with one row per tenant-day whose metrics differ from a plain count over raw sessions, taken another way.
{{ config(meta={'dagster': {'ref': {'name': 'metrics_dailies'}}}) }}

with

archived as (

    select * from {{ ref('stg_agent_p__sessions') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

metrics as (

    select * from {{ ref('metrics_dailies') }}

),

funnel as (

    select * from {{ ref('funnel_daily') }}

),

-- By the instant at which each session's day began, and not by turning its start into a date.
begun as (

    select
        archived.tenant_id,
        date_trunc('day', archived.started_at, tenants.timezone) as day_starts_at,
        count(*) as sessions_in_day,
        count(archived.booking_id) as bookings_in_day
    from archived
    inner join tenants on archived.tenant_id = tenants.tenant_id
    -- On the first and last days that Postgres knows, a zone's midnight leads out of its time.
    where archived.started_at between '4713-01-03 BC' and '294276-12-29' or not isfinite(archived.started_at)
    group by archived.tenant_id, date_trunc('day', archived.started_at, tenants.timezone)

),

recounted as (

    select
        metrics.tenant_id,
        metrics.day,
        metrics.dialogs_started,
        metrics.bookings,
        metrics.intended_dialogs,
        metrics.intended_bookings,
        coalesce(begun.sessions_in_day, 0) as sessions_in_day,
        coalesce(begun.bookings_in_day, 0) as bookings_in_day
    from metrics
    inner join tenants on metrics.tenant_id = tenants.tenant_id
    left join begun
        on
            metrics.tenant_id = begun.tenant_id
            and metrics.day::timestamp at time zone tenants.timezone = begun.day_starts_at
    where metrics.day between '4713-01-04 BC' and '294276-12-28' or not isfinite(metrics.day)

),

funnel_days as (

    select
        tenant_id,
        day,
        sum(sessions_started + other_sessions) as sessions_started,
        sum(booked + other_booked) as booked,
        sum(sessions_started) as intended_dialogs,
        sum(booked) as intended_bookings
    from funnel
    group by tenant_id, day

)

select
    recounted.tenant_id,
    recounted.day,
    recounted.dialogs_started,
    recounted.sessions_in_day,
    funnel_days.sessions_started
from recounted
left join funnel_days
    on
        recounted.tenant_id = funnel_days.tenant_id
        and recounted.day = funnel_days.day
where
    recounted.dialogs_started <> recounted.sessions_in_day
    or recounted.bookings <> recounted.bookings_in_day
    or coalesce(funnel_days.sessions_started, 0) <> recounted.sessions_in_day
    or coalesce(funnel_days.booked, 0) <> recounted.bookings_in_day
    or coalesce(funnel_days.intended_dialogs, 0) <> recounted.intended_dialogs
    or coalesce(funnel_days.intended_bookings, 0) <> recounted.intended_bookings
