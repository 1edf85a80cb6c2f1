select
    ---------- ids
    source.tenant_id,
    source.session_id,
    source.user_id as client_id,
    {{ bounded_id("nullif(btrim(source.booking_id), '')") }} as booking_id,

    ---------- text
    {{ redacted_word('source.channel', ['telegram', 'whatsapp', 'unknown']) }} as channel,
    {{ redacted_text('source.final_status', 100) }} as final_status,
    {{ redacted_text('source.final_intent', 100) }} as final_intent,
    {{ redacted_text('source.final_summary') }} as final_summary,
    {{ redacted_text('source.booking_source', 100) }} as booking_source,
    {{ redacted_text('source.booking_status', 100) }} as booking_status,
    upper(nullif(btrim({{ redacted_text('source.booking_currency', 100) }}), '')) as booking_currency,
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
    source.created_at,

    ---------- what the status says
    {{ status_kind(redacted_text('source.booking_status', 100)) }} as status_kind
from {{ source('agent_p', 'conversation_sessions_v2') }} as source
where {{ is_accepted('conversation_sessions_v2') }}
