{{ config(
    materialized='published',
    contract={'enforced': true},
    announces=['day'],
    brake=false,
    meta={'distributed_by': 'tenant_id'}
) }}

with

-- depends_on: {{ ref('int_person_days') }}
-- All daily marts read the calendar, so that whatever announces days comes before it.
tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

sessions as (

    select * from {{ ref('sessions') }}

),

dialogs as (

    select * from {{ ref('dialogs') }}

),

-- Money is earned on the day of the visit, and every day with money is in the calendar.
visits as (

    select * from {{ ref('visits') }}
    where is_visit

),

spanned as (

    select * from {{ ref('int_tenants_spanned') }}

),

filled_days as (

    select
        spanned.tenant_id,
        series.day::date as day
    from spanned
    cross join
        lateral generate_series(
            spanned.first_day::timestamp, spanned.last_day::timestamp, interval '1 day'
        ) as series (day)

),

early_days as (

    select
        tenant_id,
        started_day as day
    from sessions
    where started_day < date '{{ var("calendar_starts_on") }}'
    union
    select
        tenant_id,
        sent_day as day
    from dialogs
    where sent_day < date '{{ var("calendar_starts_on") }}'
    union
    select
        tenant_id,
        visit_day as day
    from visits
    where visit_day < date '{{ var("calendar_starts_on") }}'

),

tenant_days as (

    select
        tenant_id,
        day
    from filled_days
    union
    select
        tenant_id,
        day
    from early_days

),

closed as (

    select
        tenant_days.tenant_id,
        tenant_days.day,
        {{ is_final_day('tenant_days.day', 'tenants.timezone') }} as is_final,
        tenants.timezone
    from tenant_days
    inner join tenants on tenant_days.tenant_id = tenants.tenant_id

)

select * from closed
