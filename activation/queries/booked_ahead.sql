-- Bookings ahead of each client, as the marts know them and as the bot wrote them since; who booked as one client has booked as
-- every client that they are.
create temporary table booked_ahead on commit drop as
with

booked as (

    select sessions.tenant_id, sessions.client_id, sessions.started_at as booked_at, sessions.booking_at as visit_at
    from staging.stg_agent_p__sessions as sessions
    inner join salons on sessions.tenant_id = salons.tenant_id
    where
        sessions.booking_id is not null
        -- No calendar reaches further.
        and sessions.booking_at >= salons.present and sessions.booking_at < '9999-01-01'
        -- A word that nobody knows may well stand: nobody is written to on the strength of it.
        and coalesce(sessions.status_kind, '') not in ('cancelled', 'no_show')
        and not exists (
            select 1
            from dashboard.visits as visits
            where
                sessions.tenant_id = visits.tenant_id
                and sessions.booking_id = visits.booking_id
                and visits.outcome in ('cancelled', 'moved')
                -- Told again since, it stands.
                and sessions.started_at <= coalesce(visits.released_at, 'infinity')
        )
    union
    select visits.tenant_id, visits.client_id, visits.booked_at, visits.visit_at
    from dashboard.visits as visits
    inner join salons on visits.tenant_id = salons.tenant_id
    where visits.outcome = 'upcoming' and visits.visit_at >= salons.present

)

select booked.tenant_id, coalesce(kin.kin_id, booked.client_id) as client_id, booked.booked_at, booked.visit_at
from booked
left join kin on booked.tenant_id = kin.tenant_id and booked.client_id = kin.client_id
