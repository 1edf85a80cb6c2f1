with

sessions as (

    select * from {{ ref('stg_agent_p__sessions') }}

),

recorded as (

    select * from {{ ref('int_messages_recorded') }}

),

named as (

    select
        tenant_id,
        session_id,
        count(*) as message_count
    from recorded
    group by tenant_id, session_id

),

-- A session without an end lasts as long as its recorded duration; one that ends before it starts is a moment.
windowed as (

    select
        sessions.tenant_id,
        sessions.client_id,
        sessions.channel,
        sessions.session_id,
        sessions.started_at,
        greatest(
            sessions.started_at,
            coalesce(
                sessions.ended_at,
                case
                    -- The last years that Postgres knows have no room for a duration.
                    when sessions.duration_sec > 0 and sessions.started_at < '294200-01-01'
                        then sessions.started_at + sessions.duration_sec * interval '1 second'
                end,
                sessions.started_at
            )
        ) as ended_at,
        coalesce(coalesce(named.message_count, 0) < sessions.messages_count, true) as is_incomplete
    from sessions
    left join named
        on
            sessions.tenant_id = named.tenant_id
            and sessions.session_id = named.session_id
    where {{ is_touched_client('sessions') }}

)

select * from windowed
