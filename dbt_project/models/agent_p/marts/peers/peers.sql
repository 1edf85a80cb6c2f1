{{ config(brake=false) }}

with

retention as (

    select * from {{ ref('retention') }}

),

visit_rates as (

    select * from {{ ref('visit_rates') }}

),

persons as (

    select * from {{ ref('persons') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

-- A year of a salon's counts; months as a whole, because both marts are kept by month.
measured as (

    select
        tenant_id,
        measure,
        cohort_month as month,
        returned_count as part_count,
        assessable_count as whole_count,
        0 as attendance_count,
        0 as presumed_count
    from retention
    union all
    select
        tenant_id,
        measure,
        visit_month as month,
        part_count,
        whole_count,
        attendance_count,
        presumed_count
    from visit_rates

),

sized as (

    select
        tenants.tenant_id,
        tenants.recorded_attendance_percent,
        {{ as_of_day('tenants.timezone') }} as as_of_day,
        (
            select count(*)
            from persons
            where persons.tenant_id = tenants.tenant_id and persons.visits_count > 0
        ) as clients_count
    from tenants
    where tenants.is_active

),

-- What follows looks across salons: kept whole, so that nothing that is asked of one salon reaches into it.
rated as materialized (

    select
        sized.tenant_id,
        sized.clients_count,
        measured.measure,
        sum(measured.part_count)::bigint as part_count,
        sum(measured.whole_count)::bigint as whole_count
    from sized
    inner join measured
        on
            sized.tenant_id = measured.tenant_id
            and measured.month >= date_trunc('month', sized.as_of_day - interval '12 months')
    group by sized.tenant_id, sized.clients_count, sized.recorded_attendance_percent, measured.measure
    -- Presumed visits are no rate to be compared with (visit_rates).
    having
        sum(measured.whole_count) > 0
        and (
            measured.measure not in ('arrival', 'no_show')
            or {{ is_attendance_told(
                'sum(measured.presumed_count)', 'sum(measured.attendance_count)', 'sized.recorded_attendance_percent'
            ) }}
        )

),

-- Similar are salons with a third to three times as many clients, the salon itself included.
compared as (

    select
        rated.tenant_id,
        rated.measure,
        count(*) as peers_count,
        percentile_cont(0.5) within group (order by others.part_count::float8 / others.whole_count) as median_rate
    from rated
    inner join rated as others
        on
            rated.measure = others.measure
            and others.clients_count between rated.clients_count / 3.0 and rated.clients_count * 3.0
    group by rated.tenant_id, rated.measure

)

select
    rated.tenant_id,
    rated.measure,
    rated.part_count,
    rated.whole_count,
    {{ rate_of('rated.part_count', 'rated.whole_count') }} as rate,
    {{ wilson_low('rated.part_count', 'rated.whole_count') }} as rate_low,
    {{ wilson_high('rated.part_count', 'rated.whole_count') }} as rate_high,
    case when compared.peers_count >= {{ var('peers_from') }} then compared.peers_count end as peers_count,
    case when compared.peers_count >= {{ var('peers_from') }} then round(compared.median_rate::numeric, 4) end as peers_median_rate
from rated
inner join compared
    on
        rated.tenant_id = compared.tenant_id
        and rated.measure = compared.measure
