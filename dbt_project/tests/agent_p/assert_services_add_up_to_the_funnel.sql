-- Fails with one row per day and channel whose services and kinds of clients do not add up to the funnel of those who meant to book.
{{ config(meta={'dagster': {'ref': {'name': 'funnel_by_service_daily'}}}) }}

with

services as (

    select * from {{ ref('funnel_by_service_daily') }}

),

funnel as (

    select * from {{ ref('funnel_daily') }}

),

summed as (

    select
        tenant_id,
        day,
        channel,
        sum(sessions_started) as sessions_started,
        sum(chose_service) as chose_service,
        sum(chose_staff) as chose_staff,
        sum(chose_time) as chose_time,
        sum(booked) as booked,
        sum(dropped_at_service + dropped_at_staff + dropped_at_time + dropped_at_confirmation + done_without_booking) as not_booked
    from services
    group by tenant_id, day, channel

)

select
    funnel.tenant_id,
    funnel.day,
    funnel.channel,
    funnel.sessions_started,
    summed.sessions_started as sessions_summed
from funnel
left join summed
    on
        funnel.tenant_id = summed.tenant_id
        and funnel.day = summed.day
        and funnel.channel = summed.channel
where
    (
        coalesce(summed.sessions_started, 0), coalesce(summed.chose_service, 0), coalesce(summed.chose_staff, 0),
        coalesce(summed.chose_time, 0), coalesce(summed.booked, 0), coalesce(summed.booked + summed.not_booked, 0)
    ) is distinct from (
        funnel.sessions_started, funnel.chose_service, funnel.chose_staff, funnel.chose_time, funnel.booked, funnel.sessions_started
    )
