"""One salon's desk on one day: errands that are due, then those who walk in."""

from . import phrases as say
from .archive import LEGACY_MESSAGES
from .bookings import Bookings
from .changes import Changes
from .losses import lose_talk
from .people import Client, Habit
from .plans import MOVE, RETURN, ROUTINE, Errand, Plans
from .reception import Reception
from .waiting import WaitingList

# Of the dialogues of the legacy era, those that nobody archived.
STRAY_SHARE = 0.08


class Desk:
    """Holds exactly as many sessions a day as the rhythm gives it.

    `patience` is the number of days an errand waits for its turn; `legacy` the number of messages in the
    chain after which no dialogue is lost any more.
    """

    def __init__(self, reception: Reception, *, patience: int, legacy: int = LEGACY_MESSAGES) -> None:
        self.reception = reception
        self._plans = Plans(reception)
        self.waiting = WaitingList(reception, self._plans)
        self._bookings = Bookings(reception, self._plans, self.waiting)
        self._changes = Changes(reception, self._plans)
        self._draw = reception.draw
        self._patience = patience
        self._legacy = legacy

    def spend_day(self, day: int, sessions: int) -> None:
        """Hold that many sessions."""
        room = sessions
        due = self._plans.take(day)
        # Whoever is bound to a booking or a wish comes first.
        due.sort(key=lambda errand: errand.kind in ROUTINE)
        # A quarter is kept for people who walk in, or the chain would stop growing.
        routine = sessions - int(sessions * 0.25 + self._draw())
        for errand in due:
            place = min(routine, room) if errand.kind in ROUTINE else room
            if place <= 0 or errand.client.free_from > day:
                self._put_off(errand, day)
            elif self._serve(errand, day):
                room -= 1
                routine -= 1
        for _ in range(room):
            self._walk_in(day)
        for _ in range(sessions):
            if self.reception.world.archive.messages < self._legacy and self._draw() < STRAY_SHARE * 1.09:
                lose_talk(self.reception, self.meet(), day)
        self.reception.diary.forget(day)

    def meet(self) -> Client:
        """Somebody new."""
        return self.reception.world.crowd.meet(self.reception.salon)

    def _put_off(self, errand: Errand, day: int) -> None:
        if day - errand.since < self._patience:
            self._plans.plan(day + 1, errand)

    def _serve(self, errand: Errand, day: int) -> bool:
        client, booking, wish = errand.client, errand.booking, errand.wish
        if booking:
            change = self._changes.move if errand.kind == MOVE else self._changes.cancel
            held = change(booking, day)
            if not held:
                self._plans.return_after(client, booking.day, day)
            return held
        if wish:
            return self.waiting.offer(wish, day)
        odds = 0.86 if client.habit is Habit.REGULAR else 0.75
        hello = say.HELLO_BACK if errand.kind == RETURN else say.HELLO_AGAIN
        self._bookings.attempt(client, day, odds=odds, hello=hello if client.booked else say.HELLO)
        return True

    def _walk_in(self, day: int) -> None:
        known = self._known(day) if self._draw() < 0.25 else None
        if known:
            if self._draw() < 0.7:
                self._bookings.ask(known, day)
            else:
                self._bookings.attempt(known, day, odds=0.45, hello=say.HELLO_AGAIN if known.booked else say.HELLO)
        elif self._draw() < 0.27:
            self._bookings.ask(self.meet(), day)
        else:
            self._bookings.attempt(self.meet(), day, odds=0.57, hello=say.HELLO)

    def _known(self, day: int) -> Client | None:
        clients = self.reception.clients
        for _ in range(3 if clients else 0):
            client = clients[int(self._draw() * len(clients))]
            if client.free_from <= day:
                return client
        return None
