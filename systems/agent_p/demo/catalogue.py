"""What a salon sells and who works in it: titles, prices, durations, names."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Service:
    """One line of the price list.

    `id` is the booking system's number as text; `asked` the title in the accusative («на стрижку»);
    `price` whole units of the salon's currency; `minutes` the time the staff member is taken.
    """

    id: str
    title: str
    asked: str
    group: str
    price: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Staff:
    """One staff member: `to_whom` is the name in the dative («к Анне»), `group` the trade."""

    id: str
    name: str
    to_whom: str
    group: str


class Offer(NamedTuple):
    """A price list line before a salon gives it an id and its own price (`roubles` in Moscow)."""

    title: str
    asked: str
    group: str
    roubles: int
    minutes: int


OFFERS = (
    Offer("Маникюр", "маникюр", "nails", 1600, 60),
    Offer("Маникюр с покрытием", "маникюр с покрытием", "nails", 2400, 90),
    Offer("Педикюр", "педикюр", "nails", 2700, 90),
    Offer("Наращивание ногтей", "наращивание ногтей", "nails", 3900, 150),
    Offer("Снятие покрытия", "снятие покрытия", "nails", 600, 30),
    Offer("Женская стрижка", "женскую стрижку", "hair", 2300, 60),
    Offer("Мужская стрижка", "мужскую стрижку", "hair", 1500, 45),
    Offer("Укладка", "укладку", "hair", 1800, 60),
    Offer("Окрашивание в один тон", "окрашивание в один тон", "hair", 5200, 150),
    Offer("Сложное окрашивание", "сложное окрашивание", "hair", 8900, 210),
    Offer("Коррекция бровей", "коррекцию бровей", "brows", 900, 30),
    Offer("Ламинирование бровей", "ламинирование бровей", "brows", 2100, 60),
    Offer("Ламинирование ресниц", "ламинирование ресниц", "brows", 2500, 75),
    Offer("Наращивание ресниц", "наращивание ресниц", "brows", 3100, 120),
    Offer("Массаж спины", "массаж спины", "body", 2300, 45),
    Offer("Общий массаж", "общий массаж", "body", 3600, 90),
    Offer("Чистка лица", "чистку лица", "body", 3200, 75),
)

STAFF_NAMES = (
    ("Анна", "Анне"),
    ("Мария", "Марии"),
    ("Екатерина", "Екатерине"),
    ("Ольга", "Ольге"),
    ("Ирина", "Ирине"),
    ("Алина", "Алине"),
    ("Светлана", "Светлане"),
    ("Юлия", "Юлии"),
    ("Кристина", "Кристине"),
    ("Диана", "Диане"),
    ("Наталья", "Наталье"),
    ("Вероника", "Веронике"),
    ("Андрей", "Андрею"),
    ("Камила", "Камиле"),
    ("Полина", "Полине"),
    ("Тимур", "Тимуру"),
)

# Which trades a salon of a kind has, a place for each staff member; the first four work in every salon.
TEAMS = {
    "nails": ("nails", "nails", "brows", "nails", "nails", "brows"),
    "hair": ("hair", "hair", "brows", "hair", "nails", "hair"),
    "beauty": ("nails", "hair", "brows", "body", "nails", "hair", "nails"),
}
