"""A small salon, written by hand: the frames that its pages are made from, with the columns that are selected.

Its last final day is Saturday, 31 October 2026. Three weeks of days, one of them with nothing; two channels; roubles,
euros and prices of no known currency; a client without a name and one whose name attacks. Every figure is here to be
added up by a reader: tests say what comes out.
"""

# ruff: noqa: DTZ001  (times are the salon's wall clock, without a zone, as reading gives them)

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from math import sqrt
from typing import Any
from uuid import UUID

import pandas as pd

from reports.audiences import Audience, Veil
from reports.blocks import Frames
from reports.selections import SALON, Selection
from tests.oracle.kpis import FACTS

LAST_DAY = date(2026, 10, 31)
OWNER, ANALYST = Veil(Audience.OWNER), Veil(Audience.ANALYST)

ANNA, BORIS, NAMELESS, ATTACKER, VERA, GLEB = (UUID(int=number << 96) for number in range(1, 7))
NAMES = {
    ANNA: "Анна Ветрова", BORIS: "Борис Лесной", NAMELESS: None, ATTACKER: "</script><img src=x onerror=alert(1)>",
    VERA: "Вера, \"Верочка\" О'Нил", GLEB: "=Глеб",
}  # fmt: skip
PHONES = {
    ANNA: "+79160000001", BORIS: "8 (916) 000-00-02", NAMELESS: None, ATTACKER: "+4915200000003",
    VERA: "79160000004", GLEB: "доб. 12",
}  # fmt: skip
SUMMARIES = ("Хотела маникюр к свадьбе сестры", "Спросил про парковку у дома", "{{ 7 * 7 }} <b>срочно</b>")


def money(amount: str) -> Decimal:
    """An amount as the database gives it."""
    return Decimal(amount)


