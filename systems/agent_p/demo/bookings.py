"""Talks that mean to book, whether they end in a booking or on the way."""

from . import dialogues
from . import phrases as say
from .catalogue import Service, Staff
from .diary import Slot
from .people import Client, Habit
from .plans import Plans
from .reception import MAX_TALK, Reception
from .waiting import WaitingList
from .wording import PARTS_IN_WORDS, sum_up, tell_day

_STOPPED = {
    dialogues.SERVICE_STAGE: "не выбрана услуга",
    dialogues.STAFF_STAGE: "не выбран мастер",
    dialogues.TIME_STAGE: "не выбрано время",
}


class Bookings:
    """Books for one salon."""

    def __init__(self, reception: Reception, plans: Plans, waiting: WaitingList) -> None:
        self._reception = reception
        self._plans = plans
        self._waiting = waiting
        self._draw = reception.draw

    def attempt(self, client: Client, day: int, *, odds: float, hello: say.Phrases) -> None:
        """A talk that means to book; `odds` of success."""
        reception, draw = self._reception, self._draw
        second = reception.second_of()
        after = reception.start_of(day) + second + MAX_TALK
        services = self._choose_services(client)
        staff = client.staff
        if services[0].group != staff.group or draw() < 0.12:
            staff = reception.world.crowd.choose_staff(reception.salon, services[0])
        if draw() < odds:
            minutes = sum(service.minutes for service in services)
            slot = reception.diary.find(today=day, after=after, staff=staff, minutes=minutes)
            if slot:
                self._book(client, day, second, services, staff, slot, hello=hello)
                return
        chance = draw()
        stage = dialogues.TIME_STAGE
        if chance < 0.55:
            stage = dialogues.SERVICE_STAGE if chance < 0.30 else dialogues.STAFF_STAGE
        self._give_up(client, day, second, services, staff, stage, hello=hello)

    def _choose_services(self, client: Client) -> tuple[Service, ...]:
        services = self._reception.salon.services
        main = client.favourite
        if self._draw() < 0.2:
            same = [service for service in services if service.group == main.group and client.suits(service)]
            main = same[int(self._draw() * len(same))]
        if self._draw() < 0.12:
            more = [service for service in services if service.group == main.group and service.minutes <= 60]
            second = more[int(self._draw() * len(more))] if more else main
            if second is not main and client.suits(second) and main.minutes <= 120:
                return main, second
        return (main,)

    def _book(
        self,
        client: Client,
        day: int,
        second: int,
        services: tuple[Service, ...],
        staff: Staff,
        slot: Slot,
        *,
        hello: say.Phrases,
    ) -> None:
        source = "manual" if self._draw() < 0.07 else "bot"
        script = self._reception.script(client, services, staff, slot)
        dialogues.book(script, hello=hello, source=source)
        spoken = self._reception.speak(client, day, second, script)
        booking = self._reception.enter(client, services, staff, slot, source=source, at=spoken.last)
        self._reception.close(
            spoken,
            client,
            intent="booking",
            summary=sum_up("Запись", booking),
            booking=booking,
            services=services,
            staff=staff,
        )
        self._plans.follow(booking, day)

    def _give_up(
        self,
        client: Client,
        day: int,
        second: int,
        services: tuple[Service, ...],
        staff: Staff,
        stage: str,
        *,
        hello: say.Phrases,
    ) -> None:
        wish = self._waiting.make(client, day, services[0], staff) if stage == dialogues.TIME_STAGE else None
        more = {"part": PARTS_IN_WORDS.get(wish.part or "", "в другой день")} if wish else {}
        if wish:
            more["wish_day"] = tell_day(wish.day)
        script = self._reception.script(client, services, staff, self._reception.any_slot(day), more)
        dialogues.give_up(script, hello=hello, stage=stage, wish=wish is not None)
        spoken = self._reception.speak(client, day, second, script)
        if wish:
            wish.created = spoken.last
            # A client on the waiting list has said who to call.
            client.knows_name = True
            client.phone = client.phone or client.number
            client.updated = spoken.last
            self._waiting.add(wish, day)
        chosen = stage != dialogues.SERVICE_STAGE
        tail = ", лист ожидания" if wish else ""
        self._reception.close(
            spoken,
            client,
            intent="booking",
            stage=stage,
            summary=f"Клиент не записался ({_STOPPED[stage]}{tail})" + (f": {services[0].title}" if chosen else ""),
            services=services if chosen else (),
            staff=staff if stage == dialogues.TIME_STAGE else None,
        )
        if client.habit is Habit.REGULAR or self._draw() < 0.25:
            self._plans.expect(client, day + 3 + int(self._draw() * 12), day)

    def ask(self, client: Client, day: int) -> None:
        """A talk of questions only."""
        reception = self._reception
        script = reception.script(client, (client.favourite,), client.staff, reception.any_slot(day))
        topics = dialogues.ask(script)
        spoken = reception.speak(client, day, reception.second_of(), script)
        # Some bots tell the booking that the client has once more.
        booking = next(
            (held for held in reception.upcoming if held.client is client and held.day > day and not held.cancelled),
            None,
        )
        reception.close(
            spoken,
            client,
            intent="info",
            summary=f"Вопрос о: {topics}",
            booking=booking,
            stage=None if booking else dialogues.SERVICE_STAGE,
            services=booking.services if booking else (),
            staff=booking.staff if booking else None,
        )
        if self._draw() < 0.2:
            self._plans.expect(client, day + 1 + int(self._draw() * 9), day)
