"""When a message may go out: quiet hours of a salon by its own clock, across changes of that clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def find_zone(name: str, *, local_now: datetime, now: datetime) -> tzinfo:
    """Return the time zone of that name; ``local_now`` (without a zone) is what Postgres says it is there at ``now``.

    Postgres may know a name that this machine's zones do not: then its offset of the moment has to do.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        from datetime import timezone

        return timezone(local_now - now.astimezone(UTC).replace(tzinfo=None))


def is_quiet(moment: datetime, zone: tzinfo, *, quiet_from: time, quiet_until: time) -> bool:
    """Whether the local clock stands in [from, until), which may span midnight; equal times mean no quiet hours."""
    local = moment.astimezone(zone).time()
    if quiet_from <= quiet_until:
        return quiet_from <= local < quiet_until
    return local >= quiet_from or local < quiet_until


def find_send_after(moment: datetime, zone: tzinfo, *, quiet_from: time, quiet_until: time) -> datetime:
    """Return the moment itself where it is not quiet, else the end of the quiet hours, UTC.

    Where the clock skips the end of the quiet hours, they end with the skip; where it shows it twice, the first time
    that is still ahead.
    """
    if not is_quiet(moment, zone, quiet_from=quiet_from, quiet_until=quiet_until):
        return moment.astimezone(UTC)
    first_day = moment.astimezone(zone).date()
    # A zone may skip a whole day (Apia, 2011-12-30).
    for days in range(4):
        wall = datetime.combine(first_day + timedelta(days=days), quiet_until)
        for fold in (0, 1):
            local = wall.replace(tzinfo=zone, fold=fold)
            end = local.astimezone(UTC)
            if end.astimezone(zone).replace(tzinfo=None) != wall:
                end = _find_end_of_skip(wall, zone)
            if end > moment:
                return end
    raise AssertionError("unreachable: every clock shows, or skips, the end of the quiet hours within four days")


def _find_end_of_skip(wall: datetime, zone: tzinfo) -> datetime:
    """Return the instant at which the clock jumps over ``wall``."""
    # By the offset after the jump the skipped time lies before it, by the one before behind it (PEP 495).
    low = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    high = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            low = middle
        else:
            high = middle
    return high
