"""Dialogs of sessions as files that a page loads one by one; only in editions for those who may read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from reports.reading import Connection, Salon
from reports.rendering import DIALOGS_A_FILE

LONGEST_TEXT = 4_000
"""Characters of a message that a page shows; `agentp export` gives all."""
MOST_MESSAGES = 500
"""Messages of a session that a page shows."""
CUT = " […]"
QUERY = (
    "select session_id::text, role, sent_at::text, session_day::text, left(message_text, %(longest)s) "
    "from dashboard.dialogs where tenant_id = %(tenant_id)s and session_id = any(%(sessions)s) "
    "and position <= %(most)s order by dialogs.session_id, position"
)


def write_dialogs(connection: Connection, salon: Salon, sessions: list[UUID], folder: Path) -> int:
    """Write the dialogs of the sessions, so many a file in the order of the table; return how many messages.

    The connection's time zone is the salon's. A file at a time is in memory, whatever the salon's size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for number, first in enumerate(range(0, len(sessions), DIALOGS_A_FILE)):
        chosen = sessions[first : first + DIALOGS_A_FILE]
        found: dict[str, list[list[str]]] = {}
        for session, message in _read_messages(connection, salon, chosen):
            found.setdefault(session, []).append(message)
            total += 1
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        # Only a script may be loaded from the file system; separators of lines end its lines in old browsers.
        text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        (folder / f"{number}.js").write_text(f"window.agentpDialogs({text});\n", encoding="utf-8")
    return total


def _read_messages(connection: Connection, salon: Salon, sessions: list[UUID]) -> Iterator[tuple[str, list[str]]]:
    values: dict[str, Any] = {
        "tenant_id": salon.tenant_id, "sessions": sessions, "longest": LONGEST_TEXT + 1, "most": MOST_MESSAGES,
    }  # fmt: skip
    for session, role, sent_at, session_day, text in connection.execute(QUERY, values):
        shown = text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + CUT
        moment = sent_at[11:16] if sent_at[:10] == session_day else sent_at[:16]
        yield session, [role, moment, shown]
