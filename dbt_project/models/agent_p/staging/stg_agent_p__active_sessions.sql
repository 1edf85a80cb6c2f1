select
    ---------- ids
    source.tenant_id,
    source.session_id,
    source.user_id as client_id,

    ---------- text
    source.channel,

    ---------- timestamps
    source.started_at,
    source.last_activity_at
from {{ source('agent_p', 'active_sessions_v2') }} as source
where {{ is_accepted('active_sessions_v2', key='session_id') }}
