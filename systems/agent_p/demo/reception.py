"""One salon's bot: leads the conversations and keeps what follows from them.

Discomforts made here (standard, first table, and the small ones beside it):
  rare flaws of a session (`FLAWS`): no end, a wrong count, no drop-off stage, no amount;
  5. about 3 % of the booked sessions stay `auto_closed` after the legacy era too (`close`);
  people who write on both channels, of whom the bot keeps two clients with one phone (`speak`);
  talks across local midnight with a message exactly at it (`speak`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from . import dialogues
from .archive import Archive
from .catalogue import Service, Staff
from .chain import Salon
from .diary import Diary, Slot
from .ids import make_uuid
from .people import Client, Crowd
from .records import Booking, Session
from .rhythm import Pace, draw_second
from .wording import tell
from .zones import DAY, name_day, offset_of

# The bot closes a session an hour after its last message.
TIMEOUT = 3_600
MIDNIGHT_SHARE = 0.0015
FLAWS = (("no end", 0.004), ("miscounted", 0.012), ("no stage", 0.02), ("no amount", 0.01))
# No talk lasts longer than this, its timeout included; a booking never starts before its own talk is over.
MAX_TALK = 5 * 3_600


@dataclass(slots=True, eq=False)
class World:
    """What all receptions share."""

    rng: Random
    crowd: Crowd
    pace: Pace
    archive: Archive
    last_day: int
    bookings: int = 580_000_000


@dataclass(frozen=True, slots=True)
class Spoken:
    """A dialogue that took place: instants of its first and last line, lines by speaker."""

    id: str
    channel: str
    started: int
    last: int
    agent: int
    user: int


class Reception:
    """Talks with the clients of one salon."""

    def __init__(self, salon: Salon, world: World, *, last_open_day: int) -> None:
        self.salon = salon
        self.world = world
        self.clients: list[Client] = []
        self.upcoming: list[Booking] = []
        self.draw: Callable[[], float] = world.rng.random
        self.diary = Diary(salon, last_open_day=last_open_day, draw=self.draw)

    def script(
        self,
        client: Client,
        services: tuple[Service, ...],
        staff: Staff,
        slot: Slot,
        more: Mapping[str, str] | None = None,
    ) -> dialogues.Script:
        """A dialogue to be written about these things."""
        return dialogues.Script(tell(self.salon, client, services, staff, slot, more), self.draw)

    def start_of(self, day: int) -> int:
        """The instant of local midnight with which the day begins."""
        return day * DAY - offset_of(self.salon.profile.zone, day)

    def second_of(self, *, night: bool = False) -> int:
        """When a talk begins, in seconds of the local day."""
        if night or self.draw() < MIDNIGHT_SHARE:
            return DAY - 600 + int(self.draw() * 500)
        return draw_second(self.draw(), self.draw())

    def speak(self, client: Client, day: int, second: int, script: dialogues.Script, *, stray: bool = False) -> Spoken:
        """Put the dialogue on the clock and into the history."""
        lines = script.lines
        midnight = self.start_of(day) + DAY
        start = self.start_of(day) + second
        times = self.world.pace.time_lines([client_speaks for client_speaks, _ in lines], start)
        if day == self.world.last_day:
            late = times[-1] + TIMEOUT + 60 - midnight
            if late > 0:
                times = [at - late for at in times]
        elif second >= DAY - 600 and times[-1] > midnight:
            # The small hours: one message exactly at midnight.
            late = next(at for at in times if at >= midnight) - midnight
            times = [at - late if at >= midnight else at for at in times]
        if not client.created:
            client.created = client.updated = times[0]
            self.clients.append(client)
        client.free_from = day + 1 if times[-1] + TIMEOUT < midnight else day + 2
        channel = client.channel
        if client.whatsapp_id and client.telegram_chat_id and self.draw() < 0.3:
            channel = "whatsapp" if channel == "telegram" else "telegram"
            client.met_again = client.met_again or times[0]
        session_id = make_uuid(self.world.rng)
        head = f"{self.salon.id},{client.id_on(channel)},"
        self.world.archive.add_lines(
            head=head, session_id=session_id, channel=channel, lines=lines, times=times, stray=stray
        )
        user = sum(client_speaks for client_speaks, _ in lines)
        return Spoken(session_id, channel, times[0], times[-1], len(lines) - user, user)

    def close(
        self,
        spoken: Spoken,
        client: Client,
        *,
        intent: str,
        summary: str,
        booking: Booking | None = None,
        stage: str | None = None,
        services: tuple[Service, ...] = (),
        staff: Staff | None = None,
        extra: dict[str, str] | None = None,
    ) -> Session:
        """Archive a dialogue; a session without a booking has a stage at which it stopped."""
        draw = self.draw
        if booking:
            status = "auto_closed" if draw() < 0.03 else "done"
        else:
            status = "abandoned" if intent == "booking" and draw() < 0.6 else "auto_closed"
        quick = status == "done" and not self.world.archive.in_legacy(spoken.last)
        flaw, chance = "", draw()
        for name, share in FLAWS:
            if chance < share:
                flaw = name
                break
            chance -= share
        session = Session(
            id=spoken.id,
            client=client,
            channel=spoken.channel,
            started=spoken.started,
            last=spoken.last,
            closed=spoken.last + (2 + int(draw() * 5) if quick else TIMEOUT),
            status=status,
            intent=intent,
            summary=summary,
            agent=spoken.agent,
            user=spoken.user,
            stage=stage,
            booking=booking,
            services=services,
            staff=staff,
            extra=extra or {},
            flaw=flaw,
        )
        self.world.archive.add_session(session)
        return session

    def enter(
        self, client: Client, services: tuple[Service, ...], staff: Staff, slot: Slot, *, source: str, at: int,
        kept_id: str | None = None,
    ) -> Booking:  # fmt: skip
        """Book a place: the client gets a number in the booking system, mostly a name and a phone.

        A booking that is moved may keep its id.
        """
        self.world.bookings += 1 + int(self.draw() * 40)
        date = name_day(slot.day).isoformat()
        booking = Booking(
            id=kept_id or str(self.world.bookings),
            client=client,
            staff=staff,
            services=services,
            day=slot.day,
            minute=slot.minute,
            starts=slot.starts,
            local=f"{date}T{slot.minute // 60:02}:{slot.minute % 60:02}:00",
            amount=sum(service.price for service in services),
            source=source,
        )
        self.diary.take(slot, staff, booking.minutes)
        self.upcoming.append(booking)
        if client.yclients_id is None:
            client.yclients_id = 150_000_000 + int(self.draw() * 90_000_000)
            client.knows_name = client.knows_name or self.draw() < 0.93
            if client.phone is None and self.draw() < 0.97:
                client.phone = client.number
            client.updated = at
        client.booked.append((staff, services[0]))
        return booking

    def any_slot(self, day: int) -> Slot:
        """A time to talk about where none is booked."""
        minute = self.salon.profile.opens * 60 + 30 * int(self.draw() * 18)
        return Slot(day + 1 + int(self.draw() * 6), minute, 0)
