"""When people write: seasons, weekdays, hours, and how long they and the bot take to answer."""

from collections.abc import Sequence
from random import Random

from .chain import Salon
from .zones import name_day

# Monday is quiet, Thursday to Saturday busy.
WEEKDAYS = (60, 85, 95, 115, 132, 128, 76)
# People write at lunch and in the evening: one weight an hour of the local day.
HOURS = (3, 1, 0, 0, 0, 0, 1, 4, 11, 22, 26, 29, 41, 43, 30, 26, 28, 35, 47, 53, 50, 40, 24, 10)
# Visits gather at lunch and after work.
VISIT_HOURS = (0,) * 9 + (5, 8, 9, 12, 12, 9, 8, 9, 12, 14, 12, 8, 4, 0, 0)

_HOUR_POOL = tuple(hour for hour, weight in enumerate(HOURS) for _ in range(weight))
_POOL = 8_191


def _season(number: int) -> int:
    """Per cent of an average day: before New Year and 8 March high, January and summer low."""
    day = name_day(number)
    key = day.month * 100 + day.day
    bands = (
        (108, 45),
        (131, 85),
        (214, 100),
        (307, 140),
        (310, 70),
        (331, 100),
        (430, 108),
        (531, 104),
        (630, 86),
        (820, 74),
        (831, 98),
        (1031, 106),
        (1130, 104),
        (1209, 120),
        (1230, 158),
        (1231, 90),
    )
    return next(percent for until, percent in bands if key <= until)


def share_sessions(
    salons: Sequence[Salon], *, first_day: int, days: int, sessions: int, rng: Random
) -> list[list[int]]:
    """How many sessions each salon has on each day; they add up to exactly `sessions`.

    Whole numbers only, so that no machine rounds differently.
    """
    weights = []
    for index in range(days):
        rhythm = WEEKDAYS[name_day(first_day + index).weekday()] * _season(first_day + index)
        growth = 80 + 45 * index // days
        for salon in salons:
            noise = 80 + int(rng.random() * 41)
            age = index - (salon.profile.opened_on or 0)
            ramp = min(100, 40 + age) if salon.profile.opened_on else 100
            weights.append(salon.profile.size * rhythm * growth * noise * ramp if salon.works_on(index) else 0)
    total = sum(weights)
    shares, running, given = [], 0, 0
    for weight in weights:
        running += weight
        # Half a session ahead: the only session of a chain of one then lies in mid-period.
        due = (2 * running * sessions + total) // (2 * total)
        shares.append(due - given)
        given = due
    return [shares[at : at + len(salons)] for at in range(0, len(shares), len(salons))]


def draw_second(chance: float, fraction: float) -> int:
    """A second of the local day at which a client writes; both arguments are uniform in [0, 1)."""
    return _HOUR_POOL[int(chance * len(_HOUR_POOL))] * 3_600 + int(fraction * 3_600)


def weigh_slots(opens: int, closes: int) -> tuple[int, ...]:
    """Minutes of the local day at which a visit can start, each as often as it is liked."""
    return tuple(
        hour * 60 + half for hour in range(opens, closes) for half in (0, 30) for _ in range(VISIT_HOURS[hour])
    )


class Pace:
    """Pauses in seconds, drawn once into pools and then walked through, which costs nothing a message."""

    def __init__(self, rng: Random) -> None:
        self._bot = [self._bot_pause(rng.random(), rng.random()) for _ in range(_POOL)]
        self._client = [self._client_pause(rng.random(), rng.random()) for _ in range(_POOL)]
        self._at = 0

    @staticmethod
    def _bot_pause(kind: float, size: float) -> int:
        if kind < 0.94:
            return 2 + int(size * 19)
        return 21 + int(size * 60) if kind < 0.985 else 120 + int(size * 300)

    @staticmethod
    def _client_pause(kind: float, size: float) -> int:
        if kind < 0.60:
            return 6 + int(size * 54)
        if kind < 0.91:
            return 60 + int(size * 180)
        # The last band is the pause of forty minutes and more that a session of sixty survives.
        return 240 + int(size * 600) if kind < 0.995 else 2_400 + int(size * 600)

    def time_lines(self, speakers: Sequence[bool], start: int) -> list[int]:
        """Instants of the lines of one dialogue (True = the client speaks); at most four hours in all."""
        at, before, result = start, speakers[0], [start]
        hurry = start + 9_000
        index = self._at
        for client in speakers[1:]:
            index += 1
            if index >= _POOL:
                index = 0
            if (client and before) or at > hurry:
                at += 3 + index % 12
            else:
                at += self._client[index] if client else self._bot[index]
            before = client
            result.append(at)
        self._at = index
        return result
