with

counted as (

    select * from {{ ref('int_sessions_counted') }}

),

-- Messages that nobody archived know when they were sent, and nothing of what came of them.
inferred_sessions as (

    select
        counted.tenant_id,
        counted.session_id,
        counted.client_id,
        true as is_inferred,
        counted.channel,
        counted.first_message_at as started_at,
        counted.last_message_at as ended_at,
        null::integer as recorded_duration_sec,
        null::text as recorded_status,
        'unknown' as status,
        'inferred' as status_source,
        null::text as intent,
        null::text as summary,
        null::text as drop_off_stage,
        null::text as drop_off_stage_source,
        null::integer as steps_completed,
        null::boolean as is_booking_intended,
        false as is_booked,
        null::text as booking_id,
        null::text as booking_source,
        null::text as booking_status,
        null::timestamptz as booking_at,
        null::numeric as booking_amount,
        null::text as booking_currency,
        null::integer as recorded_messages_count,
        null::integer as recorded_agent_messages_count,
        null::integer as recorded_user_messages_count,
        null::text as service_id
    from counted
    where counted.is_inferred

)

select * from inferred_sessions
