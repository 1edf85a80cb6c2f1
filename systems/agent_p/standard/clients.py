"""Section 2 of the standard: `clients_v2`, the clients of salons."""

from __future__ import annotations

import great_expectations as gx

from expectations.conditions import is_blank, is_late, is_object
from expectations.rules import expect_rows, expect_shape, expect_short_texts
from systems.agent_p.standard.references import expect_tenant

TABLE = "clients_v2"


def build_suite() -> gx.ExpectationSuite:
    """Return the suite; needs no context and no database."""
    return gx.ExpectationSuite(
        name=TABLE,
        expectations=[
            *expect_shape("clients", section="2"),
            *expect_tenant("clients", section="2"),
            expect_rows(
                "clients.full_name_present", section="2", severity="warning", fails_when=is_blank("rows.full_name"),
                en="full_name is filled: lists of sessions show it.",
                ru="full_name заполнен: его показывают списки сессий.",
            ),
            expect_short_texts("clients", full_name=300, phone=300),
            expect_rows(
                "clients.meta_is_object", section="2", fails_when=f"not {is_object('rows.meta')}",
                en="meta is filled and a JSON object.", ru="meta заполнена и является JSON-объектом.",
            ),
            expect_rows(
                "clients.telegram_unique", section="B3", is_rechecked=True, fails_when="telegram_twins.copies > 1",
                en="One telegram_chat_id is one client of a salon: merge the duplicates.",
                ru="Один telegram_chat_id — один клиент салона: объедините дубликаты.",
            ),
            expect_rows(
                "clients.whatsapp_unique", section="B3", is_rechecked=True,
                fails_when=f"whatsapp_twins.copies > 1 and not {is_blank('rows.whatsapp_id')}",
                en="One whatsapp_id is one client of a salon: merge the duplicates.",
                ru="Один whatsapp_id — один клиент салона: объедините дубликаты.",
            ),
            expect_rows(
                "clients.created_at_present", section="2",
                fails_when="rows.created_at is null or rows.updated_at is null",
                en="created_at and updated_at are filled.", ru="created_at и updated_at заполнены.",
            ),
            expect_rows(
                "clients.not_in_future", section="B3", is_rechecked=True,
                fails_when=f"{is_late('rows.created_at')} or {is_late('rows.updated_at')}",
                en="created_at and updated_at are not in the future.", ru="created_at и updated_at не в будущем.",
            ),
        ],
    )  # fmt: skip
