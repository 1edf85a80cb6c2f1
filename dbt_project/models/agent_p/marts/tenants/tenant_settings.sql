with

settings as (

    select * from {{ ref('stg_agent_p__tenant_settings') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

checked as (

    select
        settings.*,
        tenants.timezone as valid_timezone,
        settings.closing_time ~ {{ clock_pattern() }} as is_closing_time_valid,
        settings.opening_time ~ {{ clock_pattern() }} as is_opening_time_valid,
        settings.quiet_from ~ {{ clock_pattern() }} as is_quiet_from_valid,
        settings.quiet_until ~ {{ clock_pattern() }} as is_quiet_until_valid,
        settings.hold_out_percent ~ {{ percent_pattern() }} as is_hold_out_valid,
        settings.recorded_attendance_percent ~ {{ percent_pattern() }} as is_recorded_attendance_valid,
        settings.yclients_company_id ~ '^[0-9]+$' as is_company_valid,
        settings.admin_chat_id ~ '^-?[0-9]+$' as is_admin_chat_valid,
        settings.enable_gap_filtering in ('true', 'false') as is_gap_filtering_valid,
        settings.loss_period_days ~ {{ whole_number_pattern() }} as is_loss_period_valid,
        settings.late_cancellation_hours ~ {{ whole_number_pattern() }} as is_late_hours_valid,
        settings.digest in ('daily', 'weekly', 'both') as is_digest_valid,
        settings.language in ('ru', 'en') as is_language_valid,
        settings.reply_timeout_hours ~ {{ whole_number_pattern() }} as is_reply_timeout_valid,
        settings.phone_region ~ '^[A-Z]{2}$' as is_phone_region_valid,
        tenants.has_known_timezone,
        tenants.loss_period_days as valid_loss_period_days,
        tenants.late_cancellation_hours as valid_late_cancellation_hours,
        tenants.reply_timeout_hours as valid_reply_timeout_hours,
        tenants.recorded_attendance_percent as valid_recorded_attendance_percent
    from settings
    inner join tenants on settings.tenant_id = tenants.tenant_id

)

select
    tenant_id,
    tenant_name,
    slug,
    is_active,
    yclients_company_id,
    yclients_branch_id,
    has_yclients_token,
    case when is_admin_chat_valid then admin_chat_id end as admin_chat_id,
    case when is_closing_time_valid then closing_time::time end as closing_time,
    case when is_gap_filtering_valid then enable_gap_filtering::boolean end as enable_gap_filtering,
    valid_timezone as timezone,
    case when is_quiet_from_valid then quiet_from::time else time '{{ var("quiet_from") }}' end as quiet_from,
    case when is_quiet_until_valid then quiet_until::time else time '{{ var("quiet_until") }}' end as quiet_until,
    case when is_hold_out_valid then hold_out_percent::integer else {{ var('hold_out_percent') }} end as hold_out_percent,
    valid_loss_period_days as loss_period_days,
    valid_late_cancellation_hours as late_cancellation_hours,
    to_jsonb(array_remove(array[
        case when not has_settings then 'metadata' end,
        case when is_company_valid is not true then 'yclients.company_id' end,
        case when not has_yclients_token then 'yclients.user_token' end,
        case when is_admin_chat_valid is not true then 'telegram.admin_chat_id' end,
        case when is_closing_time_valid is not true then 'settings.closing_time' end,
        case when is_opening_time_valid is false then 'settings.opening_time' end,
        case when is_gap_filtering_valid is not true then 'settings.enable_gap_filtering' end,
        case when timezone is not null and not has_known_timezone then 'settings.timezone' end,
        case when is_quiet_from_valid is false then 'settings.quiet_from' end,
        case when is_quiet_until_valid is false then 'settings.quiet_until' end,
        case when is_hold_out_valid is false then 'settings.hold_out_percent' end,
        case when is_loss_period_valid is false then 'settings.loss_period_days' end,
        case when is_late_hours_valid is false then 'settings.late_cancellation_hours' end,
        case when is_recorded_attendance_valid is false then 'settings.recorded_attendance_percent' end,
        case when is_digest_valid is false then 'settings.digest' end,
        case when is_language_valid is false then 'settings.language' end,
        case when is_reply_timeout_valid is false then 'settings.reply_timeout_hours' end,
        case when is_phone_region_valid is false then 'settings.phone_region' end
    ], null)) as problems,
    updated_at,
    case when is_digest_valid then digest end as digest,
    case when is_language_valid then language else 'ru' end as language,
    valid_reply_timeout_hours as reply_timeout_hours,
    case when is_phone_region_valid then phone_region end as phone_region,
    valid_recorded_attendance_percent as recorded_attendance_percent,
    case when is_opening_time_valid then opening_time::time end as opening_time
from checked
