"""Whether the present that somebody names has come: a build for a moment ahead takes days for over that are not."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from agentp.errors import SetupError
from agentp.project import check_as_of
from agentp.settings import read_settings

CLOCKS_DIFFER = timedelta(minutes=5)
"""By so much another machine's clock may be ahead of this one's."""


def is_ahead(as_of: str | None) -> bool:
    """Return whether an instant is yet to come, or the end of a day where the deployment lives (`default_timezone`)."""
    return as_of is not None and _find_end(as_of) > datetime.now(UTC) + CLOCKS_DIFFER


def require_reached(as_of: str | None, *, is_forced: bool) -> str | None:
    """Return ``as_of``; raise `SetupError` for one that is neither a day nor an instant, and for one that lies ahead.

    With ``is_forced`` the marts may be built as of then, and nothing of it is kept: no figure as shown, no model, no
    memory of the bot's and no message.
    """
    check_as_of(as_of)
    if as_of is not None and not is_forced and is_ahead(as_of):
        raise SetupError(
            f"--as-of is {as_of}, which is over at {_find_end(as_of):%Y-%m-%d %H:%M} UTC; now it is "
            f"{datetime.now(UTC):%Y-%m-%d %H:%M}.",
            cure="Leave --as-of away for now, or name what is over. --force does it all the same, and keeps nothing of "
            "it in figures_shown, models and outbox.",
        )
    return as_of


def _find_end(as_of: str) -> datetime:
    if len(as_of) > len("2026-01-31"):
        return datetime.fromisoformat(as_of).astimezone(UTC)
    day = date.fromisoformat(as_of)
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    zone = ZoneInfo(read_settings().default_timezone)
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone).astimezone(UTC)
