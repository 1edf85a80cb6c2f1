{% set sums = ['booked_amount', 'kept_amount', 'earned_amount', 'earned_recorded_amount'] -%}
with

periods as (

    select * from {{ ref('int_periods_compared') }}

),

revenue as (

    select * from {{ ref('revenue_daily') }}

),

visits as (

    select * from {{ ref('visits') }}

),

clients as (

    select * from {{ ref('stg_agent_p__clients') }}

),

-- One look at both windows: a currency of either has sums for both.
summed as (

    select
        periods.tenant_id,
        periods.period_days,
        {% for sum in sums %}
        coalesce(sum(revenue.{{ sum }}) filter (where revenue.day >= periods.period_start), 0) as {{ sum }},
        coalesce(sum(revenue.{{ sum }}) filter (where revenue.day < periods.period_start), 0) as previous_{{ sum }},
        {% endfor %}
        revenue.currency
    from periods
    inner join revenue
        on
            periods.tenant_id = revenue.tenant_id
            and revenue.day between periods.previous_start and periods.period_end
    group by periods.tenant_id, periods.period_days, revenue.currency

),

-- METRICS, "Revenue": the average ticket is what identified clients paid over their visits, those that name a price.
tickets as (

    select
        periods.tenant_id,
        periods.period_days,
        coalesce(visits.booking_currency, 'XXX') as currency,
        visits.visit_day < periods.period_start as is_previous,
        sum(visits.booking_amount) as amount,
        count(*) as visits_count
    from periods
    inner join visits
        on
            periods.tenant_id = visits.tenant_id
            and visits.visit_day between periods.previous_start and periods.period_end
            -- By index, and a little more than is wanted: no day of a salon lies further than a day from that of UTC.
            and visits.visit_at >= (periods.previous_start - 1)::timestamp at time zone 'UTC'
            and visits.visit_at < (periods.period_end + 2)::timestamp at time zone 'UTC'
    inner join clients
        on
            visits.tenant_id = clients.tenant_id
            and visits.client_id = clients.client_id
    where visits.is_visit and visits.booking_amount is not null
    group by
        periods.tenant_id, periods.period_days, coalesce(visits.booking_currency, 'XXX'),
        visits.visit_day < periods.period_start

),

sided as (

    select
        summed.tenant_id,
        summed.period_days,
        sides.is_previous,
        measures.measure,
        summed.currency,
        measures.amount
    from summed
    cross join lateral (values (false), (true)) as sides (is_previous)
    cross join
        lateral (
            values
            {% for sum in sums %}
            ('{{ sum }}', case when sides.is_previous then summed.previous_{{ sum }} else summed.{{ sum }} end),
            {% endfor %}
            ('avg_ticket', null)
        ) as measures (measure, amount)

)

select
    sided.tenant_id,
    sided.period_days,
    sided.is_previous,
    sided.measure,
    sided.currency,
    case when sided.measure = 'avg_ticket' then 'average' else 'count' end as kind,
    case when sided.measure = 'avg_ticket' then coalesce(tickets.amount, 0) else sided.amount end as part_sum,
    case when sided.measure = 'avg_ticket' then coalesce(tickets.visits_count, 0) end as whole_count,
    null::bigint as presumed_count,
    true as is_told
from sided
left join tickets
    on
        sided.tenant_id = tickets.tenant_id
        and sided.period_days = tickets.period_days
        and sided.currency = tickets.currency
        and sided.is_previous = tickets.is_previous
        and sided.measure = 'avg_ticket'
