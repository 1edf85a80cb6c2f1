"""Section 1 of the standard: `tenants_v2`, the salons."""

from __future__ import annotations

import great_expectations as gx

from expectations.conditions import is_blank, is_late, is_not_a, is_object
from expectations.rules import expect_rows, expect_shape, expect_short_texts

TABLE = "tenants_v2"


def build_suite() -> gx.ExpectationSuite:
    """Return the suite; needs no context and no database."""
    return gx.ExpectationSuite(
        name=TABLE,
        expectations=[
            *expect_shape("tenants", section="1"),
            expect_rows(
                "tenants.name_present", section="1", fails_when=is_blank("rows.name"),
                en="name is filled: reports show it.", ru="name заполнен: его показывают отчёты.",
            ),
            expect_short_texts("tenants", name=300),
            expect_rows(
                "tenants.is_active_present", section="1", fails_when="rows.is_active is null",
                en="is_active is true or false.", ru="is_active равно true или false.",
            ),
            expect_rows(
                "tenants.metadata_is_object", section="1",
                fails_when=f"rows.metadata is null or not {is_object('rows.metadata')}",
                implies=("tenants.yclients_complete", "tenants.telegram_complete", "tenants.settings_complete"),
                en="metadata is filled and a JSON object.", ru="metadata заполнена и является JSON-объектом.",
            ),
            expect_rows(
                "tenants.yclients_complete", section="1", severity="warning",
                fails_when=" or ".join(
                    is_not_a("rows.metadata", f"yclients.{key}", "string")
                    for key in ("company_id", "branch_id", "user_token")
                ),
                en="metadata.yclients holds company_id, branch_id and user_token, each a string.",
                ru="metadata.yclients содержит строки company_id, branch_id и user_token.",
            ),
            expect_rows(
                "tenants.telegram_complete", section="1", severity="warning",
                fails_when=is_not_a("rows.metadata", "telegram.admin_chat_id", "string"),
                en="metadata.telegram.admin_chat_id is a string.",
                ru="metadata.telegram.admin_chat_id является строкой.",
            ),
            expect_rows(
                "tenants.settings_complete", section="1", severity="warning",
                fails_when=is_not_a("rows.metadata", "settings.closing_time", "string")
                + " or " + is_not_a("rows.metadata", "settings.enable_gap_filtering", "boolean"),
                en="metadata.settings holds closing_time (a string) and enable_gap_filtering (true or false).",
                ru="metadata.settings содержит closing_time (строка) и enable_gap_filtering (true или false).",
            ),
            expect_rows(
                "tenants.closing_time_readable", section="1", severity="warning",
                fails_when="jsonb_typeof(rows.metadata #> '{settings,closing_time}') = 'string'"
                " and left(rows.metadata #>> '{settings,closing_time}', 100) !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'",
                en="metadata.settings.closing_time reads HH:MM, such as 21:00.",
                ru="metadata.settings.closing_time имеет вид ЧЧ:ММ, например 21:00.",
            ),
            expect_rows(
                "tenants.timezone_known", section="1", severity="warning",
                fails_when="jsonb_typeof(rows.metadata #> '{settings,timezone}') <> 'null' and zones.name is null",
                en="metadata.settings.timezone, where set, is an IANA name such as Europe/Moscow. Days are cut by it.",
                ru="metadata.settings.timezone, если задан, — имя IANA, например Europe/Moscow. По нему делятся дни.",
            ),
            expect_rows(
                "tenants.created_at_present", section="1",
                fails_when="rows.created_at is null or rows.updated_at is null",
                en="created_at and updated_at are filled.", ru="created_at и updated_at заполнены.",
            ),
            expect_rows(
                "tenants.not_in_future", section="B3", is_rechecked=True,
                fails_when=f"{is_late('rows.created_at')} or {is_late('rows.updated_at')}",
                en="created_at and updated_at are not in the future.", ru="created_at и updated_at не в будущем.",
            ),
        ],
    )  # fmt: skip
