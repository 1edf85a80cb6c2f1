"""How messages find their sessions (REQUIREMENTS C1), one claim a test."""

from __future__ import annotations

from tests.support.marts import Workshop, make_id


def test_every_way_of_finding_a_session_is_named(workshop: Workshop) -> None:
    workshop.add_dialogue()
    workshop.add_message(2, "2026-02-01 10:05+00")
    workshop.add_message(3, "2026-02-01 10:20:01+00")
    workshop.add_message(4, "2026-02-01 10:05+00", channel="whatsapp")
    workshop.build(select="+dialogs")

    found = workshop.sessions_of_messages()
    assert found[1] == (make_id("visit"), "recorded")
    assert found[2] == (make_id("visit"), "matched")
    assert found[3][1] == found[4][1] == "inferred"
    assert found[3][0] != found[4][0]
