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
        is_incomplete,
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
        null::boolean as is_incomplete,
        message_id
    from stray_messages

),

-- Of sessions that start together the one that ends first comes last, being the nearer.
numbered as (

    select
        time_line.*,
        count(session_id) over so_far as session_number,
        max(ended_at) over so_far as latest_end,
        max(ended_at) filter (where is_incomplete) over so_far as latest_incomplete_end
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
        first_value(ended_at) over since_start as nearest_ended_at,
        first_value(is_incomplete) over since_start as nearest_is_incomplete
    from numbered
    window
        since_start as (
            partition by tenant_id, client_id, channel, session_number
            order by happened_at asc, message_id asc nulls first
        )

),

-- Sessions that miss messages come before those of which every message that the bot counted is there.
judged as (

    select
        placed.*,
        coalesce(
            nearest_ended_at >= happened_at
            and (nearest_is_incomplete or coalesce(latest_incomplete_end < happened_at, true)),
            false
        ) as is_in_nearest
    from placed
    where message_id is not null and latest_end >= happened_at

),

in_nearest_sessions as (

    select
        tenant_id,
        message_id,
        nearest_session_id as session_id,
        client_id as session_client_id,
        nearest_started_at as session_started_at
    from judged
    where is_in_nearest

),

-- The exception: some session before the nearest one may be the better.
in_other_sessions as (

    select distinct on (judged.tenant_id, judged.message_id)
        judged.tenant_id,
        judged.message_id,
        session_windows.session_id,
        judged.client_id as session_client_id,
        session_windows.started_at as session_started_at
    from judged
    inner join session_windows
        on
            judged.tenant_id = session_windows.tenant_id
            and judged.client_id = session_windows.client_id
            and judged.channel = session_windows.channel
            and judged.happened_at between session_windows.started_at and session_windows.ended_at
    where not judged.is_in_nearest
    order by
        judged.tenant_id asc,
        judged.message_id asc,
        session_windows.is_incomplete desc,
        session_windows.started_at desc,
        session_windows.ended_at asc,
        session_windows.session_id asc

),

matched as (

    select * from in_nearest_sessions
    union all
    select * from in_other_sessions

)

select * from matched
