{{ config(scope={'entity': 'day', 'columns': ['tenant_id', 'day']}) }}

with

orders as (

    select * from {{ ref('toy__orders') }}

),

paid as (

    select * from orders
    where {{ is_touched_day('orders', 'paid_day') }}

)

select
    tenant_id,
    paid_day as day,
    count(*) as order_count,
    sum(price_amount) as price_amount
from paid
where paid_day is not null
group by tenant_id, paid_day
