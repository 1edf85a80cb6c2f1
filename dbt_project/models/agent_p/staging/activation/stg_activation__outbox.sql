select
    ---------- ids
    source.tenant_id,
    source.message_key,
    source.client_id,
    source.booking_id,
    source.wish_id,

    ---------- text
    source.kind,
    source.status,

    ---------- booleans
    source.is_held_out,

    ---------- timestamps
    source.created_at,
    source.send_after,
    source.expires_at,
    source.sent_at
from {{ source('activation', 'outbox') }} as source
