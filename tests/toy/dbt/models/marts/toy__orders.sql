{{ config(
    scope={'entity': 'order', 'columns': ['tenant_id', 'order_id']},
    announces=['paid_day'],
    indexes=[['tenant_id', 'paid_day']]
) }}

with

orders as (

    select * from {{ ref('stg_toy__orders') }}

),

events as (

    select * from {{ ref('stg_toy__events') }}

),

counted as (

    select
        events.tenant_id,
        events.order_id,
        count(*) as event_count
    from events
    where {{ is_touched('order', 'events', 'order_id') }}
    group by events.tenant_id, events.order_id

)

select
    orders.tenant_id,
    orders.order_id,
    orders.status,
    orders.tags,
    orders.price as price_amount,
    orders.paid_at,
    {{ local_day('orders.paid_at', "'" ~ var('default_timezone') ~ "'") }} as paid_day,
    coalesce(counted.event_count, 0) as event_count
from orders
left join counted
    on
        orders.tenant_id = counted.tenant_id
        and orders.order_id = counted.order_id
where {{ is_touched('order', 'orders', 'order_id') }}
