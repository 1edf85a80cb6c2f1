{{ config(brake=false) }}

with

assessed as (

    select * from {{ ref('int_visits_assessed') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

counted as (

    select
        tenant_id,
        {{ month_of('visit_day') }} as visit_month,
        measure,
        count(*) filter (where is_part) as part_count,
        count(*) as whole_count,
        count(*) filter (where is_attendance) as attendance_count,
        count(*) filter (where is_presumed) as presumed_count
    from assessed
    group by tenant_id, {{ month_of('visit_day') }}, measure

),

-- Of who came, where nobody says so, only counts are told.
told as (

    select
        counted.*,
        counted.measure not in ('arrival', 'no_show') or {{ is_attendance_told(
            'counted.presumed_count', 'counted.attendance_count',
            "coalesce(tenants.recorded_attendance_percent, " ~ var('recorded_attendance_percent') ~ ")"
        ) }} as is_told
    from counted
    left join tenants on counted.tenant_id = tenants.tenant_id

)

select
    tenant_id,
    visit_month,
    measure,
    part_count,
    whole_count,
    case when is_told then {{ rate_of('part_count', 'whole_count') }} end as rate,
    case when is_told then {{ wilson_low('part_count', 'whole_count') }} end as rate_low,
    case when is_told then {{ wilson_high('part_count', 'whole_count') }} end as rate_high,
    attendance_count,
    presumed_count,
    {{ rate_of('(attendance_count - presumed_count)', 'attendance_count') }} as recorded_share
from told
