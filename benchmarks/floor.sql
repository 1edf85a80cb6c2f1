-- The marts as somebody would write them by hand: no dbt, no views, no checks, straight from the raw tables.
-- benchmarks/floor.py makes a table of every section. A comment `touched client:` or `touched day:` marks where
-- a build after one more day narrows the work: it becomes `and (…) in (the clients or days that changed)`.

-- relation: temporary zones
select
    tenants.id as tenant_id,
    tenants.is_active,
    tenants.created_at,
    coalesce(names.name, 'Europe/Moscow') as zone
from tenants_v2 as tenants
left join pg_timezone_names as names on tenants.metadata -> 'settings' ->> 'timezone' = names.name

-- relation: temporary placed
with

strays as (
    select messages.id, messages.tenant_id, messages.user_id, messages.channel, messages.created_at
    from recent_history_v2 as messages
    where
        not exists (
            select 1
            from conversation_sessions_v2 as sessions
            where
                sessions.tenant_id = messages.tenant_id
                and sessions.session_id = coalesce(messages.session_id, messages.legacy_session_id)
        )
        /* touched client: messages.tenant_id, messages.user_id */
),

searched as (
    select strays.*, nearest.session_id, nearest.started_at
    from strays
    left join lateral (
        select
            sessions.session_id,
            sessions.started_at,
            greatest(
                sessions.started_at,
                coalesce(
                    sessions.ended_at,
                    case when sessions.duration_sec > 0 then sessions.started_at + sessions.duration_sec * interval '1 second' end,
                    sessions.started_at
                )
            ) as closed_at
        from conversation_sessions_v2 as sessions
        where
            sessions.tenant_id = strays.tenant_id
            and sessions.user_id = strays.user_id
            and sessions.channel = strays.channel
            and sessions.started_at <= strays.created_at
            and greatest(
                coalesce(
                    sessions.ended_at,
                    case when sessions.duration_sec > 0 then sessions.started_at + sessions.duration_sec * interval '1 second' end,
                    sessions.started_at
                ),
                sessions.started_at
            ) >= strays.created_at
        order by sessions.started_at desc, closed_at, sessions.session_id
        limit 1
    ) as nearest on true
),

opened as (
    select
        searched.*,
        coalesce(created_at - lag(created_at) over talk > interval '30 minutes', true) as opens
    from searched
    where session_id is null
    window talk as (partition by tenant_id, user_id, channel order by created_at, id)
),

numbered as (
    select
        opened.*,
        count(*) filter (where opens) over (
            partition by tenant_id, user_id, channel order by created_at, id rows unbounded preceding
        ) as number
    from opened
)

select id, session_id, started_at, 'matched' as session_source
from searched
where session_id is not null
union all
select
    id,
    md5(concat_ws('|', tenant_id, user_id, channel, first_value(id) over talk))::uuid,
    first_value(created_at) over talk,
    'inferred'
from numbered
window talk as (partition by tenant_id, user_id, channel, number order by created_at, id)

-- relation: dashboard.dialogs by client (tenant_id, session_client_id)
with

said as (
    select
        messages.tenant_id, messages.id as message_id, sessions.session_id, 'recorded' as session_source,
        sessions.user_id as session_client_id, messages.user_id as client_id, messages.channel, messages.role,
        messages.message as message_text, messages.created_at as sent_at, sessions.started_at
    from conversation_sessions_v2 as sessions
    inner join recent_history_v2 as messages on sessions.session_id = messages.session_id
    where sessions.tenant_id = messages.tenant_id /* touched client: sessions.tenant_id, sessions.user_id */
    union all
    select
        messages.tenant_id, messages.id, sessions.session_id, 'recorded',
        sessions.user_id, messages.user_id, messages.channel, messages.role,
        messages.message, messages.created_at, sessions.started_at
    from conversation_sessions_v2 as sessions
    inner join recent_history_v2 as messages on sessions.session_id = messages.legacy_session_id
    where
        messages.session_id is null and sessions.tenant_id = messages.tenant_id
        /* touched client: sessions.tenant_id, sessions.user_id */
    union all
    select
        messages.tenant_id, messages.id, placed.session_id, placed.session_source,
        messages.user_id, messages.user_id, messages.channel, messages.role,
        messages.message, messages.created_at, placed.started_at
    from placed
    inner join recent_history_v2 as messages on placed.id = messages.id
),

