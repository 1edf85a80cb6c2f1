{{ config(materialized='kept') }}

{{ keep_history(
    rows=ref('stg_toy__orders'), key=['order_id'], watched=['status'], timezone="'" ~ var('default_timezone') ~ "'"
) }}
