-- Slots that are free and wishes that wait for them; a booking of that day made after the wish has met it.
create temporary table free_slots on commit drop as
select
    offers.*,
    exists (
        select 1
        from booked_ahead
        where
            offers.tenant_id = booked_ahead.tenant_id
            and offers.client_id = booked_ahead.client_id
            and offers.waiting_since <= booked_ahead.booked_at
            and (offers.visit_at at time zone salons.timezone)::date
            = (booked_ahead.visit_at at time zone salons.timezone)::date
    ) as is_met
from dashboard.slot_offers as offers
inner join salons on offers.tenant_id = salons.tenant_id
-- No calendar reaches further.
where offers.visit_at between '1900-01-01' and '9999-01-01'
