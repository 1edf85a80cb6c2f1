select
    ---------- ids
    tenant_id,
    id as wish_id,
    user_id as client_id,
    item_id,

    ---------- text
    item_type,
    source as wish_source,
    comment as wish_comment,
    {{ raw_column('wishlist_v2', 'status', 'text', absent="'pending'") }} as wish_status,
    meta,

    ---------- numbers
    {{ raw_column('wishlist_v2', 'amount', 'numeric') }} as amount,

    ---------- timestamps
    created_at,
    updated_at,
    {{ raw_column('wishlist_v2', 'processed_at', 'timestamptz') }} as processed_at
from {{ source('agent_p', 'wishlist_v2') }}
