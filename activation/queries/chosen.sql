select
    tenant_id::text as tenant_id, client_id::text as client_id, client_name, channel, message_key, segment,
    to_char(last_visit_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as last_visit_at,
    days_since_last_visit, avg_visit_interval, churn_risk_score::float8 as churn_risk_score,
    churn_probability::float8 as churn_probability, favourite_staff_id
from win_backs
where left_out is null
order by tenant_id, segment, place, client_id
