"""Bookings moved and cancelled."""

from . import dialogues
from .diary import Slot
from .people import Habit
from .plans import Plans
from .reception import MAX_TALK, Reception
from .records import Booking
from .wording import sum_up, tell_old


class Changes:
    """Talks about a booking that exists."""

    def __init__(self, reception: Reception, plans: Plans) -> None:
        self._reception = reception
        self._plans = plans
        self._draw = reception.draw

    def _second_before(self, booking: Booking, day: int) -> int | None:
        second = self._reception.second_of()
        return second if self._reception.start_of(day) + second + MAX_TALK < booking.starts else None

    def move(self, booking: Booking, day: int) -> bool:
        """Give a booking another time; False if it is too late for that."""
        second = self._second_before(booking, day)
        if second is None:
            return False
        reception, client, staff = self._reception, booking.client, booking.staff
        after = max(reception.start_of(day) + second + MAX_TALK, booking.starts)
        slot = reception.diary.find(today=booking.day, after=after, staff=staff, minutes=booking.minutes)
        more = tell_old(booking)
        script = reception.script(client, booking.services, staff, slot or reception.any_slot(day), more)
        dialogues.move(script, found=slot is not None)
        spoken = reception.speak(client, day, second, script)
        if slot is None:
            reception.close(
                spoken,
                client,
                intent="reschedule",
                summary=sum_up("Перенос не удался", booking),
                stage=dialogues.TIME_STAGE,
                services=booking.services,
                staff=staff,
            )
            self._plans.return_after(client, booking.day, day)
            return True
        self._strike(booking)
        # Some bots keep a booking's id when they move it, and only the later dialogue knows the new time.
        booking.retold = int(booking.id) % 3 == 0
        fresh = reception.enter(
            client, booking.services, staff, slot, source=booking.source, at=spoken.last,
            kept_id=booking.id if booking.retold else None,
        )  # fmt: skip
        reception.close(
            spoken,
            client,
            intent="reschedule",
            summary=sum_up("Перенос записи", fresh),
            booking=fresh,
            services=fresh.services,
            staff=staff,
            extra={} if booking.retold else {"rescheduled_from": booking.id},
        )
        self._plans.follow(fresh, day)
        return True

    def cancel(self, booking: Booking, day: int) -> bool:
        """Give a booking up; False if it is too late for that."""
        second = self._second_before(booking, day)
        if second is None:
            return False
        reception, client = self._reception, booking.client
        more = tell_old(booking)
        slot = Slot(booking.day, booking.minute, booking.starts)
        script = reception.script(client, booking.services, booking.staff, slot, more)
        dialogues.cancel(script)
        spoken = reception.speak(client, day, second, script)
        self._strike(booking)
        reception.close(
            spoken,
            client,
            intent="cancel",
            summary=sum_up("Отмена записи", booking),
            stage=dialogues.SERVICE_STAGE,
            extra={"cancelled_booking_id": booking.id},
        )
        if client.habit is Habit.REGULAR or self._draw() < 0.25:
            self._plans.expect(client, day + 4 + int(self._draw() * 12), day)
        return True

    def _strike(self, booking: Booking) -> None:
        booking.cancelled = True
        booking.client.booked.remove((booking.staff, booking.services[0]))
        self._reception.diary.free(booking.day, booking.minute, booking.staff, booking.minutes)
