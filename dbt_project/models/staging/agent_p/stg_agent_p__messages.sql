select
    ---------- ids
    tenant_id,
    id as message_id,
    user_id as client_id,
    session_id,
    {{ raw_column('recent_history_v2', 'legacy_session_id', 'uuid') }} as legacy_session_id,

    ---------- text
    role,
    channel,
    message as message_text,
    meta,

    ---------- timestamps
    created_at as sent_at
from {{ source('agent_p', 'recent_history_v2') }}
