with

stray_messages as (

    select * from {{ ref('int_messages_stray') }}

),

matched_messages as (

    select * from {{ ref('int_messages_matched') }}

),

unmatched as (

    select stray_messages.*
    from stray_messages
    where not exists (
        select 1
        from matched_messages
        where
            matched_messages.tenant_id = stray_messages.tenant_id
            and matched_messages.message_id = stray_messages.message_id
    )

),

-- Idle for longer than the gap: a new session. Exactly the gap is still the same one.
opened as (

    select
        unmatched.*,
        coalesce(
            extract(epoch from sent_at) - extract(epoch from lag(sent_at) over conversation)
            > {{ var('session_gap_minutes') }} * 60,
            true
        ) as opens_session
    from unmatched
    window
        conversation as (
            partition by tenant_id, client_id, channel
            order by sent_at, message_id
        )

),

numbered as (

    select
        opened.*,
        count(*) filter (where opens_session) over (
            partition by tenant_id, client_id, channel
            order by sent_at, message_id
            rows between unbounded preceding and current row
        ) as session_number
    from opened

),

-- Named after its first message, so that the same messages always make the same session.
inferred as (

    select
        tenant_id,
        message_id,
        md5(
            concat_ws('|', tenant_id, client_id, channel, first_value(message_id) over session_messages)
        )::uuid as session_id,
        client_id as session_client_id,
        first_value(sent_at) over session_messages as session_started_at
    from numbered
    window
        session_messages as (
            partition by tenant_id, client_id, channel, session_number
            order by sent_at, message_id
        )

)

select * from inferred
