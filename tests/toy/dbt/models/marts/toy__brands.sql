{{ config(materialized='stable_view') }}

select
    tenant_id,
    brand_id,
    title
from {{ ref('stg_toy__brands') }}
