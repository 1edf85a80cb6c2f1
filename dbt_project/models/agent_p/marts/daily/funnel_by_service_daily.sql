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
    {{ count_funnel() }}
from intended
group by tenant_id, day, channel, service_id, client_kind, is_final
