-- Fails with one row per tenant-day whose hours do not add up to its daily metrics.
{{ config(meta={'dagster': {'ref': {'name': 'traffic_hourly'}}}) }}

with

metrics as (

    select * from {{ ref('metrics_dailies') }}

),

traffic as (

    select * from {{ ref('traffic_hourly') }}

),

summed as (

    select
        tenant_id,
        day,
        bool_and(is_final) as is_final,
        sum(sessions_started) as sessions_started,
        sum(bookings) as bookings,
        sum(user_messages) as user_messages
    from traffic
    group by tenant_id, day

)

select
    coalesce(metrics.tenant_id, summed.tenant_id) as tenant_id,
    coalesce(metrics.day, summed.day) as day,
    metrics.dialogs_started,
    summed.sessions_started,
    metrics.bookings as bookings_of_day,
    summed.bookings as bookings_of_hours,
    metrics.user_messages as messages_of_day,
    summed.user_messages as messages_of_hours
from metrics
full join summed
    on
        metrics.tenant_id = summed.tenant_id
        and metrics.day = summed.day
where
    metrics.dialogs_started is distinct from coalesce(summed.sessions_started, 0)
    or metrics.bookings is distinct from coalesce(summed.bookings, 0)
    or metrics.user_messages is distinct from coalesce(summed.user_messages, 0)
    or metrics.is_final <> summed.is_final