-- By session first: ids of sessions tell rows apart at the first comparison, those of tenants do not.
ordered as (
    select
        said.*,
        row_number() over talk as position,
        count(*) filter (where role = 'assistant') over (exchange rows between unbounded preceding and 1 preceding) as turn
    from said
    window
        talk as (partition by session_id, tenant_id order by sent_at, message_id),
        exchange as (partition by session_id, tenant_id order by sent_at, role is not distinct from 'assistant', message_id)
),

timed as (
    select
        ordered.*,
        min(sent_at) filter (where role = 'user') over (partition by session_id, tenant_id, turn) as asked_at
    from ordered
)

select
    timed.tenant_id, message_id, session_id, session_source, session_client_id, client_id, channel, position, role,
    message_text, sent_at,
    (sent_at at time zone zone)::date as sent_day,
    (started_at at time zone zone)::date as session_day,
    case
        when role = 'assistant' and sent_at - asked_at <= interval '24 hours'
            then round(extract(epoch from sent_at - asked_at) * 1000)::bigint
    end as response_ms
from timed
inner join zones on timed.tenant_id = zones.tenant_id

-- relation: dashboard.sessions by client (tenant_id, client_id)
with

counted as (
    select
        tenant_id,
        session_id,
        session_client_id as client_id,
        count(*) as messages_count,
        count(*) filter (where role = 'assistant') as agent_messages_count,
        count(*) filter (where role = 'user') as user_messages_count,
        count(*) filter (where session_source = 'matched') as matched_messages_count,
        bool_and(session_source = 'inferred') as is_inferred,
        min(channel) as channel,
        min(sent_at) as first_at,
        max(sent_at) as last_at,
        (min(array[position, response_ms]) filter (where response_ms is not null))[2] as first_response_ms,
        sum(response_ms)::bigint as response_ms_sum,
        count(response_ms) as response_count
    from floor.dialogs
    where true /* touched client: tenant_id, session_client_id */
    group by tenant_id, session_id, session_client_id
),

noted as (
    select
        sessions.*,
        nullif(btrim(booking_id), '') as booking,
        case
            when meta ->> 'drop_off_stage' in ('service_selection', 'staff_selection', 'time_selection')
                then meta ->> 'drop_off_stage'
        end as recorded_stage,
        case
            when case jsonb_typeof(meta -> 'services_selected')
                when 'array' then jsonb_array_length(meta -> 'services_selected') = 0
                when 'string' then btrim(meta ->> 'services_selected') = ''
                when 'number' then false
                else true
            end then 'service_selection'
            when (jsonb_typeof(meta -> 'staff_id') in ('string', 'number') and btrim(meta ->> 'staff_id') <> '') is not true
                then 'staff_selection'
            when (jsonb_typeof(meta -> 'selected_datetime') = 'string' and btrim(meta ->> 'selected_datetime') <> '') is not true
                then 'time_selection'
            else 'confirmation'
        end as inferred_stage
    from conversation_sessions_v2 as sessions
    where true /* touched client: sessions.tenant_id, sessions.user_id */
),

archived as (
    select
        noted.*,
        booking is null and final_status <> 'done' as is_lost,
        case when final_status = 'done' then inferred_stage else coalesce(recorded_stage, inferred_stage) end as stage
    from noted
),

held as (
    select
        tenant_id, session_id, user_id as client_id, false as is_inferred, channel, started_at, ended_at,
        duration_sec as recorded_duration_sec, final_status as recorded_status,
        case when booking is not null then 'done' else final_status end as status,
        case when booking is not null and final_status <> 'done' then 'inferred' else 'recorded' end as status_source,
        final_intent as intent, final_summary as summary,
        case when is_lost then stage end as drop_off_stage,
        case when is_lost then case when recorded_stage is null then 'inferred' else 'recorded' end end as drop_off_stage_source,
        case
            when booking is not null then 4
            else array_position(array['service_selection', 'staff_selection', 'time_selection', 'confirmation'], stage) - 1
        end as steps_completed,
        case
            when nullif(btrim(final_intent), '') is null then booking is not null or stage <> 'service_selection'
            else lower(btrim(final_intent)) in ('booking', 'book', 'запись', 'Запись', 'ЗАПИСЬ')
        end as is_booking_intended,
        booking is not null as is_booked,
        booking as booking_id, booking_source, booking_status, booking_datetime as booking_at, booking_amount,
        upper(nullif(btrim(booking_currency), '')) as booking_currency,
        messages_count as recorded_messages_count,
        agent_messages_count as recorded_agent_messages_count,
        user_messages_count as recorded_user_messages_count
    from archived
    union all
    select
        tenant_id, session_id, client_id, true, channel, first_at, last_at, null, null, 'unknown', 'inferred', null, null,
        null, null, null, null, false, null, null, null, null, null, null, null, null, null
    from counted
    where is_inferred
)

