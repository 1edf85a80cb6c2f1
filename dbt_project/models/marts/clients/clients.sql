{{ config(
    scope={'queue': 'touched_visitors', 'columns': ['tenant_id', 'client_id']},
    indexes=[['tenant_id', 'created_at'], ['tenant_id', 'next_change_at']],
    post_hook="{{ index_for_search(['client_name', 'phone']) }}"
) }}

with

clients as (

    select * from {{ ref('stg_agent_p__clients') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

visited as (

    select * from {{ ref('int_clients_visited') }}

),

preferring as (

    select * from {{ ref('int_clients_preferring') }}

),

joined as (

    select
        clients.tenant_id,
        clients.client_id,
        clients.client_name,
        clients.phone,
        clients.telegram_chat_id is not null as has_telegram,
        nullif(btrim(clients.whatsapp_id), '') is not null as has_whatsapp,
        clients.has_consent,
        clients.created_at,
        preferring.favourite_staff_id,
        preferring.favourite_staff_source,
        preferring.favourite_service_id,
        coalesce(visited.bookings_count, 0) as bookings_count,
        coalesce(visited.visits_count, 0) as visits_count,
        coalesce(visited.visit_days_count, 0) as visit_days_count,
        coalesce(visited.no_shows_count, 0) as no_shows_count,
        coalesce(visited.cancellations_count, 0) as cancellations_count,
        coalesce(visited.moves_count, 0) as moves_count,
        coalesce(visited.upcoming_count, 0) as upcoming_count,
        coalesce(visited.unknown_count, 0) as unknown_count,
        visited.first_visit_at,
        visited.last_visit_at,
        visited.next_booking_at,
        visited.avg_visit_interval,
        visited.cadence_days,
        visited.last_gap_days,
        visited.spend_amount,
        visited.spend_currency,
        visited.spend_by_currency,
        visited.spend_amount / visited.paid_visits_count as avg_ticket_amount,
        coalesce(tenants.loss_period_days, {{ var('loss_period_days') }}) as loss_period_days,
        {{ as_of_moment(tenant_timezone()) }} as as_of_moment
    from clients
    left join tenants on clients.tenant_id = tenants.tenant_id
    left join visited
        on
            clients.tenant_id = visited.tenant_id
            and clients.client_id = visited.client_id
    left join preferring
        on
            clients.tenant_id = preferring.tenant_id
            and clients.client_id = preferring.client_id
    where {{ is_touched_visitor('clients') }}

),

aged as (

    select
        joined.*,
        {{ days_between('last_visit_at', 'as_of_moment') }} as days_since_last_visit,
        coalesce(avg_visit_interval, {{ var('default_visit_interval_days') }}) as interval_days
    from joined

)

select
    tenant_id,
    client_id,
    client_name,
    phone,
    has_telegram,
    has_whatsapp,
    has_consent,
    created_at,
    favourite_staff_id,
    favourite_staff_source,
    favourite_service_id,
    bookings_count,
    visits_count,
    visit_days_count,
    no_shows_count,
    cancellations_count,
    moves_count,
    upcoming_count,
    unknown_count,
    first_visit_at,
    last_visit_at,
    next_booking_at,
    avg_visit_interval,
    cadence_days,
    {{ days_later('last_visit_at', 'cadence_days') }} as next_expected_visit_at,
    spend_amount,
    spend_currency,
    spend_by_currency,
    round(avg_ticket_amount, 2) as avg_ticket_amount,
    case
        when visits_count = 0 then 'prospect'
        when days_since_last_visit >= loss_period_days and upcoming_count = 0 then 'lost'
        when last_gap_days > loss_period_days then 'won_back'
        when visit_days_count > 1 then 'returning'
        else 'new'
    end as lifecycle,
    {{ step_churn_risk('days_since_last_visit', 'avg_visit_interval') }} as churn_risk_score,
    {{ next_change(
        'as_of_moment',
        'next_booking_at',
        [days_later('last_visit_at', 'loss_period_days')] + churn_risk_steps('last_visit_at', 'interval_days')
    ) }} as next_change_at
from aged
