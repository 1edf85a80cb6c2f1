{{ config(materialized='stable_view') }}

with

tenant_days as (

    select * from {{ ref('int_tenant_days') }}

),

sessions as (

    select * from {{ ref('sessions') }}

),

clients as (

    select * from {{ ref('clients') }}

),

persons as (

    select * from {{ ref('persons') }}

),

intended as (

    select
        sessions.tenant_id,
        sessions.started_day as day,
        sessions.channel,
        coalesce(sessions.service_id, '') as service_id,
        case when persons.first_visit_at < sessions.started_at then 'returning' else 'new' end as client_kind,
        tenant_days.is_final,
        sessions.steps_completed,
        sessions.drop_off_stage,
        sessions.is_booked
    from sessions
    inner join tenant_days
        on
            sessions.tenant_id = tenant_days.tenant_id
            and sessions.started_day = tenant_days.day
    left join clients
        on
            sessions.tenant_id = clients.tenant_id
            and sessions.client_id = clients.client_id
    left join persons
        on
            clients.tenant_id = persons.tenant_id
            and clients.person_id = persons.person_id
    where not sessions.is_inferred and sessions.is_booking_intended

)

select
    tenant_id,
    day,
    channel,
    service_id,
    client_kind,
    is_final,
    count(*) as sessions_started,
    count(*) filter (where steps_completed >= 1) as chose_service,
    count(*) filter (where steps_completed >= 2) as chose_staff,
    count(*) filter (where steps_completed >= 3) as chose_time,
    count(*) filter (where steps_completed >= 4) as booked,
    count(*) filter (where drop_off_stage = 'service_selection') as dropped_at_service,
    count(*) filter (where drop_off_stage = 'staff_selection') as dropped_at_staff,
    count(*) filter (where drop_off_stage = 'time_selection') as dropped_at_time,
    count(*) filter (where drop_off_stage = 'confirmation') as dropped_at_confirmation,
    count(*) filter (where not is_booked and drop_off_stage is null) as done_without_booking
from intended
group by tenant_id, day, channel, service_id, client_kind, is_final
