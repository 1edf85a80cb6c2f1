"""Live views compute what is asked for: a salon's page does not pay for the wishes of all others (issue 6)."""

from __future__ import annotations

from tests.support.marts import Workshop, make_id

COUNTS_ALL = {"row_accounts"}
"""Of these the rows of all salons are the point, and only the small table of rows set aside is kept whole."""


def test_a_live_view_asked_for_one_salon_keeps_nothing_whole(workshop: Workshop) -> None:
    # A CTE that is read twice is computed whole, for every salon, unless it says that it need not be.
    names = {row["viewname"] for row in workshop.execute("select viewname from pg_views where schemaname = 'live'")}
    assert names > COUNTS_ALL | {"waitlist_matches", "slot_offers", "win_back"}
    whole = {}
    for name in names - COUNTS_ALL:
        plan = workshop.execute(
            f"explain (costs off) select * from dashboard.{name} where tenant_id = %s", [make_id("salon")]
        )
        whole[name] = [row["QUERY PLAN"].strip() for row in plan if "CTE Scan" in row["QUERY PLAN"]]
    assert {name: scans for name, scans in whole.items() if scans} == {}
