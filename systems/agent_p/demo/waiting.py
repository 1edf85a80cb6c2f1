"""The waiting list: wishes made, offered, fulfilled, given up (standard, section 5)."""

from . import dialogues
from .catalogue import Service, Staff
from .people import Client
from .plans import OFFER, Errand, Plans
from .reception import MAX_TALK, Reception
from .records import Wish
from .wording import sum_up

# Days at the end of the period in which more clients wait, and for places that lie beyond it.
LAST_DAYS = 12


class WaitingList:
    """Wishes of one salon's clients."""

    def __init__(self, reception: Reception, plans: Plans) -> None:
        self._reception = reception
        self._plans = plans
        self._draw = reception.draw
        self._last_day = min(reception.world.last_day, reception.diary.last_open_day)
        self.wishes: list[Wish] = []

    def make(self, client: Client, day: int, service: Service, staff: Staff) -> Wish | None:
        """What a client who found no time would wait for; its `created` is set once it is said."""
        draw, reception = self._draw, self._reception
        # A list of things to do should not be empty on the day the chain is looked at.
        last_days = day > reception.world.last_day - LAST_DAYS
        if draw() < (0.05 if last_days else 0.36):
            return None
        when = day + 1 + int(draw() * 18)
        # People wait for a place that somebody has: half the wishes are for the time of a booking.
        reception.upcoming = [booking for booking in reception.upcoming if booking.day > day and not booking.cancelled]
        rivals = [rival for rival in reception.upcoming if rival.services[0].group == service.group]
        part: str | None = None
        if last_days:
            rivals = [rival for rival in rivals if rival.day > reception.world.last_day] or rivals
        if rivals and draw() < (0.85 if last_days else 0.6):
            rival = rivals[int(draw() * len(rivals))]
            if client.suits(rival.services[0]):
                service, staff, when = rival.services[0], rival.staff, rival.day
                hour = rival.minute // 60
                part = "morning" if hour < 12 else "afternoon" if hour < 17 else "evening"
        else:
            part = ("morning", "afternoon", "evening", "evening")[int(draw() * 4)]
        if draw() < 0.25:
            part = None
        if when > reception.diary.last_open_day:
            return None
        source = "slot_hunter" if draw() < 0.9 else "admin"
        comment = "Готова прийти в любой день недели" if draw() < 0.08 and client.female else None
        return Wish(client, service, staff if draw() < 0.7 else None, when, part, source, comment, created=0)

    def add(self, wish: Wish, day: int) -> None:
        """Keep a wish and decide what becomes of it."""
        self.wishes.append(wish)
        draw, lead = self._draw, wish.day - day
        chance = draw()
        when = day + 1 + int(draw() * max(1, lead - 1))
        if chance < 0.50 and lead >= 2:
            self._plans.plan(when, Errand(OFFER, wish.client, when, wish=wish))
        elif chance < 0.78:
            opens, closes = self._reception.salon.profile.opens, self._reception.salon.profile.closes
            at = self._reception.start_of(when) + opens * 3_600 + int(draw() * (closes - opens) * 3_600)
            if when <= self._last_day:
                wish.status, wish.processed = "cancelled", at

    def offer(self, wish: Wish, day: int) -> bool:
        """Offer a freed place to the one who waits; False if the wished day is over."""
        reception, client = self._reception, wish.client
        profile = reception.salon.profile
        second = profile.opens * 3_600 + int(self._draw() * (profile.closes - profile.opens) * 3_600)
        staff = wish.staff or reception.world.crowd.choose_staff(reception.salon, wish.service)
        after = reception.start_of(day) + second + MAX_TALK
        slot = reception.diary.find(
            today=day, after=after, staff=staff, minutes=wish.service.minutes, day=wish.day, part=wish.part
        )
        if slot is None:
            return False
        script = reception.script(client, (wish.service,), staff, slot)
        if self._draw() < 0.12:
            dialogues.leave_offer(script)
            spoken = reception.speak(client, day, second, script)
            wish.status, wish.processed = "cancelled", spoken.last
            reception.close(
                spoken,
                client,
                intent="booking",
                summary=f"Отказ от окна: {wish.service.title}",
                stage=dialogues.TIME_STAGE,
                services=(wish.service,),
                staff=staff,
            )
            return True
        dialogues.take_offer(script)
        spoken = reception.speak(client, day, second, script)
        booking = reception.enter(client, (wish.service,), staff, slot, source="bot", at=spoken.last)
        wish.status, wish.processed, wish.amount = "converted", spoken.last, booking.amount
        reception.close(
            spoken,
            client,
            intent="booking",
            summary=sum_up("Запись из листа ожидания", booking),
            booking=booking,
            services=booking.services,
            staff=staff,
        )
        self._plans.follow(booking, day)
        return True
