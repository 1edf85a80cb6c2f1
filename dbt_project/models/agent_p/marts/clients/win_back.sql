{{ config(materialized='stable_view') }}

with

persons as (

    select * from {{ ref('persons') }}

),

return_rates as (

    select * from {{ ref('return_rates') }}

),

scores as (

    select * from {{ ref('stg_scoring__client_scores') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

visited as (

    select
        persons.*,
        {{ days_between('persons.last_visit_at', as_of_moment(tenant_timezone())) }} as days_since_last_visit,
        coalesce(persons.avg_visit_interval, {{ var('default_visit_interval_days') }}) as cycle_days,
        coalesce(scores.cycle_days, persons.cadence_days, {{ var('default_visit_interval_days') }})::numeric as scored_cycle_days,
        scores.churn_probability::numeric as churn_probability
    from persons
    left join tenants on persons.tenant_id = tenants.tenant_id
    left join scores
        on
            persons.tenant_id = scores.tenant_id
            and persons.person_id = scores.client_id
    where persons.visits_count > 0

),

-- What somebody is expected to leave in a salon in thirty days, by the cycle of the scores, times the probability of staying away,
-- which is for that cycle. All else goes by the seed's cycle, which is the one that is shown.
valued as (

    select
        visited.*,
        round(churn_probability * avg_ticket_amount * 30 / greatest(scored_cycle_days, 1), 2) as value_at_risk_amount,
        avg_ticket_amount * 30 / greatest(scored_cycle_days, 1) as thirty_days_amount,
        case when visit_days_count > 1 then 'regular' else 'one_visit' end as segment,
        {{ name_lateness('days_since_last_visit', 'cycle_days', "lifecycle = 'lost'") }} as lateness,
        days_since_last_visit >= cycle_days
        and upcoming_count = 0
        and has_consent is not false as is_candidate
    from visited

),

expected as (

    select
        valued.*,
        return_rates.return_chance,
        round(return_rates.return_chance * valued.thirty_days_amount, 2) as expected_return_amount,
        case
            when valued.is_candidate
                then count(*) over (
                    partition by valued.tenant_id, valued.is_candidate, valued.lateness = 'lost', valued.spend_currency
                )
        end as currency_count
    from valued
    left join return_rates
        on
            valued.tenant_id = return_rates.tenant_id
            and valued.segment = return_rates.segment
            and valued.lateness = return_rates.lateness

)

-- One list: amounts of two currencies are not compared, so that those in the currency of most come first.
select
    tenant_id,
    contact_client_id as client_id,
    person_id,
    client_name,
    phone,
    segment,
    lifecycle,
    last_visit_at,
    days_since_last_visit,
    avg_visit_interval,
    cycle_days::numeric as cycle_days,
    round(days_since_last_visit / greatest(cycle_days, 1)::numeric, 2) as overdue_ratio,
    churn_risk_score,
    round(churn_probability, 4) as churn_probability,
    value_at_risk_amount,
    spend_currency as value_currency,
    visits_count,
    favourite_staff_id,
    next_booking_at,
    has_consent,
    is_candidate,
    case
        when is_candidate
            then row_number() over (
                partition by tenant_id, is_candidate, lateness = 'lost'
                order by
                    array_position(array['due', 'overdue', 'lapsed', 'lost'], lateness) asc,
                    spend_currency is null asc,
                    currency_count desc,
                    spend_currency asc,
                    expected_return_amount desc nulls last,
                    thirty_days_amount desc nulls last,
                    churn_risk_score desc,
                    days_since_last_visit asc,
                    person_id asc
            )
    end as place,
    case
        when segment = 'regular'
            then {{ days_in_russian('days_since_last_visit') }} || ' без визита, обычно раз в ' || cycle_days
        else 'один визит, ' || {{ days_in_russian('days_since_last_visit') }} || ' назад'
    end as reason,
    case
        when segment = 'regular'
            then days_since_last_visit || ' days without a visit, usually every ' || cycle_days
        else 'one visit, ' || days_since_last_visit || ' days ago'
    end as reason_en,
    lateness,
    return_chance,
    expected_return_amount
from expected
