with

messages as (

    select * from {{ ref('stg_agent_p__messages') }}

),

sessions as (

    select * from {{ ref('stg_agent_p__sessions') }}

),

stray as (

    select
        messages.tenant_id,
        messages.message_id,
        messages.client_id,
        messages.channel,
        messages.sent_at
    from messages
    where
        {{ is_touched_client('messages') }}
        and not exists (
            select 1
            from sessions
            where
                sessions.tenant_id = messages.tenant_id
                and sessions.session_id = coalesce(messages.session_id, messages.legacy_session_id)
        )

)

select * from stray
