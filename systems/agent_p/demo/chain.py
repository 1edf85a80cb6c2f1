"""The chain: its salons with city, clock, hours, currency, price list and team (standard, section 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from .catalogue import OFFERS, STAFF_NAMES, TEAMS, Service, Staff
from .ids import make_secret, make_uuid

SMALL_CHAIN = 7
SMALL_CHAIN_SESSIONS = 20_000
FULL_CHAIN_SESSIONS = 90_000


class Profile(NamedTuple):
    """A salon before the seed gives it ids. Days count from the first day of the period.

    `zone` None: the tenant does not say it. `size` is its share of the chain's talk, 10 = an average salon.
    """

    name: str
    slug: str
    kind: str
    address: str
    zone: str | None
    opens: int
    closes: int
    size: int
    price_percent: int = 100
    currency: str = "RUB"
    opened_on: int | None = None
    left_on: int | None = None


MOSCOW, URAL, EAST, WEST, BERLIN = (
    "Europe/Moscow",
    "Asia/Yekaterinburg",
    "Asia/Vladivostok",
    "Europe/Kaliningrad",
    "Europe/Berlin",
)
PROFILES = (
    Profile("Серебро Nail Studio", "serebro-nail", "nails", "Москва, ул. Покровка, 17", MOSCOW, 10, 22, 16),
    Profile("Лавка красоты", "lavka-krasoty", "beauty", "Екатеринбург, ул. Малышева, 36", URAL, 10, 21, 12, 80),
    Profile("Бухта", "buhta-vl", "beauty", "Владивосток, ул. Светланская, 83", EAST, 9, 20, 10, 95),
    Profile(
        "Berlin Beauty Наталья",
        "berlin-beauty",
        "hair",
        "Berlin, Kantstraße 42",
        BERLIN,
        9,
        19,
        8,
        150,
        "EUR",
    ),
    Profile("У Татьяны", "u-tatyany", "hair", "Казань, ул. Баумана, 51", None, 9, 20, 9, 75),
    Profile("Янтарь", "yantar-kgd", "beauty", "Калининград, Ленинский пр., 30", WEST, 10, 20, 9, 85, opened_on=240),
    Profile("Пудра", "pudra-msk", "beauty", "Москва, ул. Новослободская, 4", MOSCOW, 10, 21, 8, 105, left_on=212),
    Profile("Хвоя", "hvoya-spb", "beauty", "Санкт-Петербург, ул. Рубинштейна, 9", MOSCOW, 10, 22, 13, 100),
    Profile("Ноготок", "nogotok-ekb", "nails", "Екатеринбург, пр. Ленина, 24", URAL, 9, 21, 10, 75),
    Profile("Гребень", "greben-msk", "hair", "Москва, ул. Бауманская, 33", MOSCOW, 9, 21, 12, 110),
    Profile("Медуза", "meduza-vl", "nails", "Владивосток, Океанский пр., 18", EAST, 10, 21, 9, 90),
    Profile("Балтика Nails", "baltika-nails", "nails", "Калининград, ул. Черняховского, 15", WEST, 10, 21, 8, 85),
    Profile("Ласточка", "lastochka-spb", "hair", "Санкт-Петербург, Литейный пр., 45", MOSCOW, 10, 21, 11, 95),
    Profile("Мята", "myata-nn", "beauty", "Нижний Новгород, ул. Рождественская, 12", MOSCOW, 9, 20, 9, 75),
    Profile("Кисточка", "kistochka-msk", "nails", "Москва, Ленинградский пр., 62", MOSCOW, 10, 22, 13, 105),
    Profile("Зеркало", "zerkalo-chel", "beauty", "Челябинск, ул. Кирова, 88", URAL, 9, 20, 8, 70),
    Profile("Тихий час", "tihiy-chas", "beauty", "Москва, ул. Пятницкая, 28", MOSCOW, 11, 22, 9, 130),
    Profile("Перламутр", "perlamutr-ros", "nails", "Ростов-на-Дону, ул. Пушкинская, 70", MOSCOW, 9, 21, 10, 75),
    Profile("Шёлк", "shelk-tmn", "hair", "Тюмень, ул. Республики, 55", URAL, 10, 20, 8, 80),
    Profile("Веснушка", "vesnushka-vrn", "beauty", "Воронеж, пр. Революции, 38", MOSCOW, 9, 20, 8, 70),
    Profile("Пион", "pion-krd", "beauty", "Краснодар, ул. Красная, 109", MOSCOW, 9, 21, 11, 80),
    Profile("Фарфор", "farfor-msk", "nails", "Москва, ул. Мясницкая, 15", MOSCOW, 10, 22, 12, 120, opened_on=150),
    Profile("Облако", "oblako-sochi", "beauty", "Сочи, ул. Навагинская, 7", MOSCOW, 9, 21, 9, 95),
    Profile("Ольха", "olha-perm", "hair", "Пермь, ул. Ленина, 60", URAL, 10, 20, 8, 70),
)


@dataclass(frozen=True, slots=True)
class Salon:
    """One tenant: a profile with the ids, price list and team that the seed gave it."""

    id: str
    profile: Profile
    services: tuple[Service, ...]
    staff: tuple[Staff, ...]
    company_id: str
    branch_id: str
    user_token: str
    admin_chat_id: str

    def works_on(self, index: int) -> bool:
        """Whether the salon's bot talks on the given day of the period (0 = the first)."""
        opened, left = self.profile.opened_on, self.profile.left_on
        return (opened is None or index >= opened) and (left is None or index < left)


