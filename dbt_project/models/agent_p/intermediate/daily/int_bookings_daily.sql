with

visits as (

    select * from {{ ref('visits') }}

),

sourced_bookings as (

    select
        tenant_id,
        first_booked_day as day,
        coalesce(lower(first_booking_source), 'unknown') as source,
        count(*) filter (where outcome <> 'moved') as new_bookings,
        count(*) filter (where outcome = 'moved') + sum(times_moved) as moves,
        count(*) filter (where outcome = 'cancelled') as cancellations
    from visits
    where {{ is_touched_day('visits', 'first_booked_day') }}
    group by tenant_id, first_booked_day, coalesce(lower(first_booking_source), 'unknown')

),

summed as (

    select
        tenant_id,
        {% for measure in ['new_bookings', 'moves', 'cancellations'] %}
        sum({{ measure }})::bigint as {{ measure }},
        jsonb_object_agg(source, {{ measure }}) filter (where {{ measure }} > 0) as {{ measure }}_by_source,
        {% endfor %}
        day
    from sourced_bookings
    group by tenant_id, day

)

select * from summed
