select
    md5(source.brand_id)::uuid as tenant_id,
    source.id as event_id,
    source."order" as order_id,
    source.happened_at at time zone 'UTC' as happened_at
from {{ source('toy', 'events') }} as source
where {{ is_accepted('toy__events', tenant='md5(source.brand_id)::uuid') }}
