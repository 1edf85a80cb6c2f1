select
    ---------- ids
    tenant_id,
    session_id,
    user_id as client_id,
    nullif(btrim(booking_id), '') as booking_id,

    ---------- text
    channel,
    final_status,
    final_intent,
    final_summary,
    booking_source,
    booking_status,
    upper(nullif(btrim(booking_currency), '')) as booking_currency,
    meta,

    ---------- numbers
    duration_sec,
    messages_count,
    agent_messages_count,
    user_messages_count,
    booking_amount,

    ---------- timestamps
    started_at,
    ended_at,
    booking_datetime as booking_at,
    created_at
from {{ source('agent_p', 'conversation_sessions_v2') }}
