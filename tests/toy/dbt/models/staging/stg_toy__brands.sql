select
    md5(source.id)::uuid as tenant_id,
    source.id as brand_id,
    source.title
from {{ source('toy', 'brands') }} as source
