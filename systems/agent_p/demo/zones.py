"""Clocks of the cities the chain works in.

The offsets are written down here and not read from the machine's zone files, so that the same arguments
give the same folder on a machine without them. `tests/sources/test_demo.py` compares them with zoneinfo.
"""

from datetime import date, timedelta

DAY = 86_400
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

# None stands for a tenant that does not say its zone: the product then takes Europe/Moscow (rule C6).
DEFAULT_ZONE = "Europe/Moscow"
_FIXED_HOURS = {
    "Europe/Moscow": 3,
    "Asia/Yekaterinburg": 5,
    "Asia/Vladivostok": 10,
    "Europe/Kaliningrad": 2,
}


def number_day(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - EPOCH_ORDINAL


def name_day(number: int) -> date:
    """The date of a day number."""
    return date.fromordinal(number + EPOCH_ORDINAL)


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def offset_of(zone: str | None, number: int) -> int:
    """Seconds to subtract from the local clock to get UTC, as they are at noon of that day."""
    zone = zone or DEFAULT_ZONE
    if zone in _FIXED_HOURS:
        return _FIXED_HOURS[zone] * 3_600
    if zone != "Europe/Berlin":
        raise ValueError(f"no clock for {zone}")
    day = name_day(number)
    summer = _last_sunday(day.year, 3) <= day < _last_sunday(day.year, 10)
    return 7_200 if summer else 3_600
