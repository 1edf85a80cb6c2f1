with

counted as (

    select * from {{ ref('int_visitors_counted') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

aged as (

    select
        counted.*,
        {{ as_of_moment(tenant_timezone()) }} as as_of_moment,
        {{ days_between('counted.last_visit_at', as_of_moment(tenant_timezone())) }} as days_since_last_visit,
        coalesce(tenants.loss_period_days, {{ var('loss_period_days') }}) as loss_period_days,
        coalesce(counted.avg_visit_interval, {{ var('default_visit_interval_days') }}) as interval_days
    from counted
    left join tenants on counted.tenant_id = tenants.tenant_id

)

select
    tenant_id,
    is_person,
    visitor_id,
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
    round(spend_amount / paid_visits_count, 2) as avg_ticket_amount,
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
