select
    md5(source.brand_id)::uuid as tenant_id,
    source.id as order_id,
    source.status,
    source.tags,
    source.price,
    source.paid_at at time zone 'UTC' as paid_at
from {{ source('toy', 'orders') }} as source
where {{ is_accepted('toy__orders', tenant='md5(source.brand_id)::uuid') }}
