-- Fails with one row per funnel whose steps grow, or whose sessions are not all accounted for.
with

funnel as (

    select * from {{ ref('funnel_daily') }}

)

select
    tenant_id,
    day,
    channel
from funnel
where
    not (
        sessions_started >= chose_service
        and chose_service >= chose_staff
        and chose_staff >= chose_time
        and chose_time >= booked
    )
    or sessions_started <> dropped_at_service + dropped_at_staff + dropped_at_time + dropped_at_confirmation
    + booked + done_without_booking
