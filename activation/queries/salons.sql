-- Every salon with its present and its clock.
select
    settings.tenant_id::text, settings.tenant_name, settings.is_active, settings.timezone,
    settings.quiet_from, settings.quiet_until, settings.hold_out_percent, present.present,
    present.present at time zone settings.timezone
from dashboard.tenant_settings as settings
cross join lateral (
    select coalesce(
        %(instant)s::timestamptz, (%(day)s::date + 1)::timestamp at time zone settings.timezone
    ) as present
) as present
