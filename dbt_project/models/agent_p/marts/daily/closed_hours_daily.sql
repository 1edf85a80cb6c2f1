{{ config(materialized='stable_view') }}

with

sessions as (

    select * from {{ ref('sessions') }}

),

settings as (

    select * from {{ ref('tenant_settings') }}

),

-- Open past midnight where the salon closes before it opens; around the clock where it does both at once.
started as (

    select
        sessions.tenant_id,
        sessions.started_day as day,
        settings.opening_time,
        settings.closing_time,
        sessions.is_booking_intended,
        sessions.is_booked,
        case
            when settings.opening_time is null or settings.closing_time is null then null
            when settings.opening_time < settings.closing_time
                then sessions.started_local::time < settings.opening_time or sessions.started_local::time >= settings.closing_time
            else sessions.started_local::time < settings.opening_time and sessions.started_local::time >= settings.closing_time
        end as is_closed
    from sessions
    inner join settings on sessions.tenant_id = settings.tenant_id
    where not sessions.is_inferred

)

select
    tenant_id,
    day,
    opening_time,
    closing_time,
    count(*) as sessions_started,
    count(*) filter (where is_booked) as booked,
    case when bool_and(is_closed is not null) then count(*) filter (where is_closed) end as closed_sessions,
    case when bool_and(is_closed is not null) then count(*) filter (where is_closed and is_booking_intended) end as closed_intended,
    case when bool_and(is_closed is not null) then count(*) filter (where is_closed and is_booked) end as closed_booked
from started
group by tenant_id, day, opening_time, closing_time
