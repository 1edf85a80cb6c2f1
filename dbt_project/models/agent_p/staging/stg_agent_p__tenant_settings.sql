{%- set token = "source.metadata -> 'yclients' ->> 'user_token'" -%}
select
    ---------- ids
    source.id as tenant_id,

    ---------- text
    {{ redacted_text('source.name', 300) }} as tenant_name,
    source.slug,
    nullif(btrim(source.metadata -> 'yclients' ->> 'company_id'), '') as yclients_company_id,
    nullif(btrim(source.metadata -> 'yclients' ->> 'branch_id'), '') as yclients_branch_id,
    nullif(btrim(source.metadata -> 'telegram' ->> 'admin_chat_id'), '') as admin_chat_id,
    source.metadata -> 'settings' ->> 'closing_time' as closing_time,
    source.metadata -> 'settings' ->> 'timezone' as timezone,
    source.metadata -> 'settings' ->> 'quiet_from' as quiet_from,
    source.metadata -> 'settings' ->> 'quiet_until' as quiet_until,
    source.metadata -> 'settings' ->> 'enable_gap_filtering' as enable_gap_filtering,
    source.metadata -> 'settings' ->> 'loss_period_days' as loss_period_days,
    source.metadata -> 'settings' ->> 'late_cancellation_hours' as late_cancellation_hours,
    source.metadata -> 'settings' ->> 'hold_out_percent' as hold_out_percent,

    ---------- booleans
    source.is_active,
    coalesce(btrim({{ token }}) <> '', false) as has_yclients_token,
    coalesce(jsonb_typeof(source.metadata) = 'object', false) as has_settings,

    ---------- timestamps
    source.updated_at,

    ---------- text, behind what others' views may hang on
    source.metadata -> 'settings' ->> 'digest' as digest,
    source.metadata -> 'settings' ->> 'language' as language,
    source.metadata -> 'settings' ->> 'reply_timeout_hours' as reply_timeout_hours,
    source.metadata -> 'settings' ->> 'phone_region' as phone_region,
    source.metadata -> 'settings' ->> 'recorded_attendance_percent' as recorded_attendance_percent,
    source.metadata -> 'settings' ->> 'opening_time' as opening_time
from {{ source('agent_p', 'tenants_v2') }} as source
