with

stray_messages as (

    select * from {{ ref('int_messages_stray') }}

),

numbered_sessions as (

    select * from {{ ref('int_sessions_windowed') }}

),

-- Messages and session starts on one time line: one sort, instead of every message against every session.
time_line as (

    select
        tenant_id,
        client_id,
        channel,
        started_at as happened_at,
        ended_at,
        null::bigint as message_id
    from numbered_sessions
    union all
    select
        tenant_id,
        client_id,
        channel,
        sent_at as happened_at,
        null::timestamptz as ended_at,
        message_id
    from stray_messages

),

placed_messages as (

    select
        tenant_id,
        client_id,
        channel,
        message_id,
        happened_at as sent_at,
        count(ended_at) over started_before as session_number,
        max(ended_at) over started_before as latest_end
    from time_line
    window
        started_before as (
            partition by tenant_id, client_id, channel
            order by happened_at, message_id nulls first
            rows between unbounded preceding and current row
        )

),

-- Only messages that some window covers; the session that started last is the nearest, an earlier one the exception.
covered_messages as (

    select
        placed_messages.tenant_id,
        placed_messages.client_id,
        placed_messages.channel,
        placed_messages.message_id,
        placed_messages.sent_at,
        numbered_sessions.session_id,
        numbered_sessions.started_at,
        coalesce(numbered_sessions.ended_at >= placed_messages.sent_at, false) as is_in_nearest
    from placed_messages
    left join numbered_sessions
        on
            placed_messages.tenant_id = numbered_sessions.tenant_id
            and placed_messages.client_id = numbered_sessions.client_id
            and placed_messages.channel = numbered_sessions.channel
            and placed_messages.session_number = numbered_sessions.session_number
    where placed_messages.message_id is not null and placed_messages.latest_end >= placed_messages.sent_at

),

in_earlier_sessions as (

    select distinct on (covered_messages.tenant_id, covered_messages.message_id)
        covered_messages.tenant_id,
        covered_messages.message_id,
        covered_messages.client_id,
        numbered_sessions.session_id,
        numbered_sessions.started_at
    from covered_messages
    inner join numbered_sessions
        on
            covered_messages.tenant_id = numbered_sessions.tenant_id
            and covered_messages.client_id = numbered_sessions.client_id
            and covered_messages.channel = numbered_sessions.channel
            and covered_messages.sent_at between numbered_sessions.started_at and numbered_sessions.ended_at
    where not covered_messages.is_in_nearest
    order by
        covered_messages.tenant_id asc,
        covered_messages.message_id asc,
        numbered_sessions.session_number desc

),

matched as (

    select
        tenant_id,
        message_id,
        session_id,
        client_id as session_client_id,
        started_at as session_started_at
    from covered_messages
    where is_in_nearest
    union all
    select
        tenant_id,
        message_id,
        session_id,
        client_id as session_client_id,
        started_at as session_started_at
    from in_earlier_sessions

)

select * from matched
