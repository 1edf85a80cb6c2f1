with

outbox as (

    select * from {{ ref('stg_activation__outbox') }}

),

-- Read by index, a person's clients one by one.
clients as not materialized (

    select * from {{ ref('clients') }}

),

visits as not materialized (

    select * from {{ ref('visits') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

-- By intention: who was to be written to counts as written to, sent or not, or the comparison would choose its own winners.
candidates as (

    select
        outbox.tenant_id,
        outbox.kind,
        outbox.is_held_out,
        {{ is_uplift_assessable('outbox') }} as is_assessable,
        {{ has_come_after('outbox') }} as has_come
    from outbox
    left join tenants on outbox.tenant_id = tenants.tenant_id

),

counted as (

    select
        tenant_id,
        kind,
        count(*) filter (where not is_assessable) as maturing_count,
        count(*) filter (where is_assessable and not is_held_out) as treated_count,
        count(*) filter (where is_assessable and not is_held_out and has_come) as treated_came_count,
        count(*) filter (where is_assessable and is_held_out) as held_out_count,
        count(*) filter (where is_assessable and is_held_out and has_come) as held_out_came_count
    from candidates
    group by tenant_id, kind

),

rated as (

    select
        counted.*,
        {{ rate_of('treated_came_count', 'treated_count') }} as treated_rate,
        {{ wilson_low('treated_came_count', 'treated_count') }} as treated_rate_low,
        {{ wilson_high('treated_came_count', 'treated_count') }} as treated_rate_high,
        {{ rate_of('held_out_came_count', 'held_out_count') }} as held_out_rate,
        {{ wilson_low('held_out_came_count', 'held_out_count') }} as held_out_rate_low,
        {{ wilson_high('held_out_came_count', 'held_out_count') }} as held_out_rate_high
    from counted

)

-- The interval of the difference is Newcombe's, of the two Wilson intervals (Newcombe 1998, Stat Med 17:873, method 10).
select
    rated.*,
    treated_rate - held_out_rate as uplift,
    round(
        treated_rate - held_out_rate
        - sqrt((treated_rate - treated_rate_low) ^ 2 + (held_out_rate_high - held_out_rate) ^ 2), 4
    ) as uplift_low,
    round(
        treated_rate - held_out_rate
        + sqrt((treated_rate_high - treated_rate) ^ 2 + (held_out_rate - held_out_rate_low) ^ 2), 4
    ) as uplift_high
from rated
