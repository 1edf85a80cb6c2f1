"""Clients: their names, numbers and habits."""

from dataclasses import dataclass, field
from enum import Enum
from random import Random

from .catalogue import Service, Staff
from .chain import Salon
from .ids import make_uuid

FEMALE_NAMES = (
    "Мария",
    "Анна",
    "Елена",
    "Ольга",
    "Наталья",
    "Екатерина",
    "Татьяна",
    "Ирина",
    "Светлана",
    "Юлия",
    "Анастасия",
    "Дарья",
    "Алина",
    "Виктория",
    "Полина",
    "Ксения",
    "Марина",
    "Людмила",
    "Вера",
    "Надежда",
    "София",
    "Алёна",
    "Евгения",
    "Оксана",
    "Валерия",
    "Маргарита",
    "Галина",
    "Яна",
    "Кира",
    "Гульнара",
)
MALE_NAMES = (
    "Александр",
    "Дмитрий",
    "Максим",
    "Сергей",
    "Андрей",
    "Алексей",
    "Иван",
    "Михаил",
    "Никита",
    "Илья",
    "Роман",
    "Павел",
    "Тимур",
    "Артём",
)
# Masculine and feminine form.
SURNAMES = (
    ("Иванов", "Иванова"),
    ("Смирнов", "Смирнова"),
    ("Кузнецов", "Кузнецова"),
    ("Попов", "Попова"),
    ("Соколов", "Соколова"),
    ("Лебедев", "Лебедева"),
    ("Козлов", "Козлова"),
    ("Новиков", "Новикова"),
    ("Морозов", "Морозова"),
    ("Петров", "Петрова"),
    ("Волков", "Волкова"),
    ("Соловьёв", "Соловьёва"),
    ("Васильев", "Васильева"),
    ("Зайцев", "Зайцева"),
    ("Павлов", "Павлова"),
    ("Рублёв", "Рублёва"),
    ("Голубев", "Голубева"),
    ("Виноградов", "Виноградова"),
    ("Богданов", "Богданова"),
    ("Фёдоров", "Фёдорова"),
    ("Беляев", "Беляева"),
    ("Тарасов", "Тарасова"),
    ("Белов", "Белова"),
    ("Комаров", "Комарова"),
    ("Киселёв", "Киселёва"),
    ("Макаров", "Макарова"),
    ("Андреев", "Андреева"),
    ("Ковалёв", "Ковалёва"),
    ("Ильин", "Ильина"),
    ("Гусев", "Гусева"),
    ("Титов", "Титова"),
    ("Кудрявцев", "Кудрявцева"),
    ("Баранов", "Баранова"),
    ("Куликов", "Куликова"),
    ("Алексеев", "Алексеева"),
    ("Степанов", "Степанова"),
    ("Яковлев", "Яковлева"),
    ("Сорокин", "Сорокина"),
    ("Романов", "Романова"),
    ("Захаров", "Захарова"),
    ("Борисов", "Борисова"),
    ("Королёв", "Королёва"),
    ("Герасимов", "Герасимова"),
    ("Пономарёв", "Пономарёва"),
    ("Вишневский", "Вишневская"),
    ("Островский", "Островская"),
    ("Белинский", "Белинская"),
    ("Шевченко", "Шевченко"),
    ("Коваленко", "Коваленко"),
    ("Черных", "Черных"),
    ("Ахметов", "Ахметова"),
    ("Хасанов", "Хасанова"),
    ("Мельник", "Мельник"),
    ("Гончар", "Гончар"),
    ("Крылов", "Крылова"),
)
CYCLES = (14, 21, 21, 28, 28, 28, 35, 45, 60)


class Habit(Enum):
    """What becomes of a client after the first visit."""

    REGULAR = "comes back every `cycle` days, until lost"
    WAVERING = "comes two to four times and is lost"
    ONCE = "comes once"


