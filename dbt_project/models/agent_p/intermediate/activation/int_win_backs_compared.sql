with

win_backs as (

    select * from {{ ref('stg_activation__win_backs') }}

),

clients as (

    select * from {{ ref('clients') }}

),

visits as (

    select * from {{ ref('visits') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

-- By intention: who was to be written to counts as written to, sent or not, as in `activation_uplift`.
assessed as (

    select
        win_backs.tenant_id,
        win_backs.segment,
        {{ name_lateness(
            'win_backs.days_since_last_visit',
            'coalesce(win_backs.avg_visit_interval, ' ~ var('default_visit_interval_days') ~ ')',
            'win_backs.days_since_last_visit >= coalesce(tenants.loss_period_days, ' ~ var('loss_period_days') ~ ')'
        ) }} as lateness,
        win_backs.is_held_out,
        {{ has_come_after('win_backs') }} as has_come
    from win_backs
    left join tenants on win_backs.tenant_id = tenants.tenant_id
    where {{ is_uplift_assessable('win_backs') }}

)

select
    tenant_id,
    segment,
    lateness,
    count(*) filter (where not is_held_out) as treated_count,
    count(*) filter (where not is_held_out and has_come) as treated_came_count,
    count(*) filter (where is_held_out) as held_out_count,
    count(*) filter (where is_held_out and has_come) as held_out_came_count
from assessed
where segment is not null and lateness is not null
group by tenant_id, segment, lateness
