"""What was sent is known when its client is gone, and when they are there again: nobody is written to twice."""

from __future__ import annotations

from tests.activation.conftest import Salon
from tests.support.marts import make_id

TABLES = (
    ("user_ltm_v2", "user_id"),
    ("wishlist_v2", "user_id"),
    ("conversation_sessions_v2", "user_id"),
    ("clients_v2", "id"),
)


def test_a_client_who_was_gone_for_a_build_is_not_written_to_again(salon: Salon) -> None:
    salon.activate()
    salon.execute("update dashboard.outbox set status = 'sent', sent_at = created_at")
    count = "select count(*) as n from dashboard.outbox"
    [queued] = salon.execute(count)
    clients = [make_id("regular"), make_id("first waiting")]
    for table, column in TABLES:
        salon.execute(f"create table kept_{table} as select * from {table} where {column} = any(%s)", [clients])
        salon.execute(f"delete from {table} where {column} = any(%s)", [clients])
    salon.build()
    assert salon.execute(count) == [queued]
    naming = "select * from dashboard.outbox where outbox::text like any(%s)"
    assert salon.execute(naming, [[f"%{client}%" for client in clients]]) == []
    emptied = salon.execute(
        "select status, message_text, payload from dashboard.outbox where message_text = '' order by 1"
    )
    assert [(row["status"], row["payload"]) for row in emptied] == [("sent", {})] * 2
    for table, _ in reversed(TABLES):
        salon.execute(f"insert into {table} select * from kept_{table}")
    salon.build(full_refresh=True)
    salon.score()
    assert salon.activate().outbox.messages == ()
    assert salon.execute(count) == [queued]
