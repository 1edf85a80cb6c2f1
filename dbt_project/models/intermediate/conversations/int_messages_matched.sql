with

stray_messages as (

    select * from {{ ref('int_messages_stray') }}

),

session_windows as (

    select * from {{ ref('int_sessions_windowed') }}

),

-- Messages and session starts on one time line: sorting it costs the same however many sessions a client has.
time_line as (

    select
        tenant_id,
        client_id,
        channel,
        started_at as happened_at,
        session_id,
        ended_at,
        null::bigint as message_id
    from session_windows
    union all
    select
        tenant_id,
        client_id,
        channel,
        sent_at as happened_at,
        null::uuid as session_id,
        null::timestamptz as ended_at,
        message_id
    from stray_messages

),

-- Of sessions that start together the one that ends first comes last, being the nearer.
numbered as (

    select
        time_line.*,
        count(session_id) over so_far as session_number,
        max(ended_at) over so_far as latest_end
    from time_line
    window
        so_far as (
            partition by tenant_id, client_id, channel
            order by happened_at asc, message_id asc nulls first, ended_at desc, session_id desc
            rows between unbounded preceding and current row
        )

),

-- Every row after a session's start, up to the next one's, knows the session: the one that started last.
placed as (

    select
        numbered.*,
        first_value(session_id) over since_start as nearest_session_id,
        first_value(happened_at) over since_start as nearest_started_at,
        first_value(ended_at) over since_start as nearest_ended_at
    from numbered
    window
        since_start as (
            partition by tenant_id, client_id, channel, session_number
            order by happened_at asc, message_id asc nulls first
        )

),

in_nearest_sessions as (

    select
        tenant_id,
        message_id,
        nearest_session_id as session_id,
        client_id as session_client_id,
        nearest_started_at as session_started_at
    from placed
    where message_id is not null and nearest_ended_at >= happened_at

),

-- The nearest is over, and some earlier one is not: the exception.
in_earlier_sessions as (

    select distinct on (placed.tenant_id, placed.message_id)
        placed.tenant_id,
        placed.message_id,
        session_windows.session_id,
        placed.client_id as session_client_id,
        session_windows.started_at as session_started_at
    from placed
    inner join session_windows
        on
            placed.tenant_id = session_windows.tenant_id
            and placed.client_id = session_windows.client_id
            and placed.channel = session_windows.channel
            and placed.happened_at between session_windows.started_at and session_windows.ended_at
    where
        placed.message_id is not null
        and placed.nearest_ended_at < placed.happened_at
        and placed.latest_end >= placed.happened_at
    order by
        placed.tenant_id asc,
        placed.message_id asc,
        session_windows.started_at desc,
        session_windows.ended_at asc,
        session_windows.session_id asc

),

matched as (

    select * from in_nearest_sessions
    union all
    select * from in_earlier_sessions

)

select * from matched
