{{ config(brake=false) }}

with

absences as (

    select * from {{ ref('int_absences_staged') }}

),

compared as (

    select * from {{ ref('int_win_backs_compared') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

kinds as (

    select
        tenants.tenant_id,
        segments.segment,
        latenesses.lateness
    from tenants
    cross join lateral (values ('regular'), ('one_visit')) as segments (segment)
    cross join lateral (values ('due'), ('overdue'), ('lapsed'), ('lost')) as latenesses (lateness)

),

counted as (

    select
        tenant_id,
        segment,
        lateness,
        count(*) as reached_count,
        count(*) filter (where is_assessable) as assessable_count,
        count(*) filter (where is_assessable and has_returned) as returned_count
    from absences
    group by tenant_id, segment, lateness

),

-- What follows looks across salons: kept whole, so that nothing that is asked of one salon reaches into it.
known as materialized (

    select
        kinds.tenant_id,
        kinds.segment,
        kinds.lateness,
        coalesce(counted.reached_count, 0) as reached_count,
        coalesce(counted.assessable_count, 0) as assessable_count,
        coalesce(counted.returned_count, 0) as returned_count,
        coalesce(compared.treated_count, 0) as treated_count,
        coalesce(compared.treated_came_count, 0) as treated_came_count,
        coalesce(compared.held_out_count, 0) as held_out_count,
        coalesce(compared.held_out_came_count, 0) as held_out_came_count
    from kinds
    left join counted
        on
            kinds.tenant_id = counted.tenant_id
            and kinds.segment = counted.segment
            and kinds.lateness = counted.lateness
    left join compared
        on
            kinds.tenant_id = compared.tenant_id
            and kinds.segment = compared.segment
            and kinds.lateness = compared.lateness

),

pooled as materialized (

    select
        segment,
        lateness,
        sum(assessable_count) as assessable_count,
        sum(returned_count) as returned_count,
        least(sum(treated_count), sum(held_out_count)) >= {{ var('uplift_from') }} as is_uplift_known,
        sum(treated_came_count)::numeric / nullif(sum(treated_count), 0)
        - sum(held_out_came_count)::numeric / nullif(sum(held_out_count), 0) as uplift
    from known
    group by segment, lateness

)

select
    known.tenant_id,
    known.segment,
    known.lateness,
    known.reached_count,
    known.reached_count - known.assessable_count as maturing_count,
    known.assessable_count,
    known.returned_count,
    {{ rate_of('known.returned_count', 'known.assessable_count') }} as rate,
    {{ wilson_low('known.returned_count', 'known.assessable_count') }} as rate_low,
    {{ wilson_high('known.returned_count', 'known.assessable_count') }} as rate_high,
    case
        when pooled.is_uplift_known then round(greatest(pooled.uplift, 0), 4)
        when pooled.assessable_count > 0 then round((pooled.returned_count + 0.5) / (pooled.assessable_count + 1), 4)
    end as return_chance,
    case
        when pooled.is_uplift_known then 'uplift'
        when pooled.assessable_count > 0 then 'history'
    end as chance_source
from known
inner join pooled
    on
        known.segment = pooled.segment
        and known.lateness = pooled.lateness
