{{ config(materialized='stable_view') }}

with

freed_slots as (

    select * from {{ ref('freed_slots') }}

),

outbox as (

    select * from {{ ref('stg_activation__outbox') }}

),

-- Slots whose time has come; whether somebody was written about one, and it was not held out on purpose.
assessable as (

    select
        freed_slots.*,
        coalesce(freed_slots.lost_currency, 'XXX') as currency,
        coalesce(freed_slots.refill_outcome = 'arrived', false) as is_recovered,
        exists(
            select 1
            from outbox
            where
                freed_slots.tenant_id = outbox.tenant_id
                and freed_slots.booking_id = outbox.booking_id
                and outbox.kind = 'slot_offer'
                and not outbox.is_held_out
        ) as is_offered
    from freed_slots
    where freed_slots.is_over

),

counted as (

    select
        tenant_id,
        currency,
        count(*) as freed_count,
        count(*) filter (where refill_booking_id is not null) as refilled_count,
        count(*) filter (where is_recovered) as recovered_count,
        count(*) filter (where matching_wishes_count > 0) as matched_count,
        count(*) filter (where matching_wishes_count > 0 and is_refilled_from_waitlist and is_recovered) as filled_from_waitlist_count,
        count(*) filter (where is_offered) as offered_count,
        count(*) filter (where is_offered and is_recovered) as offered_recovered_count,
        count(*) filter (where not is_offered) as unoffered_count,
        count(*) filter (where not is_offered and is_recovered) as unoffered_recovered_count,
        percentile_cont(0.5) within group (order by fill_minutes) as median_fill_minutes,
        coalesce(sum(lost_amount), 0) as lost_amount,
        coalesce(sum(recovered_amount) filter (where coalesce(recovered_currency, 'XXX') = currency), 0) as recovered_amount,
        coalesce(sum(slot_amount) filter (where is_offered), 0) as offered_amount,
        coalesce(
            sum(recovered_amount) filter (where is_offered and coalesce(recovered_currency, 'XXX') = currency), 0
        ) as offered_recovered_amount
    from assessable
    group by tenant_id, currency

)

select
    tenant_id,
    currency,
    freed_count,
    refilled_count,
    recovered_count,
    {{ rate_of('recovered_count', 'freed_count') }} as recovery_rate,
    {{ wilson_low('recovered_count', 'freed_count') }} as recovery_rate_low,
    {{ wilson_high('recovered_count', 'freed_count') }} as recovery_rate_high,
    matched_count,
    filled_from_waitlist_count,
    {{ rate_of('filled_from_waitlist_count', 'matched_count') }} as waitlist_fill_rate,
    {{ wilson_low('filled_from_waitlist_count', 'matched_count') }} as waitlist_fill_rate_low,
    {{ wilson_high('filled_from_waitlist_count', 'matched_count') }} as waitlist_fill_rate_high,
    offered_count,
    offered_recovered_count,
    unoffered_count,
    {{ rate_of('unoffered_recovered_count', 'unoffered_count') }} as base_recovery_rate,
    round(median_fill_minutes)::bigint as median_fill_minutes,
    lost_amount,
    recovered_amount,
    round(
        offered_recovered_amount - offered_amount * unoffered_recovered_count / nullif(unoffered_count, 0), 2
    ) as net_recovered_amount
from counted
