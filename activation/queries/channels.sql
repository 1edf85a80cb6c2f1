-- Where the client talked last; a dialogue that only the bot opened tells nothing of the client.
create temporary table channels on commit drop as
select
    recipients.tenant_id,
    recipients.client_id,
    case
        when latest.channel = 'whatsapp' and recipients.whatsapp_id is not null then 'whatsapp'
        when recipients.telegram_id is not null then 'telegram'
        when recipients.whatsapp_id is not null then 'whatsapp'
    end as channel
from recipients
left join (
    select distinct on (sessions.tenant_id, sessions.client_id)
        sessions.tenant_id, sessions.client_id, lower(btrim(sessions.channel)) as channel
    from dashboard.sessions as sessions
    inner join recipients as talkers
        on sessions.tenant_id = talkers.tenant_id and sessions.client_id = talkers.client_id
    where not sessions.is_outreach
    order by sessions.tenant_id, sessions.client_id, sessions.started_at desc, sessions.session_id
) as latest
    on recipients.tenant_id = latest.tenant_id and recipients.client_id = latest.client_id
