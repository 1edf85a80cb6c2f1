"""What people will come back for, and when."""

from dataclasses import dataclass

from .people import Client, Habit
from .reception import Reception
from .records import Booking, Wish

MOVE, CANCEL, OFFER, VISIT, RETURN = "move", "cancel", "offer", "visit", "return"
ROUTINE = (VISIT, RETURN)


@dataclass(frozen=True, slots=True)
class Errand:
    """A reason to talk on some later day."""

    kind: str
    client: Client
    since: int
    booking: Booking | None = None
    wish: Wish | None = None


class Plans:
    """The agenda of one salon: errands a day."""

    def __init__(self, reception: Reception) -> None:
        self._agenda: dict[int, list[Errand]] = {}
        self._draw = reception.draw

    def plan(self, day: int, errand: Errand) -> None:
        """Put an errand on the agenda."""
        self._agenda.setdefault(day, []).append(errand)

    def take(self, day: int) -> list[Errand]:
        """The errands of a day, taken off the agenda."""
        return self._agenda.pop(day, [])

    def follow(self, booking: Booking, day: int) -> None:
        """Decide what becomes of a booking and plan what its client does next."""
        lead, client, chance = booking.day - day, booking.client, self._draw()
        if chance < 0.06:
            booking.missed = True
            if self._draw() < 0.5:
                return
        elif chance < 0.24 and lead >= 2:
            kind = CANCEL if chance < 0.145 else MOVE
            when = day + 1 + int(self._draw() * (lead - 1))
            self.plan(when, Errand(kind, client, when, booking=booking))
            return
        self.return_after(client, booking.day, day)

    def return_after(self, client: Client, visit: int, today: int) -> None:
        """Plan the talk that leads to the visit after this one."""
        client.visits_left -= 1
        lost = client.visits_left <= 0 or self._draw() < 0.05
        if not lost:
            jitter = int(self._draw() * 7) - 5
            self.expect(client, visit + max(3, client.cycle + jitter), today)
        elif client.habit is not Habit.ONCE and self._draw() < 0.3:
            client.visits_left = 3
            when = visit + 80 + int(self._draw() * 90)
            client.expected = when
            self.plan(when, Errand(RETURN, client, when))

    def expect(self, client: Client, when: int, today: int) -> None:
        """A client has one rhythm: plan a routine talk unless one is planned."""
        if client.expected <= today:
            client.expected = when
            self.plan(when, Errand(VISIT, client, when))
