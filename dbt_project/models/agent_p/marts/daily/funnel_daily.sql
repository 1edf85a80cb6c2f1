{{ config(scope={'entity': 'day', 'columns': ['tenant_id', 'day']}) }}

with

tenant_days as (

    select * from {{ ref('int_tenant_days') }}

),

sessions as (

    select * from {{ ref('sessions') }}

),

counted as (

    select
        tenant_id,
        started_day as day,
        channel,
        {{ count_funnel('is_booking_intended') }},
        {% for stage in ['service', 'staff', 'time'] %}
        count(*) filter (
            where is_booking_intended and drop_off_stage = '{{ stage }}_selection' and drop_off_stage_source = 'inferred'
        ) as inferred_at_{{ stage }},
        {% endfor %}
        count(*) filter (where is_booking_intended and drop_off_stage_source = 'inferred') as inferred_drop_offs,
        count(*) filter (where not is_booking_intended) as other_sessions,
        count(*) filter (where not is_booking_intended and is_booked) as other_booked
    from sessions
    where not is_inferred and {{ is_touched_day('sessions', 'started_day') }}
    group by tenant_id, started_day, channel

),

funnel as (

    select
        counted.tenant_id,
        counted.day,
        counted.channel,
        tenant_days.is_final,
        counted.sessions_started,
        counted.chose_service,
        counted.chose_staff,
        counted.chose_time,
        counted.booked,
        round(counted.chose_service * 100.0 / nullif(counted.sessions_started, 0), 2) as service_step_percent,
        round(counted.chose_staff * 100.0 / nullif(counted.chose_service, 0), 2) as staff_step_percent,
        round(counted.chose_time * 100.0 / nullif(counted.chose_staff, 0), 2) as time_step_percent,
        round(counted.booked * 100.0 / nullif(counted.chose_time, 0), 2) as booking_step_percent,
        round(counted.booked * 100.0 / nullif(counted.sessions_started, 0), 2) as total_conversion_percent,
        counted.dropped_at_service,
        counted.dropped_at_staff,
        counted.dropped_at_time,
        counted.dropped_at_confirmation,
        counted.inferred_drop_offs,
        counted.done_without_booking,
        counted.other_sessions,
        counted.other_booked,
        counted.inferred_at_service,
        counted.inferred_at_staff,
        counted.inferred_at_time
    from counted
    inner join tenant_days
        on
            counted.tenant_id = tenant_days.tenant_id
            and counted.day = tenant_days.day

)

select * from funnel