def make_rows(name: str, rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Return rows of a mart of a salon as reading gives them: columns of the selection, values as they are."""
    return make_frame(SALON[name], rows)


def make_frame(selection: Selection, rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Return rows with the columns of a selection; a row of another length is a mistake of the test."""
    for row in rows:
        if len(row) != len(selection.columns):
            raise ValueError(f"{selection.relation} has {len(selection.columns)} columns, the row {len(row)}: {row}")
    return pd.DataFrame(
        {
            column: pd.Series([row[place] for row in rows], dtype=object)
            for place, column in enumerate(selection.columns)
        },
        columns=list(selection.columns),
    )


def veil_frames(frames: dict[str, pd.DataFrame], selections: dict[str, Selection], veil: Veil) -> Frames:
    """Return the frames as an audience gets them: `reports.reading` does not select the other columns."""
    return Frames({name: _veil_frame(frame, selections[name], veil) for name, frame in frames.items()})


def _veil_frame(frame: pd.DataFrame, selection: Selection, veil: Veil) -> pd.DataFrame:
    shown = frame[list(veil.choose_columns(selection.relation, selection.columns))]
    return shown.assign(**dict.fromkeys(veil.find_unnamed(selection.relation, selection.columns)))


def make_salon(veil: Veil = OWNER) -> Frames:
    """Return the salon."""
    return veil_frames(SALON_FRAMES, SALON, veil)


def make_empty_salon(veil: Veil = OWNER) -> Frames:
    """Return a salon of which nothing is known yet."""
    return veil_frames({name: make_rows(name, []) for name in SALON}, SALON, veil)


def limit_share(part: int, whole: int) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Return a share and its Wilson limits as marts round them; nothing of nothing."""
    if not whole:
        return None, None, None
    share, square = part / whole, 1.959964**2
    middle = (share + square / (2 * whole)) / (1 + square / whole)
    reach = sqrt(square * share * (1 - share) / whole + square**2 / (4 * whole**2)) / (1 + square / whole)
    found = (share, max(middle - reach, 0), min(middle + reach, 1))
    return tuple(round(Decimal(value), 4) for value in found)  # type: ignore[return-value]


PERIODS = {
    7: (date(2026, 10, 25), LAST_DAY, date(2026, 10, 18), date(2026, 10, 24)),
    30: (date(2026, 10, 2), LAST_DAY, date(2026, 9, 2), date(2026, 10, 1)),
    90: (date(2026, 8, 3), LAST_DAY, date(2026, 5, 5), date(2026, 8, 2)),
}


def make_rate(
    measure: str, now: tuple[int, int], before: tuple[int, int], *, days: int = 30, is_comparable: bool = True,
    presumed: int | None = None, presumed_before: int | None = None, is_told: bool = True,
) -> tuple[Any, ...]:  # fmt: skip
    """Return a row of `kpis` of a rate: so many of so many now and before; not told where too much is presumed."""
    share, low, high = limit_share(*now) if is_told else limit_share(0, 0)
    share_before, low_before, high_before = limit_share(*before)
    return (
        days, measure, "", *PERIODS[days], share, *now, low, high, share_before, *before, low_before, high_before,
        is_comparable, presumed, presumed_before, *FACTS[measure],
    )  # fmt: skip


def make_figure(
    measure: str, value: Any, before: Any, *, days: int = 30, currency: str = "", n: int | None = None,
    n_before: int | None = None, is_comparable: bool = True,
) -> tuple[Any, ...]:  # fmt: skip
    """Return a row of `kpis` of a count, an amount or a mean over ``n``."""
    return (
        days, measure, currency, *PERIODS[days], value, None, n, None, None, before, None, n_before, None, None,
        is_comparable, None, None, *FACTS[measure],
    )  # fmt: skip


KPIS = [
    make_figure("dialogs", 15, 12, days=7),
    make_figure("bookings", 6, 6, days=7),
    make_rate("conversion", (6, 15), (6, 12), days=7),
    make_rate("arrival_rate", (0, 0), (0, 0), days=7),
    make_rate("no_show_rate", (0, 24), (1, 25), days=7, presumed=24, presumed_before=10, is_told=False),
    make_figure("dialogs", 80, 50),
    make_figure("bookings", 48, 47),
    make_figure("cancelled_bookings", 3, 0),
    make_figure("messages", 900, 100),
    make_rate("conversion", (48, 80), (47, 50)),
    make_figure("kept_amount", money("56000.00"), money("50000.00"), currency="RUB"),
    make_figure("kept_amount", money("120.50"), 0, currency="EUR"),
    make_figure("kept_amount", money("700.00"), money("700.00"), currency="XXX"),
    make_figure("avg_ticket", money("1400.00"), money("1250.00"), currency="RUB", n=40, n_before=40),
    make_figure("avg_ticket", money("60.25"), None, currency="EUR", n=2, n_before=0),
    make_figure("unique_clients", 60, 61),
    make_figure("new_clients", 0, 20),
    make_figure("avg_response_ms", money("12400.0"), money("15500.0"), n=310, n_before=280),
    make_figure("bot_bookings", 40, 39),
    make_figure("earned_amount", money("48000.00"), money("47000.00"), currency="RUB"),
    make_rate("arrival_rate", (56, 70), (48, 80), presumed=14, presumed_before=0),
    make_rate("no_show_rate", (5, 56), (0, 29)),
    make_rate("cancellation_rate", (20, 60), (3, 12)),
    make_rate("unknown_rate", (1, 100), (1, 100)),
    make_figure("dialogs", 200, 0, days=90, is_comparable=False),
    make_rate("conversion", (100, 200), (0, 0), days=90, is_comparable=False),
]

# Day of October, dialogs, bookings, cancelled, median and 90 % of answers in ms, clients, new ones; the 18th is silent.
DAYS = (
    (11, 3, 1, 0, 900, 4000, 3, 1), (12, 4, 2, 0, 1000, 5000, 4, 0), (13, 2, 1, 1, 1100, 5000, 2, 1),
    (14, 5, 3, 0, 1200, 6000, 5, 2), (15, 6, 4, 0, 1300, 6100, 6, 2), (16, 4, 2, 0, 1400, 7200, 4, 0),
    (17, 7, 5, 1, 1500, 8000, 6, 3), (18, 0, 0, 0, None, None, 0, 0), (19, 3, 2, 0, 61000, 125000, 3, 1),
    (20, 5, 3, 0, 1600, 3000, 5, 1), (21, 4, 3, 0, 1700, 3100, 4, 0), (22, 6, 4, 1, 1800, 3200, 6, 1),
    (23, 5, 2, 0, 1900, 3300, 5, 2), (24, 8, 5, 0, 2000, 3400, 7, 2), (25, 2, 1, 0, 2100, 3500, 2, 0),
    (26, 1, 0, 0, 340, 340, 1, 0), (27, 3, 1, 0, 2300, 3700, 3, 1), (28, 2, 1, 0, 2400, 3800, 2, 0),
    (29, 3, 1, 0, 2500, 3900, 3, 0), (30, 1, 0, 0, 2600, 4000, 1, 0), (31, 3, 2, 1, 2700, 4100, 3, 1),
)  # fmt: skip


def make_day(day: date, figures: tuple[Any, ...], *, is_final: bool = True) -> tuple[Any, ...]:
    """Return a row of `metrics_dailies`; clients write four messages a dialog, the bot as many."""
    dialogs, bookings, cancelled, median, p90, clients, new = figures
    conversion = round(Decimal(100 * bookings) / dialogs, 2) if dialogs else None
    return (
        day, is_final, dialogs, bookings, conversion, cancelled, median, median, p90, clients, new, 8 * dialogs,
        4 * dialogs, 4 * dialogs, bookings, 0, cancelled,
    )  # fmt: skip


METRICS = [
    make_day(date(2026, 11, 1), (9, 9, 9, 9, 9, 9, 9), is_final=False),
    *(make_day(date(2026, 10, row[0]), row[1:]) for row in reversed(DAYS)),
    # Ninety days end on 31 October and begin on 3 August.
    make_day(date(2026, 8, 3), (1, 1, 0, 500, 500, 1, 1)),
    make_day(date(2026, 8, 2), (40, 40, 0, 500, 500, 40, 40)),
]
REVENUE = [
    (date(2026, 11, 1), "RUB", False, 9, money("9999.00"), 0, money("0.00"), 9, money("9999.00"), 0, 9,
     money("9999.00"), money("0.00")),
    (date(2026, 10, 31), "EUR", True, 1, money("60.25"), 0, money("0.00"), 1, money("60.25"), 0, 1,
     money("60.25"), money("0.00")),
    (date(2026, 10, 31), "RUB", True, 1, money("1500.50"), 1, money("900.00"), 2, money("2400.50"), 0, 1,
     money("1500.50"), money("0.00")),
    (date(2026, 10, 30), "XXX", True, 1, money("700.00"), 0, money("0.00"), 1, money("700.00"), 0, 1,
     money("700.00"), money("0.00")),
    (date(2026, 10, 24), "RUB", True, 5, money("7000.00"), 0, money("0.00"), 5, money("7000.00"), 0, 5,
     money("7000.00"), money("0.00")),
    (date(2026, 8, 2), "RUB", True, 40, money("40000.00"), 0, money("0.00"), 40, money("40000.00"), 0, 40,
     money("40000.00"), money("0.00")),
]  # fmt: skip
# Thirty days end on 31 October and begin on the 2nd.
FUNNEL = [
    (date(2026, 11, 1), "telegram", False, 7, 7, 7, 7, 7, 0, 0, 0, 0, 0, 0, 0, 2),
    (date(2026, 10, 31), "telegram", True, 6, 5, 4, 4, 3, 1, 1, 0, 1, 1, 1, 0, 3),
    (date(2026, 10, 30), "telegram", True, 4, 4, 3, 2, 2, 0, 1, 1, 0, 0, 1, 0, 2),
    (date(2026, 10, 30), "whatsapp", True, 5, 3, 3, 2, 1, 2, 0, 1, 1, 1, 0, 0, 4),
    (date(2026, 10, 2), "whatsapp", True, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 2),
    (date(2026, 10, 1), "whatsapp", True, 9, 1, 1, 1, 1, 8, 0, 0, 0, 1, 0, 0, 10),
]
# Twelve weeks end on 31 October and begin on Sunday, 9 August.
TRAFFIC = [
    (date(2026, 11, 1), 0, False, 5, 5, 30),
    (date(2026, 10, 31), 10, True, 1, 1, 3),
    (date(2026, 10, 26), 18, True, 1, 0, 4),
    (date(2026, 10, 25), 2, True, 1, 0, 1),
    (date(2026, 10, 24), 10, True, 2, 1, 6),
    (date(2026, 8, 9), 23, True, 1, 0, 2),
    (date(2026, 8, 8), 10, True, 20, 20, 50),
]


def make_session(
    number: int, client: UUID, started: datetime, status: str, *, channel: str = "telegram",
    intent: str | None = "info",
    summary: str | None = None, stage: str | None = None, is_cancelled: bool = False, booked: datetime | None = None,
    amount: str | None = None, currency: str | None = None, asked: int = 2, answered_ms: int | None = 900,
) -> tuple[Any, ...]:  # fmt: skip
    """Return a row of `sessions`; one that says for when was booked."""
    return (
        UUID(int=number), client, NAMES[client], channel, started, None, 300, status, "recorded", intent, summary,
        stage, booked is not None, is_cancelled, booked, money(amount) if amount else None, currency, 2 * asked, asked,
        answered_ms, False,
    )  # fmt: skip


SESSIONS = [
    make_session(109, ANNA, datetime(2026, 11, 1, 9), "unknown", intent=None, answered_ms=None),
    make_session(108, ANNA, datetime(2026, 10, 31, 10, 5), "done", intent="booking", summary=SUMMARIES[0],
                 booked=datetime(2026, 11, 3, 12), amount="1500.50", currency="RUB"),
    make_session(107, BORIS, datetime(2026, 10, 31, 9), "done", channel="whatsapp", summary=SUMMARIES[1],
                 is_cancelled=True, booked=datetime(2026, 11, 2, 18, 30), amount="900", currency="RUB"),
    make_session(106, ATTACKER, datetime(2026, 10, 30, 23, 59), "abandoned", summary=SUMMARIES[2],
                 stage="time_selection", intent="Booking", answered_ms=None),
    make_session(105, NAMELESS, datetime(2026, 10, 30, 12), "auto_closed", stage="service_selection", channel="unknown",
                 answered_ms=61_000),
    make_session(104, VERA, datetime(2026, 10, 25), "abandoned", stage="confirmation", answered_ms=None),
    make_session(103, VERA, datetime(2026, 10, 24, 23, 59), "abandoned", stage="staff_selection", answered_ms=None),
    make_session(102, GLEB, datetime(2026, 10, 24, 8), "unknown", asked=0, answered_ms=None, intent="чаевые"),
    make_session(101, GLEB, datetime(2026, 10, 24, 7), "done", booked=datetime(2026, 10, 26, 9), amount="60.25",
                 currency="EUR", intent="reschedule"),
    make_session(100, NAMELESS, datetime(2026, 10, 11, 7), "done", booked=datetime(2026, 10, 12, 9), amount="700",
                 currency="XXX", intent="cancel"),
]  # fmt: skip
PERSONS = [
    (ANNA, NAMES[ANNA], PHONES[ANNA], datetime(2026, 1, 5, 9), "s1", "m1", 7, 8, 1, 0, datetime(2026, 1, 7, 10),
     datetime(2026, 10, 20, 10), datetime(2026, 11, 3, 12), 41, money("9800.50"), "RUB", money("1400.07"), "returning",
     money("0.3"), True, True),
    (GLEB, NAMES[GLEB], PHONES[GLEB], datetime(2026, 9, 1, 9), None, None, 1, 1, 0, 0, datetime(2026, 10, 12, 9),
     datetime(2026, 10, 12, 9), None, None, money("60.25"), "EUR", money("60.25"), "new", money("0"), True, False),
    (VERA, NAMES[VERA], PHONES[VERA], datetime(2025, 9, 1, 9), "s2", "m2", 3, 5, 1, 1, datetime(2025, 9, 3, 10),
     datetime(2026, 9, 1, 10), None, 30, money("4200.00"), "RUB", money("1400.00"), "won_back", money("0.9"), False,
     True),
    (BORIS, NAMES[BORIS], PHONES[BORIS], datetime(2025, 2, 1, 9), "s2", "m2", 4, 4, 0, 2, datetime(2025, 2, 3, 10),
     datetime(2025, 12, 1, 10), None, 60, money("2000.00"), "RUB", money("500.00"), "lost", money("0.9"), False, True),
    (NAMELESS, None, None, datetime(2026, 10, 11, 7), None, None, 1, 1, 0, 0, datetime(2025, 10, 12, 9),
     datetime(2025, 10, 12, 9), None, None, money("700.00"), "XXX", money("700.00"), "lost", None, True, False),
    (ATTACKER, NAMES[ATTACKER], PHONES[ATTACKER], None, None, None, 0, 0, 0, 0, None, None, None, None, None, None,
     None, "prospect", None, True, False),
]  # fmt: skip
WIN_BACK = [
    (1, VERA, NAMES[VERA], PHONES[VERA], "regular", datetime(2026, 9, 1, 10), 61, money("30.0"), money("0.9"),
     money("0.8123"), money("1137.22"), "RUB", 3, "s2", True, "61 день без визита, обычно раз в 30",
     "61 days without a visit, usually every 30"),
    (1, NAMELESS, None, None, "one_visit", datetime(2025, 10, 12, 9), 385, money("35.0"), None, money("0.9700"),
     money("582.00"), "XXX", 1, None, None, "один визит, 385 дней назад", "one visit, 385 days ago"),
    (1, GLEB, NAMES[GLEB], PHONES[GLEB], "one_visit", datetime(2026, 9, 12, 9), 50, money("35.5"), money("0.6"), None,
     None, "EUR", 1, None, True, "один визит, 50 дней назад", "one visit, 50 days ago"),
    (2, BORIS, NAMES[BORIS], PHONES[BORIS], "regular", datetime(2025, 12, 1, 10), 335, money("60.0"), money("0.9"),
     money("0.9900"), money("247.50"), "RUB", 4, "s2", None, "335 дней без визита, обычно раз в 60",
     "335 days without a visit, usually every 60"),
]  # fmt: skip
WAITLIST = [
    (1, ANNA, NAMES[ANNA], PHONES[ANNA], "m1", "Маникюр", "s1", "Мария", date(2026, 11, 3), "morning", "bot",
     "лучше раньше",
     datetime(2026, 10, 20, 10), False),
    (2, NAMELESS, None, None, "m2", None, None, None, date(2026, 11, 4), None, "bot", None, datetime(2026,
     10, 21, 10), False),
    (3, ATTACKER, NAMES[ATTACKER], PHONES[ATTACKER], None, None, None, None, None, "evening", "bot", "<i>",
     datetime(2026, 10, 22, 10), False),
    (4, GLEB, NAMES[GLEB], PHONES[GLEB], "m1", "Маникюр", None, None, date(2026, 10, 30), "afternoon", "bot", None,
     datetime(2026, 10, 22, 10), True),
]  # fmt: skip
# Seven days after 31 October end with 7 November.
RISKY = [
    ("b3", BORIS, NAMES[BORIS], PHONES[BORIS], datetime(2026, 11, 8, 9), date(2026, 11, 8), "m1", "Маникюр",
     "s1", "Мария",
     money("5000.00"), "RUB", money("0.9000"), money("4500.00"), "новый клиент", "a new client"),
    ("b1", VERA, NAMES[VERA], PHONES[VERA], datetime(2026, 11, 3, 11), date(2026, 11, 3), "m1", "Маникюр",
     "s1", "Мария",
     money("1500.00"), "RUB", money("0.4000"), money("600.00"), "отменяет или пропускает 40 % записей",
     "cancels or misses 40 % of bookings"),
    ("b2", NAMELESS, None, None, datetime(2026, 11, 7, 23, 30), date(2026, 11, 7), "m2", None, None, None, None, None,
     money("0.2500"), None, "обычный риск салона", "the usual risk of this salon"),
    ("b4", GLEB, NAMES[GLEB], PHONES[GLEB], datetime(2026, 11, 1, 10), date(2026, 11, 1), "m2", None, "s2", None,
     money("100.50"), "EUR", money("0.1000"), money("10.05"), "запись сделана за 12 дней", "booked 12 days ahead"),
]  # fmt: skip
MATCHES = [
    (1, "b1", ANNA, NAMES[ANNA], PHONES[ANNA], VERA, NAMES[VERA], "m1", "Маникюр", datetime(2026, 11, 3, 11), "s1",
     "Мария", True, "morning", datetime(2026, 10, 20, 10), money("0.4000"), 1),
    (3, "b1", ATTACKER, NAMES[ATTACKER], PHONES[ATTACKER], VERA, NAMES[VERA], "m1", "Маникюр",
     datetime(2026, 11, 3, 11), "s1", "Мария", None, None, datetime(2026, 10, 22, 10), money("0.4000"), 2),
    (1, "b4", ANNA, NAMES[ANNA], PHONES[ANNA], NAMELESS, None, "m2", None, datetime(2026, 11, 1, 10), "s2", None,
     False, "morning", datetime(2026, 10, 20, 10), money("0.1000"), 1),
]  # fmt: skip
OFFERS = [
    (2, "b9", NAMELESS, None, "m2", None, datetime(2026, 11, 4, 12), "s2", money("80.00"), "EUR",
     datetime(2026, 10, 21, 10), 1),
]  # fmt: skip
RECOVERY = [
    ("EUR", 1, 0, 0, *limit_share(0, 1), money("60.25"), money("0.00")),
    ("RUB", 10, 4, 3, *limit_share(4, 10), money("6000.00"), money("4100.00")),
]
# Twelve months end with October 2026 and begin with November 2025.
MONTHLY = [
    (date(2026, 11, 1), "m1", "Маникюр", "s1", "Мария", "RUB", 2, 0, 0, 0, 0, 2, money("0"), 0, 0, 50, 0),
    (date(2026, 10, 1), "m1", "Маникюр", "s1", "Мария", "RUB", 10, 6, 2, 1, 1, 0, money("9000.00"), 0, 0, 50, 0),
    (date(2026, 10, 1), "m1", "Маникюр", "s2", None, "EUR", 1, 1, 0, 0, 0, 0, money("60.25"), 0, 0, 50, 0),
    (date(2026, 10, 1), "m2", None, "s2", None, "XXX", 3, 1, 0, 2, 0, 0, money("0"), 1, 0, 50, 0),
    (date(2026, 9, 1), "m1", "Маникюр старый", "s1", "Маша", "RUB", 5, 4, 0, 1, 0, 0, money("5000.50"), 0, 0, 50, 0),
    (date(2026, 8, 1), "m1", "Маникюр", "s1", "Мария", "XXX", 2, 1, 0, 1, 0, 0, money("0"), 1, 0, 50, 0),
    (date(2025, 11, 1), "", None, "", None, "XXX", 4, 3, 1, 0, 0, 0, money("700.00"), 0, 0, 50, 0),
    (date(2025, 10, 1), "m1", "Маникюр", "s1", "Мария", "RUB", 99, 99, 0, 0, 0, 0, money("99000.00"), 0, 0, 50, 0),
]
RETENTION = [
    (date(2026, 10, 1), "rebook_client_60d_fwd", 60, 12, 12, 0, 0, *limit_share(0, 0)),
    (date(2026, 8, 1), "rebook_client_60d_fwd", 60, 25, 6, 19, 9, *limit_share(9, 19)),
    (date(2026, 8, 1), "rebook_client_30d_fwd", 30, 25, 0, 25, 5, *limit_share(5, 25)),
    (date(2026, 7, 1), "rebook_client_60d_fwd", 60, 20, 0, 20, 8, *limit_share(8, 20)),
    (date(2026, 6, 1), "rebook_client_60d_fwd", 60, 50, 0, 50, 30, *limit_share(30, 50)),
    (date(2026, 6, 1), "second_visit_90d", 90, 22, 0, 22, 11, *limit_share(11, 22)),
    (date(2026, 5, 1), "second_visit_90d", 90, 16, 0, 16, 4, *limit_share(4, 16)),
    (date(2026, 4, 1), "third_visit_180d", 180, 21, 0, 21, 7, *limit_share(7, 21)),
]
VISIT_RATES = [
    (date(2026, 10, 1), "arrival", 14, 19, *limit_share(14, 19), 16, 2),
    (date(2026, 10, 1), "no_show", 2, 20, *limit_share(2, 20), 17, 2),
    (date(2026, 9, 1), "late_cancellation", 0, 0, *limit_share(0, 0), 0, 0),
]
PEERS = [
    ("arrival", 150, 200, *limit_share(150, 200), 6, money("0.7000")),
    ("second_visit_90d", 3, 10, *limit_share(3, 10), 6, money("0.3100")),
    ("no_show", 20, 200, *limit_share(20, 200), 3, None),
]
RESTATEMENTS = [
    (date(2026, 10, 24), "kept_amount", "RUB", money("7000.00"), datetime(2026, 10, 25, 3), money("7000.00"),
     money("5500.50"), money("-1499.50"), datetime(2026, 10, 28, 3), "changed_rows", True),
    (date(2026, 10, 24), "dialogs_started", "", money("7"), datetime(2026, 10, 25, 3), money("7"), money("8"),
     money("1"), datetime(2026, 10, 27, 3), "late_rows", True),
    (date(2026, 10, 12), "conversion", "", None, datetime(2026, 10, 13, 3), None, money("50.00"), None,
     datetime(2026, 10, 20, 3), "definition", True),
]  # fmt: skip
SALON_FRAMES = {
    name: make_rows(name, rows)
    for name, rows in {
        "kpis": KPIS, "metrics_dailies": METRICS, "revenue_daily": REVENUE, "funnel_daily": FUNNEL,
        "traffic_hourly": TRAFFIC, "sessions": SESSIONS, "persons": PERSONS, "win_back": WIN_BACK,
        "waitlist": WAITLIST, "risky_slots": RISKY, "waitlist_matches": MATCHES, "slot_offers": OFFERS,
        "slot_recovery": RECOVERY, "visits_monthly": MONTHLY, "retention": RETENTION, "visit_rates": VISIT_RATES,
        "peers": PEERS, "restatements": RESTATEMENTS,
    }.items()
}  # fmt: skip
