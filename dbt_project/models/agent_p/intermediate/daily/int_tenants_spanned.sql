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

-- Money is earned on the day of the visit, and every day with money is in the calendar.
visits as not materialized (

    select * from {{ ref('visits') }}
    where is_visit

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
            select visits.visit_day
            from visits
            where visits.tenant_id = tenants.tenant_id and visits.visit_day >= date '{{ var("calendar_starts_on") }}'
            order by visits.visit_at
            limit 1
        ) as first_visit_day,
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
        ) as last_message_day,
        (
            select visits.visit_day
            from visits
            where visits.tenant_id = tenants.tenant_id
            order by visits.visit_at desc
            limit 1
        ) as last_visit_day
    from tenants

),

-- An active tenant's calendar reaches to as_of, that of one who left to the last thing that happened.
spanned as (

    select
        bounded.*,
        greatest(
            least(created_day, first_session_day, first_message_day, first_visit_day), date '{{ var("calendar_starts_on") }}'
        ) as first_day,
        case
            when is_active then as_of_day
            else greatest(last_session_day, last_message_day, last_visit_day)
        end as last_day
    from bounded

)

select
    tenant_id,
    first_day,
    last_day
from spanned