def count_salons(sessions: int) -> int:
    """Seven salons up to 20,000 sessions, then evenly up to all 24 at 90,000 and more."""
    above = min(max(sessions - SMALL_CHAIN_SESSIONS, 0), FULL_CHAIN_SESSIONS - SMALL_CHAIN_SESSIONS)
    more = len(PROFILES) - SMALL_CHAIN
    return SMALL_CHAIN + above * more // (FULL_CHAIN_SESSIONS - SMALL_CHAIN_SESSIONS)


def _price(roubles: int, profile: Profile) -> int:
    scaled = roubles * profile.price_percent // 100
    if profile.currency == "EUR":
        return max(10, scaled // 75)
    return scaled // 50 * 50


def _open(profile: Profile, rng: Random) -> Salon:
    team = TEAMS[profile.kind]
    size = 4 + int(rng.random() * (len(team) - 3))
    names = rng.sample(STAFF_NAMES, size)
    numbers = rng.sample(range(4_100_000, 4_999_999), size)
    staff = tuple(
        Staff(str(number), name, to_whom, group)
        for number, (name, to_whom), group in zip(numbers, names, team, strict=False)
    )
    trades = {member.group for member in staff}
    offers = [offer for offer in OFFERS if offer.group in trades]
    ids = rng.sample(range(25_000_000, 25_999_999), len(offers))
    services = tuple(
        Service(str(number), offer.title, offer.asked, offer.group, _price(offer.roubles, profile), offer.minutes)
        for number, offer in zip(ids, offers, strict=True)
    )
    return Salon(
        id=make_uuid(rng),
        profile=profile,
        services=services,
        staff=staff,
        company_id=str(rng.randrange(100_000, 999_999)),
        branch_id=str(rng.randrange(100_000, 999_999)),
        user_token=make_secret(rng),
        admin_chat_id=str(-1_001_000_000_000 - rng.randrange(999_999_999)),
    )


def open_chain(*, sessions: int, seed: int) -> Sequence[Salon]:
    """The salons of a chain that holds that many sessions."""
    rng = Random(f"{seed}:chain")
    return tuple(_open(profile, rng) for profile in PROFILES[: count_salons(sessions)])