@dataclass(slots=True, eq=False)
class Client:
    """A client as the bot comes to know it; days are day numbers, instants epoch seconds.

    `free_from`: the first local day on which a new session cannot touch the last one.
    `met_again`: when the bot first heard of somebody on the other channel, 0 before.
    `expected`: the day of the next routine talk, so that a client has one rhythm and not two.
    """

    id: str
    salon: Salon
    habit: Habit
    cycle: int
    female: bool
    name: str
    knows_name: bool
    channel: str
    telegram_chat_id: int | None
    whatsapp_id: str | None
    number: str
    phone: str | None
    favourite: Service
    staff: Staff
    visits_left: int
    created: int = 0
    updated: int = 0
    yclients_id: int | None = None
    met_again: int = 0
    free_from: int = 0
    expected: int = 0
    booked: list[tuple[Staff, Service]] = field(default_factory=list)

    @property
    def full_name(self) -> str | None:
        """The name as stored: empty until the messenger or a booking tells it."""
        return self.name if self.knows_name else None

    @property
    def is_two_clients(self) -> bool:
        """Whether the bot keeps another client for the other channel, as it does of most who use both."""
        return bool(self.telegram_chat_id and self.whatsapp_id) and int(self.number[-1]) < 7

    def id_on(self, channel: str) -> str:
        """The id of the client that a channel's rows name."""
        is_other = self.is_two_clients and channel != self.channel
        return make_uuid(Random(f"{self.id} on {channel}")) if is_other else self.id

    def suits(self, service: Service) -> bool:
        """Whether the client could want that service."""
        return not (self.female and service.title == "Мужская стрижка")


class Crowd:
    """Makes new clients; numbers and chat ids never repeat in the chain."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(f"{seed}:people")
        self._taken: set[int] = set()

    def _draw_new(self, low: int, high: int) -> int:
        while (number := self._rng.randrange(low, high)) in self._taken:
            pass
        self._taken.add(number)
        return number

    def _name(self, female: bool, chance: float) -> str:
        draw = self._rng.random
        names = FEMALE_NAMES if female else MALE_NAMES
        first = names[int(draw() * len(names))]
        surname = SURNAMES[int(draw() * len(SURNAMES))][1 if female else 0]
        return first if chance < 0.12 else f"{first} {surname}"

    def meet(self, salon: Salon) -> Client:
        """A person the salon's bot has not talked with before."""
        draw = self._rng.random
        female = draw() < 0.91
        abroad = salon.profile.currency == "EUR"
        number = f"4915{self._draw_new(10**8, 10**9)}" if abroad else f"79{self._draw_new(10**8, 10**9)}"
        telegram = draw() < 0.64
        both = draw() < 0.04
        kind = draw()
        habit = Habit.REGULAR if kind < 0.46 else Habit.WAVERING if kind < 0.64 else Habit.ONCE
        services = salon.services
        if female:
            services = tuple(service for service in services if service.title != "Мужская стрижка")
        # Squaring favours the first lines of the price list, the ones most salons live on.
        favourite = services[int(draw() * draw() * len(services))]
        if not female and draw() < 0.7:
            favourite = next((service for service in salon.services if service.title == "Мужская стрижка"), favourite)
        staff = self.choose_staff(salon, favourite)
        return Client(
            id=make_uuid(self._rng),
            salon=salon,
            habit=habit,
            cycle=CYCLES[int(draw() * len(CYCLES))],
            female=female,
            name=self._name(female, draw()),
            knows_name=draw() < 0.82,
            channel="telegram" if telegram else "whatsapp",
            telegram_chat_id=self._draw_new(100_000_000, 7_900_000_000) if telegram or both else None,
            whatsapp_id=number if both or not telegram else None,
            number=number,
            phone=None if telegram and not both else number,
            favourite=favourite,
            staff=staff,
            visits_left=1 if habit is Habit.ONCE else 2 + int(draw() * 3) if habit is Habit.WAVERING else 99,
        )

    def choose_staff(self, salon: Salon, service: Service) -> Staff:
        """One of those who do that service."""
        able = [member for member in salon.staff if member.group == service.group]
        return able[int(self._rng.random() * len(able))]
