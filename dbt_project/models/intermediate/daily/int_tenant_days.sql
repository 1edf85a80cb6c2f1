{{ config(
    materialized='published',
    contract={'enforced': true},
    announces=['day'],
    brake=false,
    meta={'distributed_by': 'tenant_id'}
) }}

-- depends_on: {{ ref('int_person_days') }}
-- All daily marts read the calendar, so that whatever announces days comes before it.
with

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

-- Read more than once: Postgres would store all of it first, and look nothing up by index.
sessions as not materialized (

    select * from {{ ref('sessions') }}

),

dialogs as not materialized (

    select * from {{ ref('dialogs') }}

),

-- First and last days by index, a few look-ups a tenant.
bounded as (

    select
        tenants.tenant_id,
        tenants.timezone,
        tenants.is_active,
        {{ as_of_day('tenants.timezone') }} as as_of_day,
        {{ local_day('tenants.created_at', 'tenants.timezone') }} as created_day,
        (
            select min(sessions.started_day)
            from sessions
            where
                sessions.tenant_id = tenants.tenant_id
                and sessions.started_day >= date '{{ var("calendar_starts_on") }}'
        ) as first_session_day,
        (
            select min(dialogs.sent_day)
            from dialogs
            where
                dialogs.tenant_id = tenants.tenant_id
                and dialogs.sent_day >= date '{{ var("calendar_starts_on") }}'
        ) as first_message_day,
        (
            select max(sessions.started_day)
            from sessions
            where
                sessions.tenant_id = tenants.tenant_id
                and sessions.started_day <= {{ as_of_day('tenants.timezone') }}
        ) as last_session_day,
        (
            select max(dialogs.sent_day)
            from dialogs
            where
                dialogs.tenant_id = tenants.tenant_id
                and dialogs.sent_day <= {{ as_of_day('tenants.timezone') }}
        ) as last_message_day
    from tenants

),

-- An active tenant's calendar reaches to as_of, that of one who left to the last thing that happened.
spanned as (

    select
        bounded.*,
        greatest(
            least(created_day, first_session_day, first_message_day), date '{{ var("calendar_starts_on") }}'
        ) as first_day,
        case
            when is_active then as_of_day
            else greatest(last_session_day, last_message_day)
        end as last_day
    from bounded

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
