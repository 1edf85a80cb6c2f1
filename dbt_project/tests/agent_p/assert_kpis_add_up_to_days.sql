-- Fails with one row per active salon, period, measure and currency whose sums are not those over the days counted back
-- from the last that is over, taken from the daily marts row by row.
{{ config(meta={'dagster': {'ref': {'name': 'kpis'}}}) }}

with

kpis as (

    select * from {{ ref('kpis') }}

),

metrics as (

    select * from {{ ref('metrics_dailies') }}

),

revenue as (

    select * from {{ ref('revenue_daily') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

numbered as (

    select
        metrics.tenant_id,
        metrics.day,
        metrics.dialogs_started,
        metrics.new_bookings,
        metrics.messages,
        row_number() over (partition by metrics.tenant_id order by metrics.day desc) as days_back
    from metrics
    inner join tenants on metrics.tenant_id = tenants.tenant_id
    where tenants.is_active and metrics.is_final and metrics.day >= date '{{ var("calendar_starts_on") }}'

),

itemized as (

    select
        numbered.tenant_id,
        numbered.days_back,
        items.measure,
        '' as currency,
        items.amount
    from numbered
    cross join
        lateral (
            values
            ('dialogs', numbered.dialogs_started),
            ('bookings', numbered.new_bookings),
            ('messages', numbered.messages)
        ) as items (measure, amount)
    union all
    select
        numbered.tenant_id,
        numbered.days_back,
        items.measure,
        revenue.currency,
        items.amount
    from numbered
    inner join revenue
        on
            numbered.tenant_id = revenue.tenant_id
            and numbered.day = revenue.day
    cross join
        lateral (
            values
            ('booked_amount', revenue.booked_amount),
            ('kept_amount', revenue.kept_amount),
            ('earned_amount', revenue.earned_amount)
        ) as items (measure, amount)

),

summed as (

    select
        itemized.tenant_id,
        lengths.period_days,
        itemized.measure,
        itemized.currency,
        coalesce(sum(itemized.amount) filter (where itemized.days_back <= lengths.period_days), 0) as value,
        coalesce(sum(itemized.amount) filter (where itemized.days_back > lengths.period_days), 0) as previous_value
    from itemized
    cross join lateral (values (7), (30), (90)) as lengths (period_days)
    where itemized.days_back <= 2 * lengths.period_days
    group by itemized.tenant_id, lengths.period_days, itemized.measure, itemized.currency

),

published as (

    select
        tenant_id,
        period_days,
        measure,
        currency,
        value,
        previous_value
    from kpis
    where measure in ('dialogs', 'bookings', 'messages', 'booked_amount', 'kept_amount', 'earned_amount')

)

select
    coalesce(summed.tenant_id, published.tenant_id) as tenant_id,
    coalesce(summed.period_days, published.period_days) as period_days,
    coalesce(summed.measure, published.measure) as measure,
    coalesce(summed.currency, published.currency) as currency,
    summed.value as summed_value,
    published.value as published_value
from summed
full join published
    on
        summed.tenant_id = published.tenant_id
        and summed.period_days = published.period_days
        and summed.measure = published.measure
        and summed.currency = published.currency
where
    summed.value is distinct from published.value
    or summed.previous_value is distinct from published.previous_value
