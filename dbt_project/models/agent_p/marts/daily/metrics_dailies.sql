{{ config(scope={'entity': 'day', 'columns': ['tenant_id', 'day']}, brake=false) }}

with

tenant_days as (

    select * from {{ ref('int_tenant_days') }}

),

sessions as (

    select * from {{ ref('sessions') }}

),

daily_bookings as (

    select * from {{ ref('int_bookings_daily') }}

),

daily_messages as (

    select * from {{ ref('int_messages_daily') }}

),

person_days as (

    select * from {{ ref('int_person_days') }}

),

daily_sessions as (

    select
        tenant_id,
        started_day as day,
        count(*) filter (where not is_inferred) as dialogs_started,
        count(*) filter (where is_booked) as bookings,
        -- The seed's word, and no other.
        count(*) filter (where is_booked and booking_status = 'cancelled') as cancelled_bookings,
        sum(response_ms_sum) filter (where not is_inferred)::bigint as response_ms_sum,
        coalesce(sum(response_count) filter (where not is_inferred), 0)::bigint as response_count,
        count(distinct client_id) filter (where not is_inferred) as unique_clients,
        count(*) filter (where is_first_session) as new_clients,
        count(*) filter (where is_inferred) as inferred_sessions,
        count(*) filter (where is_outreach) as outreach_sessions,
        count(*) filter (where is_booking_intended) as intended_dialogs,
        count(*) filter (where is_booking_intended and is_booked) as intended_bookings
    from sessions
    where {{ is_touched_day('sessions', 'started_day') }}
    group by tenant_id, started_day

),

daily_persons as (

    select
        tenant_id,
        day,
        count(*) as unique_persons,
        count(*) filter (where is_first_day) as new_persons
    from person_days
    where {{ is_touched_day('person_days') }}
    group by tenant_id, day

),

metrics as (

    select
        tenant_days.tenant_id,
        tenant_days.day,
        tenant_days.is_final,
        coalesce(daily_sessions.dialogs_started, 0) as dialogs_started,
        coalesce(daily_sessions.bookings, 0) as bookings,
        coalesce(
            round(daily_sessions.bookings * 100.0 / nullif(daily_sessions.dialogs_started, 0), 2), 0
        ) as conversion,
        round(daily_sessions.response_ms_sum::numeric / nullif(daily_sessions.response_count, 0))::bigint as avg_response_ms,
        daily_sessions.response_ms_sum,
        coalesce(daily_sessions.response_count, 0) as response_count,
        round(daily_messages.percentiles[1])::bigint as median_response_ms,
        round(daily_messages.percentiles[2])::bigint as p90_response_ms,
        coalesce(daily_sessions.cancelled_bookings, 0) as cancelled_bookings,
        coalesce(daily_sessions.unique_clients, 0) as unique_clients,
        coalesce(daily_sessions.new_clients, 0) as new_clients,
        coalesce(daily_sessions.inferred_sessions, 0) as inferred_sessions,
        coalesce(daily_sessions.outreach_sessions, 0) as outreach_sessions,
        coalesce(daily_messages.messages, 0) as messages,
        coalesce(daily_messages.user_messages, 0) as user_messages,
        coalesce(daily_messages.agent_messages, 0) as agent_messages,
        coalesce(daily_sessions.intended_dialogs, 0) as intended_dialogs,
        coalesce(daily_sessions.intended_bookings, 0) as intended_bookings,
        round(
            daily_sessions.intended_bookings * 100.0 / nullif(daily_sessions.intended_dialogs, 0), 2
        ) as intended_conversion,
        coalesce(daily_persons.unique_persons, 0) as unique_persons,
        coalesce(daily_persons.new_persons, 0) as new_persons,
        coalesce(daily_bookings.new_bookings, 0) as new_bookings,
        coalesce(daily_bookings.new_bookings_by_source, '{}') as new_bookings_by_source,
        coalesce(daily_bookings.moves, 0) as moves,
        coalesce(daily_bookings.moves_by_source, '{}') as moves_by_source,
        coalesce(daily_bookings.cancellations, 0) as cancellations,
        coalesce(daily_bookings.cancellations_by_source, '{}') as cancellations_by_source
    from tenant_days
    left join daily_sessions
        on
            tenant_days.tenant_id = daily_sessions.tenant_id
            and tenant_days.day = daily_sessions.day
    left join daily_messages
        on
            tenant_days.tenant_id = daily_messages.tenant_id
            and tenant_days.day = daily_messages.day
    left join daily_persons
        on
            tenant_days.tenant_id = daily_persons.tenant_id
            and tenant_days.day = daily_persons.day
    left join daily_bookings
        on
            tenant_days.tenant_id = daily_bookings.tenant_id
            and tenant_days.day = daily_bookings.day
    where {{ is_touched_day('tenant_days') }}

)

select * from metrics
