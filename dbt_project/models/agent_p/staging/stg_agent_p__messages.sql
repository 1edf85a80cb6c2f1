select
    ---------- ids
    source.tenant_id,
    source.id as message_id,
    source.user_id as client_id,
    source.session_id,
    {{ raw_column('recent_history_v2', 'legacy_session_id', 'uuid') }} as legacy_session_id,

    ---------- text
    {{ redacted_word('source.role', ['user', 'assistant']) }} as role,
    {{ redacted_word('source.channel', ['telegram', 'whatsapp', 'unknown']) }} as channel,
    {{ redacted_text('source.message') }} as message_text,
    source.meta,

    ---------- timestamps
    source.created_at as sent_at
from {{ source('agent_p', 'recent_history_v2') }} as source
where {{ is_accepted('recent_history_v2') }}
