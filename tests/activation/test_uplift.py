"""What messages bring: an effect that was planted is found in dashboard.activation_uplift, and none where none is."""

from __future__ import annotations

from typing import Any

import psycopg

from activation.outbox import draw_hold_out
from tests.activation.conftest import Salon
from tests.support.marts import make_id

PLANT = """
with people as (
    insert into clients_v2 (id, tenant_id, full_name, telegram_chat_id)
    select md5(%(tenant)s || n)::uuid, %(tenant)s::uuid, 'planted ' || n, 1000 + n from generate_series(1, 600) as n
    returning id, telegram_chat_id - 1000 as n
)
insert into dashboard.visits (
    tenant_id, booking_id, client_id, session_id, booked_at, visit_at, outcome, is_visit, times_moved, is_kept,
    slot_taken_at, first_booking_id, first_booked_at, first_booked_day
)
select
    %(tenant)s::uuid, 'before ' || n, id, id, '2026-01-05', '2026-01-10 10:00+00', 'arrived', true, 0, true,
    '2026-01-05', 'before ' || n, '2026-01-05', '2026-01-05'
from people
"""
COME = """
insert into dashboard.visits (
    tenant_id, booking_id, client_id, session_id, booked_at, visit_at, outcome, is_visit, times_moved, is_kept,
    slot_taken_at, first_booking_id, first_booked_at, first_booked_day
)
select
    tenant_id, 'after ' || client_id, client_id, client_id, created_at + interval '1 day',
    created_at + interval '5 days', 'arrived', true, 0, true, created_at + interval '1 day', 'after ' || client_id,
    created_at + interval '1 day', (created_at + interval '1 day')::date
from (
    select *, row_number() over (partition by is_held_out order by message_key) as n from dashboard.outbox
    where tenant_id = %(tenant)s::uuid and kind = 'win_back' and message_key like 'win_back:planted%%'
) as planted
where n %% 10 < case when is_held_out then 1 else %(treated)s end
"""


def measure(salon: Salon, *, treated: int) -> dict[str, Any]:
    """Draw 600 candidates at 30 %; let 10 % of those held out come, and of the others so many tenths; read the mart."""
    tenant = str(make_id("salon"))
    salon.execute(PLANT, {"tenant": tenant})
    rows = []
    for person in salon.execute("select id from clients_v2 where full_name like 'planted %'"):
        key = f"win_back:planted:{person['id']}"
        is_held_out = draw_hold_out(tenant, key, percent=30)
        rows.append((tenant, key, person["id"], is_held_out, "held_out" if is_held_out else "sent"))
    with psycopg.connect(salon.url) as connection:
        connection.cursor().executemany(
            "insert into dashboard.outbox (tenant_id, message_key, kind, client_id, channel, message_text, "
            "is_held_out, status, created_at, send_after, expires_at) "
            "values (%s, %s, 'win_back', %s, 'telegram', '', %s, %s, '2026-01-20', '2026-01-20', '2026-01-27')",
            rows,
        )
    salon.execute(COME, {"tenant": tenant, "treated": treated})
    (row,) = salon.execute("select * from dashboard.activation_uplift where tenant_id = %s", [tenant])
    assert row["treated_count"] + row["held_out_count"] == 600
    return row


def test_an_effect_that_was_planted_is_found(salon: Salon) -> None:
    row = measure(salon, treated=3)
    assert 0.17 < row["uplift"] < 0.23
    assert 0 < row["uplift_low"] < 0.2 < row["uplift_high"]


def test_no_effect_is_found_where_none_is(salon: Salon) -> None:
    row = measure(salon, treated=1)
    assert row["uplift_low"] < 0 < row["uplift_high"]


def test_candidates_of_today_are_maturing(salon: Salon) -> None:
    salon.activate()
    rows = salon.execute(
        "select kind, maturing_count, treated_count, uplift from dashboard.activation_uplift "
        "where tenant_id = %s order by kind",
        [make_id("salon")],
    )
    assert [tuple(row.values()) for row in rows] == [("slot_offer", 1, 0, None), ("win_back", 4, 0, None)]
