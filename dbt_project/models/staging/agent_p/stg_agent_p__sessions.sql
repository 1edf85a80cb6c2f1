select
    ---------- ids
    source.tenant_id,
    source.session_id,
    source.user_id as client_id,
    nullif(btrim(source.booking_id), '') as booking_id,

    ---------- text
    source.channel,
    source.final_status,
    source.final_intent,
    source.final_summary,
    source.booking_source,
    source.booking_status,
    upper(nullif(btrim(source.booking_currency), '')) as booking_currency,
    source.meta,

    ---------- numbers
    source.duration_sec,
    source.messages_count,
    source.agent_messages_count,
    source.user_messages_count,
    source.booking_amount,

    ---------- timestamps
    source.started_at,
    source.ended_at,
    source.booking_datetime as booking_at,
    source.created_at
from {{ source('agent_p', 'conversation_sessions_v2') }} as source
where {{ is_accepted('conversation_sessions_v2') }}
