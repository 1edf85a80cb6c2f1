with

-- Read twice, by index: Postgres would store all of it first.
messages as not materialized (

    select * from {{ ref('stg_agent_p__messages') }}

),

sessions as (

    select * from {{ ref('stg_agent_p__sessions') }}

),

touched_sessions as (

    select
        sessions.tenant_id,
        sessions.session_id,
        sessions.client_id,
        sessions.started_at
    from sessions
    where {{ is_touched_client('sessions') }}

),

-- A message keeps the session it names. Where the foreign key made it give that value up,
-- the value it gave up counts, once such a session is archived.
named_now as (

    select
        messages.tenant_id,
        messages.message_id,
        touched_sessions.session_id,
        touched_sessions.client_id as session_client_id,
        touched_sessions.started_at as session_started_at
    from touched_sessions
    inner join messages
        on
            touched_sessions.tenant_id = messages.tenant_id
            and touched_sessions.session_id = messages.session_id

),

named_before as (

    select
        messages.tenant_id,
        messages.message_id,
        touched_sessions.session_id,
        touched_sessions.client_id as session_client_id,
        touched_sessions.started_at as session_started_at
    from touched_sessions
    inner join messages
        on
            touched_sessions.tenant_id = messages.tenant_id
            and touched_sessions.session_id = messages.legacy_session_id
    where messages.session_id is null

),

recorded as (

    select * from named_now
    union all
    select * from named_before

)

select * from recorded
