{{ config(brake=false) }}

with

assessed as (

    select * from {{ ref('int_visits_assessed') }}

),

counted as (

    select
        tenant_id,
        {{ month_of('visit_day') }} as visit_month,
        measure,
        count(*) filter (where is_part) as part_count,
        count(*) as whole_count
    from assessed
    group by tenant_id, {{ month_of('visit_day') }}, measure

)

select
    tenant_id,
    visit_month,
    measure,
    part_count,
    whole_count,
    {{ rate_of('part_count', 'whole_count') }} as rate,
    {{ wilson_low('part_count', 'whole_count') }} as rate_low,
    {{ wilson_high('part_count', 'whole_count') }} as rate_high
from counted