select
    held.tenant_id, held.session_id, held.client_id,
    nullif(btrim(clients.full_name), '') as client_name,
    held.is_inferred,
    held.is_inferred and coalesce(counted.user_messages_count, 0) = 0 as is_outreach,
    held.channel, held.started_at, held.ended_at,
    (held.started_at at time zone zones.zone)::date as started_day,
    held.recorded_duration_sec,
    round(extract(epoch from held.ended_at - held.started_at) * 1000)::bigint / 1000 as duration_sec,
    held.recorded_status, held.status, held.status_source, held.intent, held.summary,
    held.drop_off_stage, held.drop_off_stage_source, held.steps_completed, held.is_booked,
    coalesce(held.is_booked and held.booking_status = 'cancelled', false) as is_booking_cancelled,
    held.booking_id, held.booking_source, held.booking_status, held.booking_at, held.booking_amount, held.booking_currency,
    held.recorded_messages_count, held.recorded_agent_messages_count, held.recorded_user_messages_count,
    coalesce(counted.messages_count, 0) as messages_count,
    coalesce(counted.agent_messages_count, 0) as agent_messages_count,
    coalesce(counted.user_messages_count, 0) as user_messages_count,
    coalesce(counted.matched_messages_count, 0) as matched_messages_count,
    counted.first_response_ms, counted.response_ms_sum,
    coalesce(counted.response_count, 0) as response_count,
    not held.is_inferred and row_number() over (
        partition by held.tenant_id, held.client_id order by held.is_inferred, held.started_at, held.session_id
    ) = 1 as is_first_session,
    held.is_booking_intended
from held
left join counted on held.tenant_id = counted.tenant_id and held.session_id = counted.session_id
left join clients_v2 as clients on held.tenant_id = clients.tenant_id and held.client_id = clients.id
inner join zones on held.tenant_id = zones.tenant_id

-- relation: intermediate.int_tenant_days whole
with

spans as (
    select
        zones.tenant_id,
        greatest(date '2015-01-01', least((created_at at time zone zone)::date, (
            select min(started_day) from floor.sessions as s where s.tenant_id = zones.tenant_id and started_day >= '2015-01-01'
        ), (
            select min(sent_day) from floor.dialogs as d where d.tenant_id = zones.tenant_id and sent_day >= '2015-01-01'
        ), (
            select min(visit_day) from dashboard.visits as v
            where v.tenant_id = zones.tenant_id and v.is_visit and visit_day >= '2015-01-01'
        ))) as first_day,
        case when is_active then current_setting('floor.as_of')::date else greatest((
            select max(started_day) from floor.sessions as s
            where s.tenant_id = zones.tenant_id and started_day <= current_setting('floor.as_of')::date
        ), (
            select max(sent_day) from floor.dialogs as d
            where d.tenant_id = zones.tenant_id and sent_day <= current_setting('floor.as_of')::date
        ), (
            select max(visit_day) from dashboard.visits as v where v.tenant_id = zones.tenant_id and v.is_visit
        )) end as last_day
    from zones
)

select spans.tenant_id, series.day::date as day, series.day::date <= current_setting('floor.as_of')::date as is_final
from spans
cross join lateral generate_series(spans.first_day::timestamp, spans.last_day::timestamp, interval '1 day') as series (day)

-- relation: dashboard.metrics_dailies by day (tenant_id, day)
with

started as (
    select
        tenant_id,
        started_day as day,
        count(*) filter (where not is_inferred) as dialogs_started,
        count(*) filter (where is_booked) as bookings,
        count(*) filter (where is_booked and booking_status = 'cancelled') as cancelled_bookings,
        sum(response_ms_sum) filter (where not is_inferred)::bigint as response_ms_sum,
        coalesce(sum(response_count) filter (where not is_inferred), 0)::bigint as response_count,
        count(distinct client_id) filter (where not is_inferred) as unique_clients,
        count(*) filter (where is_first_session) as new_clients,
        count(*) filter (where is_inferred) as inferred_sessions,
        count(*) filter (where is_outreach) as outreach_sessions,
        count(*) filter (where is_booking_intended) as intended_dialogs,
        count(*) filter (where is_booking_intended and is_booked) as intended_bookings
    from floor.sessions
    where true /* touched day: tenant_id, started_day */
    group by tenant_id, started_day
),

