"""The salon's diary: which staff member is taken when, and what is free."""

from collections.abc import Callable
from dataclasses import dataclass

from .catalogue import Staff
from .chain import Salon
from .rhythm import WEEKDAYS, weigh_slots
from .zones import DAY, offset_of

# How many days ahead people book.
LEADS = (0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12, 14, 17, 21, 28)
MONTHS = (
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
)
PARTS = {"morning": (0, 720), "afternoon": (720, 1_020), "evening": (1_020, 1_440)}
SLOT = 15


@dataclass(frozen=True, slots=True)
class Slot:
    """A free place: local day number and minute, and the instant it starts."""

    day: int
    minute: int
    starts: int


class Diary:
    """Nobody works for two clients at once; nobody works outside opening hours."""

    def __init__(self, salon: Salon, *, last_open_day: int, draw: Callable[[], float]) -> None:
        self._draw = draw
        self._closes = salon.profile.closes * 60
        self._zone = salon.profile.zone
        self._pool = weigh_slots(salon.profile.opens, salon.profile.closes)
        self.last_open_day = last_open_day
        self._taken: dict[int, set[tuple[str, int]]] = {}

    def forget(self, day: int) -> None:
        """Drop a day that is over."""
        self._taken.pop(day, None)

    def _cells(self, staff: Staff, minute: int, minutes: int) -> list[tuple[str, int]]:
        return [(staff.id, cell) for cell in range(minute // SLOT, (minute + minutes - 1) // SLOT + 1)]

    def _pick_day(self, today: int) -> int:
        first = today + LEADS[int(self._draw() * len(LEADS))]
        second = today + LEADS[int(self._draw() * len(LEADS))]
        # 1970-01-01 was a Thursday. Of two days people rather take the one near the week's end.
        return first if WEEKDAYS[(first + 3) % 7] >= WEEKDAYS[(second + 3) % 7] else second

    def find(
        self,
        *,
        today: int,
        after: int,
        staff: Staff,
        minutes: int,
        day: int | None = None,
        part: str | None = None,
    ) -> Slot | None:
        """A free place that starts after an instant, on a wished day or soon; it is not taken yet."""
        low, high = PARTS[part] if part else (0, 1_440)
        for _ in range(7):
            chosen = self._pick_day(today) if day is None else day
            minute = self._pool[int(self._draw() * len(self._pool))]
            if chosen > self.last_open_day or not low <= minute < high or minute + minutes > self._closes:
                continue
            starts = chosen * DAY + minute * 60 - offset_of(self._zone, chosen)
            taken = self._taken.get(chosen)
            if starts > after and not (taken and taken.intersection(self._cells(staff, minute, minutes))):
                return Slot(chosen, minute, starts)
        return None

    def take(self, slot: Slot, staff: Staff, minutes: int) -> None:
        """Enter a booking."""
        self._taken.setdefault(slot.day, set()).update(self._cells(staff, slot.minute, minutes))

    def free(self, day: int, minute: int, staff: Staff, minutes: int) -> None:
        """Strike a booking out."""
        if day in self._taken:
            self._taken[day].difference_update(self._cells(staff, minute, minutes))


def name_minute(minute: int) -> str:
    """`15:30`."""
    return f"{minute // 60}:{minute % 60:02}"
