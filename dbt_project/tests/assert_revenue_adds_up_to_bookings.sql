-- Fails with one row per tenant and currency whose daily revenue is not the sum over its bookings up to as_of.
{{ config(meta={'dagster': {'ref': {'name': 'revenue_daily'}}}) }}

with

sessions as (

    select * from {{ ref('sessions') }}

),

tenant_days as (

    select * from {{ ref('int_tenant_days') }}

),

revenue as (

    select * from {{ ref('revenue_daily') }}

),

booked as (

    select
        sessions.tenant_id,
        coalesce(sessions.booking_currency, 'XXX') as currency,
        count(*) as booking_count,
        coalesce(sum(sessions.booking_amount), 0) as amount
    from sessions
    inner join tenant_days
        on
            sessions.tenant_id = tenant_days.tenant_id
            and sessions.started_day = tenant_days.day
    where sessions.booking_id is not null
    group by sessions.tenant_id, coalesce(sessions.booking_currency, 'XXX')

),

published as (

    select
        tenant_id,
        currency,
        sum(kept_bookings + cancelled_bookings) as booking_count,
        sum(kept_amount + cancelled_amount) as amount
    from revenue
    group by tenant_id, currency

)

select
    coalesce(booked.tenant_id, published.tenant_id) as tenant_id,
    coalesce(booked.currency, published.currency) as currency,
    booked.amount as booked_amount,
    published.amount as published_amount
from booked
full join published
    on
        booked.tenant_id = published.tenant_id
        and booked.currency = published.currency
where
    booked.booking_count is distinct from published.booking_count
    or booked.amount is distinct from published.amount
