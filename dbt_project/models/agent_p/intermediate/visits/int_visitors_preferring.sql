with

-- Of each client, and of the person who that is.
visits as not materialized (

    select
        booked.tenant_id,
        booked.staff_id,
        booked.service_id,
        booked.visit_at,
        visitors.visitor_id,
        visitors.is_person
    from {{ ref('visits') }} as booked
    cross join lateral (values (booked.client_id, false), (booked.person_id, true)) as visitors (visitor_id, is_person)
    where booked.is_visit and {{ is_touched_visitor('booked') }}

),

staff as (

    select
        tenant_id,
        is_person,
        visitor_id,
        staff_id,
        row_number() over (
            partition by tenant_id, is_person, visitor_id order by count(*) desc, max(visit_at) desc, staff_id asc
        ) as place
    from visits
    where staff_id is not null
    group by tenant_id, is_person, visitor_id, staff_id

),

services as (

    select
        tenant_id,
        is_person,
        visitor_id,
        service_id,
        row_number() over (
            partition by tenant_id, is_person, visitor_id order by count(*) desc, max(visit_at) desc, service_id asc
        ) as place
    from visits
    where service_id is not null
    group by tenant_id, is_person, visitor_id, service_id

),

chosen as (

    select
        tenant_id,
        is_person,
        visitor_id,
        staff_id,
        null as service_id
    from staff
    where place = 1
    union all
    select
        tenant_id,
        is_person,
        visitor_id,
        null as staff_id,
        service_id
    from services
    where place = 1

)

select
    tenant_id,
    is_person,
    visitor_id,
    max(staff_id) as usual_staff_id,
    max(service_id) as usual_service_id
from chosen
group by tenant_id, is_person, visitor_id
