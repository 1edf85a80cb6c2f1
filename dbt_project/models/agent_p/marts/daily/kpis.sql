{{ config(brake=false) }}

with

periods as (

    select * from {{ ref('int_periods_compared') }}

),

counted as (

    select * from {{ ref('int_kpis_counted') }}

),

rated as (

    select * from {{ ref('int_kpis_rated') }}

),

priced as (

    select * from {{ ref('int_kpis_priced') }}

),

measured as (

    select * from counted
    union all
    select * from rated
    union all
    select * from priced

),

-- Sums and counts become values only here: no average of averages (METRICS, house rules).
valued as (

    select
        tenant_id,
        period_days,
        is_previous,
        measure,
        currency,
        kind,
        case kind
            when 'count' then part_sum
            when 'rate' then case when is_told then {{ rate_of('part_sum', 'whole_count') }} end
            when 'average' then round(part_sum / nullif(whole_count, 0), case when currency = '' then 0 else 2 end)
        end as value,
        case when kind = 'rate' then part_sum::bigint end as part_count,
        whole_count,
        case when kind = 'rate' and is_told then {{ wilson_low('part_sum', 'whole_count') }} end as value_low,
        case when kind = 'rate' and is_told then {{ wilson_high('part_sum', 'whole_count') }} end as value_high,
        presumed_count
    from measured

)

select
    periods.tenant_id,
    periods.period_days,
    latest.measure,
    latest.currency,
    periods.period_start,
    periods.period_end,
    periods.previous_start,
    periods.previous_end,
    latest.value,
    latest.part_count,
    latest.whole_count,
    latest.value_low,
    latest.value_high,
    previous.value as previous_value,
    previous.part_count as previous_part_count,
    previous.whole_count as previous_whole_count,
    previous.value_low as previous_value_low,
    previous.value_high as previous_value_high,
    periods.is_comparable,
    latest.presumed_count,
    previous.presumed_count as previous_presumed_count,
    latest.kind,
    {{ unit_of('latest.measure') }} as unit,
    {{ better_way('latest.measure') }} as better
from periods
inner join valued as latest
    on
        periods.tenant_id = latest.tenant_id
        and periods.period_days = latest.period_days
        and not latest.is_previous
inner join valued as previous
    on
        latest.tenant_id = previous.tenant_id
        and latest.period_days = previous.period_days
        and latest.measure = previous.measure
        and latest.currency = previous.currency
        and previous.is_previous
