"""The marts on real conversations: the STAR dialogues, laid out as an export (tests/data/star_v2, MIT licence)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agentp.database import open_connection
from sources.exports import load_exports
from tests.support.marts import Workshop

STAR = Path(__file__).resolve().parents[1] / "data" / "star_v2"
AS_OF = "2020-05-28"
DAYS = "+dialogs +metrics_dailies +funnel_daily"


@pytest.fixture
def star(make_workshop: Callable[[], Workshop]) -> Workshop:
    """The real dialogues, loaded."""
    workshop = make_workshop()
    with open_connection(workshop.url) as connection:
        load_exports(connection, STAR)
        connection.commit()
    return workshop


def test_every_real_message_is_in_one_session_and_real_days_add_up(star: Workshop) -> None:
    star.build(as_of=AS_OF, select=DAYS)
    assert star.execute("select count(*) as n, count(distinct message_id) as ids from dashboard.dialogs") == [
        {"n": 108_137, "ids": 108_137}
    ]
    recorded = star.execute("select count(*) as n from dashboard.dialogs where session_source = 'recorded'")
    assert recorded == [{"n": 108_137 - 44_289}]
    # Counted another way: the day by Postgres' own truncation in the tenant's zone, over the raw rows.
    by_hand = star.execute(
        """
        select s.tenant_id, date_trunc('day', s.started_at, t.metadata -> 'settings' ->> 'timezone')
            at time zone (t.metadata -> 'settings' ->> 'timezone') as day,
            count(*) as dialogs_started, count(s.booking_id) as bookings
        from conversation_sessions_v2 as s join tenants_v2 as t on t.id = s.tenant_id
        group by 1, 2 order by 1, 2
        """
    )
    metrics = star.execute(
        "select tenant_id, day::timestamp as day, dialogs_started, bookings from dashboard.metrics_dailies "
        "where dialogs_started > 0 order by 1, 2"
    )
    assert metrics == by_hand
    funnel = star.execute(
        "select sum(sessions_started + other_sessions) as started, sum(booked + other_booked) as booked "
        "from dashboard.funnel_daily"
    )
    assert funnel == [{"started": 5_875, "booked": 2_293}]


def test_messages_that_lose_their_session_find_the_way_back(star: Workshop) -> None:
    """A third of the dialogues lose the ids of all messages; at least 98 % of these are back."""
    star.execute("create table truth as select id, session_id from recent_history_v2 where session_id is not null")
    star.execute("update recent_history_v2 set session_id = null where hashtext(session_id::text) % 3 = 0")
    star.build(as_of=AS_OF, select="+dialogs")
    row = star.execute(
        """
        select count(*) as lost, count(*) filter (where dialogs.session_id = truth.session_id) as back
        from truth join dashboard.dialogs on dialogs.message_id = truth.id
        where dialogs.session_source <> 'recorded'
        """
    )[0]
    assert row["lost"] > 20_000
    assert row["back"] / row["lost"] >= 0.98
