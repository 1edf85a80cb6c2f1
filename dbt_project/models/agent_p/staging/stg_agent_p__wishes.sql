select
    ---------- ids
    source.tenant_id,
    source.id as wish_id,
    source.user_id as client_id,
    source.item_id,

    ---------- text
    {{ redacted_text('source.item_type', 100) }} as item_type,
    {{ redacted_text('source.source', 100) }} as wish_source,
    {{ redacted_text('source.comment') }} as wish_comment,
    {{ raw_column('wishlist_v2', 'status', 'text', absent="'pending'") }} as wish_status,
    source.meta,

    ---------- numbers
    {{ raw_column('wishlist_v2', 'amount', 'numeric') }} as amount,

    ---------- timestamps
    source.created_at,
    source.updated_at,
    {{ raw_column('wishlist_v2', 'processed_at', 'timestamptz') }} as processed_at,

    ---------- text, behind what others' views may hang on
    {{ redacted_text("source.meta ->> 'service_title'", 300) }} as service_title,
    {{ redacted_text("source.meta ->> 'staff_name'", 300) }} as staff_name,
    {{ redacted_text("source.meta ->> 'time_preference'", 100) }} as time_preference
from {{ source('agent_p', 'wishlist_v2') }} as source
where {{ is_accepted('wishlist_v2') }}
