"""Dialogues: which phrase follows which, from the greeting to the place where the client stops."""

from collections.abc import Callable, Mapping

from . import phrases as say

Stage = str | None
SERVICE_STAGE, STAFF_STAGE, TIME_STAGE = "service_selection", "staff_selection", "time_selection"


class Script:
    """Collects the lines of one dialogue: (the client speaks, text)."""

    def __init__(self, words: Mapping[str, str], draw: Callable[[], float]) -> None:
        self.lines: list[tuple[bool, str]] = []
        self._words = words
        self.draw = draw

    def client(self, phrases: say.Phrases) -> None:
        """The client says one of the phrases."""
        self.lines.append((True, phrases[int(self.draw() * len(phrases))].format_map(self._words)))

    def bot(self, phrases: say.Phrases) -> None:
        """The bot says one of the phrases."""
        self.lines.append((False, phrases[int(self.draw() * len(phrases))].format_map(self._words)))

    def maybe(self, chance: float, question: say.Phrases, answer: say.Phrases) -> None:
        """A question on the side and its answer."""
        if self.draw() < chance:
            self.client(question)
            self.bot(answer)

    def greet(self, hello: say.Phrases) -> None:
        """Open the talk; some clients send two messages before the bot answers."""
        self.client(hello)
        if self.draw() < 0.18:
            self.client(say.ANYONE_THERE)
        self.bot(say.GREET)

    def choose_service(self) -> None:
        """Service named, and the bot asks for the staff member."""
        self.maybe(0.10, say.ASK_CARE, say.TELL_CARE)
        self.client(say.WANT_SERVICE)
        self.bot(say.OFFER_STAFF)

    def choose_staff(self) -> None:
        """Staff member named, and the bot offers times."""
        self.maybe(0.16, say.ASK_PRICE, say.TELL_PRICE)
        self.client(say.WANT_STAFF)
        self.bot(say.OFFER_TIME)

    def choose_time(self, *, source: str) -> None:
        """Time named, repeated, confirmed."""
        if self.draw() < 0.25:
            self.client(say.NO_TIME_FITS)
            self.bot(say.OFFER_TIME)
        self.client(say.WANT_TIME)
        self.bot(say.CONFIRM)
        self.client(say.YES)
        if source == "manual":
            self.bot(say.BY_HAND)
        self.bot(say.BOOKED)

    def part(self) -> None:
        """Address perhaps, thanks mostly, good-bye."""
        self.maybe(0.20, say.ASK_ADDRESS, say.TELL_ADDRESS)
        if self.draw() < 0.92:
            self.client(say.THANKS)
            self.bot(say.BYE)


def book(script: Script, *, hello: say.Phrases, source: str) -> None:
    """The whole way to a booking."""
    script.greet(hello)
    script.choose_service()
    script.choose_staff()
    script.choose_time(source=source)
    script.part()


def give_up(script: Script, *, hello: say.Phrases, stage: str, wish: bool) -> None:
    """A booking talk that ends at a stage, perhaps in the waiting list."""
    script.greet(hello)
    script.maybe(0.45, say.ASK_PRICE, say.TELL_PRICE)
    if stage == SERVICE_STAGE:
        script.maybe(0.5, say.ASK_CARE, say.TELL_CARE)
        script.maybe(0.4, say.ASK_HOURS, say.TELL_HOURS)
        _fade(script)
        return
    script.choose_service()
    if stage == STAFF_STAGE:
        script.maybe(0.5, say.ASK_PRICE, say.TELL_PRICE)
        _fade(script)
        return
    script.choose_staff()
    script.client(say.NO_TIME_FITS)
    if not wish:
        script.bot(say.NOTHING_ELSE)
        _fade(script)
        return
    script.bot(say.OFFER_WAITING)
    script.client(say.PUT_ME_DOWN)
    script.bot(say.WAITING)
    script.client(say.THANKS)


def _fade(script: Script) -> None:
    script.client(say.NO_THANKS)
    script.bot(say.STILL_WANT)


def ask(script: Script) -> str:
    """Questions only; returns what they were about, for the summary."""
    script.greet(say.HELLO)
    topics = (
        ("цене", say.ASK_PRICE, say.TELL_PRICE),
        ("адресе", say.ASK_ADDRESS, say.TELL_ADDRESS),
        ("графике", say.ASK_HOURS, say.TELL_HOURS),
        ("условиях", say.ASK_CARE, say.TELL_CARE),
    )
    first = int(script.draw() * 4)
    names = []
    for step in range(1 + int(script.draw() * 3)):
        name, question, answer = topics[(first + step) % 4]
        script.client(question)
        script.bot(answer)
        names.append(name)
    script.client(say.THANKS)
    if script.draw() < 0.7:
        script.bot(say.BYE)
    return ", ".join(names)


def move(script: Script, *, found: bool) -> None:
    """A booking moved to another time, or the attempt."""
    script.client(say.WANT_MOVE)
    script.bot(say.ASK_NEW_TIME)
    if not found:
        script.client(say.NO_TIME_FITS)
        script.bot(say.STILL_WANT)
        return
    script.client(say.WANT_TIME)
    script.bot(say.CONFIRM)
    script.client(say.YES)
    script.bot(say.MOVED)
    script.part()


def cancel(script: Script) -> None:
    """A booking given up."""
    script.client(say.WANT_CANCEL)
    script.bot(say.ASK_SURE)
    script.client(say.YES)
    script.bot(say.CANCELLED)
    if script.draw() < 0.6:
        script.client(say.THANKS)


def take_offer(script: Script) -> None:
    """The bot writes first: the slot a client waited for is free."""
    script.bot(say.SLOT_FREED)
    script.client(say.TAKE_OFFER)
    script.bot(say.BOOKED)
    script.part()


def leave_offer(script: Script) -> None:
    """The bot writes first, and the client does not want the slot any more."""
    script.bot(say.SLOT_FREED)
    script.client(say.NO_THANKS)
    script.bot(say.STILL_WANT)
