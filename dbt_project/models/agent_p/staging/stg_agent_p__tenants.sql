select
    ---------- ids
    source.id as tenant_id,

    ---------- text
    {{ redacted_text('source.name', 300) }} as tenant_name,
    source.slug,
    coalesce(known_timezones.timezone, '{{ var("default_timezone") }}') as timezone,

    ---------- booleans
    source.is_active,
    known_timezones.timezone is not null as has_known_timezone,

    ---------- timestamps
    source.created_at,
    source.updated_at,

    ---------- numbers
    {{ tenant_setting('loss_period_days', var('loss_period_days')) }} as loss_period_days,
    {{ tenant_setting('late_cancellation_hours', var('late_cancellation_hours')) }} as late_cancellation_hours,
    {{ tenant_setting('reply_timeout_hours', var('reply_timeout_hours')) }} as reply_timeout_hours,
    {{ tenant_percent('recorded_attendance_percent', var('recorded_attendance_percent')) }} as recorded_attendance_percent
from {{ source('agent_p', 'tenants_v2') }} as source
left join {{ source('build', 'timezones') }} as known_timezones
    on source.metadata -> 'settings' ->> 'timezone' = known_timezones.timezone
