with

visits as (

    select * from {{ ref('visits') }}

),

predictions as (

    select * from {{ ref('stg_scoring__predictions') }}

),

clients as (

    select * from {{ ref('stg_agent_p__clients') }}

),

-- These are read more than once, and kept whole they would be every salon's.
persons as not materialized (

    select * from {{ ref('clients') }}

),

tenants as not materialized (

    select * from {{ ref('stg_agent_p__tenants') }}

),

sessions as not materialized (

    select * from {{ ref('stg_agent_p__sessions') }}

),

titles as (

    select * from {{ ref('int_services_named') }}

),

names as (

    select * from {{ ref('int_staff_named') }}

),

-- Built visits know the bookings; the raw tables know at once whether one was cancelled, moved or confirmed again since. A time
-- that was told since the build is another one than the last told before it.
open_slots as (

    select
        visits.tenant_id,
        visits.booking_id,
        visits.client_id,
        visits.person_id,
        told.visit_at,
        {{ local_day('told.visit_at', tenant_timezone()) }} as visit_day,
        {{ local_time('told.visit_at', tenant_timezone()) }}::time as visit_time,
        visits.service_id,
        visits.staff_id,
        visits.booking_amount,
        visits.booking_currency
    from visits
    left join tenants on visits.tenant_id = tenants.tenant_id
    cross join lateral (values (coalesce({{ time_told_last('visits') }}, visits.visit_at))) as told (visit_at)
    where
        visits.outcome in ('upcoming', 'cancelled')
        and visits.visit_at >= {{ as_of_moment(tenant_timezone()) }}
        and told.visit_at >= {{ as_of_moment(tenant_timezone()) }}
        and not {{ is_given_up('visits') }}

)

select
    open_slots.tenant_id,
    open_slots.booking_id,
    open_slots.client_id,
    open_slots.person_id,
    clients.client_name,
    clients.phone,
    open_slots.visit_at,
    open_slots.visit_day,
    open_slots.visit_time,
    open_slots.service_id,
    titles.service_title,
    open_slots.staff_id,
    names.staff_name,
    open_slots.booking_amount,
    open_slots.booking_currency,
    predictions.risk_score,
    round(predictions.risk_score * open_slots.booking_amount, 2) as value_at_risk_amount,
    predictions.risk_factors,
    {{ risk_reason('ru') }} as reason,
    {{ risk_reason('en') }} as reason_en,
    predictions.predicted_at
from open_slots
inner join predictions
    on
        open_slots.tenant_id = predictions.tenant_id
        and open_slots.booking_id = predictions.booking_id
left join clients
    on
        open_slots.tenant_id = clients.tenant_id
        and open_slots.client_id = clients.client_id
left join titles
    on
        open_slots.tenant_id = titles.tenant_id
        and open_slots.service_id = titles.service_id
left join names
    on
        open_slots.tenant_id = names.tenant_id
        and open_slots.staff_id = names.staff_id
