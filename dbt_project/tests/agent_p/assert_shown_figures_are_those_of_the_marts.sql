-- Fails with one row per day that is over, and currency, of which something else was noted as shown than the marts show.
{{ config(meta={'dagster': {'ref': {'name': 'figures_shown'}}}) }}

with

metrics as (

    select * from {{ ref('metrics_dailies') }}

),

revenue as (

    select * from {{ ref('revenue_daily') }}

),

shown as (

    select * from {{ ref('figures_shown') }}

),

latest as (

    select distinct on (tenant_id, day, currency) *
    from shown
    order by tenant_id asc, day asc, currency asc, version desc

),

published as (

    select
        tenant_id,
        day,
        '' as currency,
        bookings as booking_count,
        messages as total
    from metrics
    where is_final
    union all
    select
        tenant_id,
        day,
        currency,
        kept_bookings + cancelled_bookings as booking_count,
        kept_amount + cancelled_amount as total
    from revenue
    where is_final

),

noted as (

    select
        tenant_id,
        day,
        currency,
        case
            when currency = '' then (figures ->> 'bookings')::numeric
            else (figures ->> 'kept_bookings')::numeric + (figures ->> 'cancelled_bookings')::numeric
        end as booking_count,
        case
            when currency = '' then (figures ->> 'messages')::numeric
            else (figures ->> 'kept_amount')::numeric + (figures ->> 'cancelled_amount')::numeric
        end as total
    from latest

)

select
    published.tenant_id,
    published.day,
    published.currency,
    published.booking_count,
    noted.booking_count as noted_booking_count,
    published.total,
    noted.total as noted_total
from published
left join noted
    on
        published.tenant_id = noted.tenant_id
        and published.day = noted.day
        and published.currency = noted.currency
where
    published.booking_count is distinct from noted.booking_count
    or published.total is distinct from noted.total
