select
    ---------- ids
    tenant_id,
    session_id,
    user_id as client_id,

    ---------- text
    channel,

    ---------- timestamps
    started_at,
    last_activity_at
from {{ source('agent_p', 'active_sessions_v2') }}
