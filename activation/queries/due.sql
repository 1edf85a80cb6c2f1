-- Everyone due by the seed's steps, so that the report can say of each why not.
create temporary table due on commit drop as
select
    win_back.*,
    'win_back:' || win_back.client_id || ':' || to_char(win_back.last_visit_at at time zone 'UTC', 'YYYY-MM-DD')
        as message_key
from dashboard.win_back as win_back
where
    win_back.churn_risk_score
    >= case win_back.segment when 'regular' then %(regular_risk)s::numeric else %(one_visit_risk)s::numeric end