replies as (
    select tenant_id, session_day as day, percentile_cont(array[0.5, 0.9]) within group (order by response_ms) as percentiles
    from floor.dialogs
    where session_source <> 'inferred' and response_ms is not null /* touched day: tenant_id, session_day */
    group by tenant_id, session_day
),

sent as (
    select
        tenant_id,
        sent_day as day,
        count(*) as messages,
        count(*) filter (where role = 'user') as user_messages,
        count(*) filter (where role = 'assistant') as agent_messages
    from floor.dialogs
    where true /* touched day: tenant_id, sent_day */
    group by tenant_id, sent_day
),

sourced as (
    select
        tenant_id, first_booked_day as day, coalesce(lower(first_booking_source), 'unknown') as source,
        count(*) filter (where outcome <> 'moved') as new_bookings,
        count(*) filter (where outcome = 'moved') + sum(times_moved) as moves,
        count(*) filter (where outcome = 'cancelled') as cancellations
    from dashboard.visits
    where true /* touched day: tenant_id, first_booked_day */
    group by 1, 2, 3
),

made as (
    select
        tenant_id, day,
        sum(new_bookings)::bigint as new_bookings,
        jsonb_object_agg(source, new_bookings) filter (where new_bookings > 0) as new_bookings_by_source,
        sum(moves)::bigint as moves,
        jsonb_object_agg(source, moves) filter (where moves > 0) as moves_by_source,
        sum(cancellations)::bigint as cancellations,
        jsonb_object_agg(source, cancellations) filter (where cancellations > 0) as cancellations_by_source
    from sourced
    group by tenant_id, day
)

select
    days.tenant_id, days.day, days.is_final,
    coalesce(dialogs_started, 0) as dialogs_started,
    coalesce(bookings, 0) as bookings,
    coalesce(round(bookings * 100.0 / nullif(dialogs_started, 0), 2), 0) as conversion,
    round(response_ms_sum::numeric / nullif(response_count, 0))::bigint as avg_response_ms,
    response_ms_sum,
    coalesce(response_count, 0) as response_count,
    round(percentiles[1])::bigint as median_response_ms,
    round(percentiles[2])::bigint as p90_response_ms,
    coalesce(cancelled_bookings, 0) as cancelled_bookings,
    coalesce(unique_clients, 0) as unique_clients,
    coalesce(new_clients, 0) as new_clients,
    coalesce(inferred_sessions, 0) as inferred_sessions,
    coalesce(outreach_sessions, 0) as outreach_sessions,
    coalesce(messages, 0) as messages,
    coalesce(user_messages, 0) as user_messages,
    coalesce(agent_messages, 0) as agent_messages,
    coalesce(intended_dialogs, 0) as intended_dialogs,
    coalesce(intended_bookings, 0) as intended_bookings,
    round(intended_bookings * 100.0 / nullif(intended_dialogs, 0), 2) as intended_conversion,
    coalesce(new_bookings, 0) as new_bookings,
    coalesce(new_bookings_by_source, '{}') as new_bookings_by_source,
    coalesce(moves, 0) as moves,
    coalesce(moves_by_source, '{}') as moves_by_source,
    coalesce(cancellations, 0) as cancellations,
    coalesce(cancellations_by_source, '{}') as cancellations_by_source
from floor.int_tenant_days as days
left join started on days.tenant_id = started.tenant_id and days.day = started.day
left join replies on days.tenant_id = replies.tenant_id and days.day = replies.day
left join sent on days.tenant_id = sent.tenant_id and days.day = sent.day
left join made on days.tenant_id = made.tenant_id and days.day = made.day
where true /* touched day: days.tenant_id, days.day */

-- relation: dashboard.funnel_daily by day (tenant_id, day)
with

