with

sessions as (

    select * from {{ ref('stg_agent_p__sessions') }}

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
                case when sessions.duration_sec > 0 then sessions.started_at + sessions.duration_sec * interval '1 second' end,
                sessions.started_at
            )
        ) as ended_at
    from sessions
    where {{ is_touched_client('sessions') }}

)

select * from windowed