counted as (
    select
        tenant_id, started_day as day, channel,
        count(*) filter (where is_booking_intended) as sessions_started,
        count(*) filter (where is_booking_intended and steps_completed >= 1) as chose_service,
        count(*) filter (where is_booking_intended and steps_completed >= 2) as chose_staff,
        count(*) filter (where is_booking_intended and steps_completed >= 3) as chose_time,
        count(*) filter (where is_booking_intended and steps_completed >= 4) as booked,
        count(*) filter (where is_booking_intended and drop_off_stage = 'service_selection') as dropped_at_service,
        count(*) filter (where is_booking_intended and drop_off_stage = 'staff_selection') as dropped_at_staff,
        count(*) filter (where is_booking_intended and drop_off_stage = 'time_selection') as dropped_at_time,
        count(*) filter (where is_booking_intended and drop_off_stage = 'confirmation') as dropped_at_confirmation,
        count(*) filter (where is_booking_intended and drop_off_stage_source = 'inferred') as inferred_drop_offs,
        count(*) filter (where is_booking_intended and not is_booked and drop_off_stage is null) as done_without_booking,
        count(*) filter (where not is_booking_intended) as other_sessions,
        count(*) filter (where not is_booking_intended and is_booked) as other_booked,
        count(*) filter (
            where is_booking_intended and drop_off_stage = 'service_selection' and drop_off_stage_source = 'inferred'
        ) as inferred_at_service,
        count(*) filter (
            where is_booking_intended and drop_off_stage = 'staff_selection' and drop_off_stage_source = 'inferred'
        ) as inferred_at_staff,
        count(*) filter (
            where is_booking_intended and drop_off_stage = 'time_selection' and drop_off_stage_source = 'inferred'
        ) as inferred_at_time
    from floor.sessions
    where not is_inferred /* touched day: tenant_id, started_day */
    group by tenant_id, started_day, channel
)

select
    counted.tenant_id, counted.day, channel, is_final, sessions_started, chose_service, chose_staff, chose_time, booked,
    round(chose_service * 100.0 / nullif(sessions_started, 0), 2) as service_step_percent,
    round(chose_staff * 100.0 / nullif(chose_service, 0), 2) as staff_step_percent,
    round(chose_time * 100.0 / nullif(chose_staff, 0), 2) as time_step_percent,
    round(booked * 100.0 / nullif(chose_time, 0), 2) as booking_step_percent,
    round(booked * 100.0 / nullif(sessions_started, 0), 2) as total_conversion_percent,
    dropped_at_service, dropped_at_staff, dropped_at_time, dropped_at_confirmation, inferred_drop_offs, done_without_booking,
    other_sessions, other_booked, inferred_at_service, inferred_at_staff, inferred_at_time
from counted
inner join floor.int_tenant_days as days on counted.tenant_id = days.tenant_id and counted.day = days.day

-- relation: dashboard.revenue_daily by day (tenant_id, day)
with

counted as (
    select
        tenant_id, first_booked_day as day, coalesce(booking_currency, 'XXX') as currency,
        case when is_kept then 'kept' else outcome end as became, booking_amount, false as is_earned, false as is_recorded
    from dashboard.visits
    where outcome <> 'moved' /* touched day: tenant_id, first_booked_day */
    union all
    select
        tenant_id, visit_day, coalesce(booking_currency, 'XXX'), null, booking_amount, true, outcome_source = 'recorded'
    from dashboard.visits
    where is_visit /* touched day: tenant_id, visit_day */
),

summed as (
    select
        tenant_id, day, currency,
        count(*) filter (where not is_earned and booking_amount is null) as bookings_without_amount,
        count(*) filter (where is_earned and booking_amount is null) as earned_without_amount,
        count(*) filter (where not is_earned) as booked_count,
        coalesce(sum(booking_amount) filter (where not is_earned), 0) as booked_amount,
        count(*) filter (where became = 'kept') as kept_count,
        coalesce(sum(booking_amount) filter (where became = 'kept'), 0) as kept_amount,
        count(*) filter (where became = 'cancelled') as cancelled_count,
        coalesce(sum(booking_amount) filter (where became = 'cancelled'), 0) as cancelled_amount,
        count(*) filter (where became = 'no_show') as no_show_count,
        coalesce(sum(booking_amount) filter (where became = 'no_show'), 0) as no_show_amount,
        count(*) filter (where became = 'unknown') as unknown_count,
        coalesce(sum(booking_amount) filter (where became = 'unknown'), 0) as unknown_amount,
        count(*) filter (where is_earned) as earned_count,
        coalesce(sum(booking_amount) filter (where is_earned), 0) as earned_amount,
        count(*) filter (where is_recorded) as earned_recorded_count,
        coalesce(sum(booking_amount) filter (where is_recorded), 0) as earned_recorded_amount
    from counted
    group by tenant_id, day, currency
)

select
    summed.tenant_id, summed.day, currency, is_final, kept_count as kept_bookings, kept_amount,
    cancelled_count as cancelled_bookings, cancelled_amount, bookings_without_amount, booked_count, booked_amount,
    no_show_count, no_show_amount, unknown_count, unknown_amount, earned_count, earned_amount, earned_recorded_count,
    earned_recorded_amount, earned_without_amount
from summed
inner join floor.int_tenant_days as days on summed.tenant_id = days.tenant_id and summed.day = days.day
