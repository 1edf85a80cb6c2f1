"""Words that the phrases are filled with, and the summaries of sessions."""

from collections.abc import Mapping

from .catalogue import Service, Staff
from .chain import Salon
from .diary import MONTHS, Slot, name_minute
from .people import Client
from .records import Booking
from .zones import name_day

PARTS_IN_WORDS = {"morning": "утром", "afternoon": "днём", "evening": "вечером"}


def tell_day(day: int) -> str:
    """`14 ноября`."""
    date = name_day(day)
    return f"{date.day} {MONTHS[date.month - 1]}"


def tell(
    salon: Salon,
    client: Client,
    services: tuple[Service, ...],
    staff: Staff,
    slot: Slot,
    more: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Everything a phrase of a dialogue about these things can name."""
    profile = salon.profile
    team = [member.name for member in salon.staff if member.group == staff.group]
    sign = "€" if profile.currency == "EUR" else "₽"
    words = {
        "salon": profile.name,
        "address": profile.address,
        "opens": str(profile.opens),
        "closes": str(profile.closes),
        "service": " + ".join(service.title for service in services),
        "asked": " и ".join(service.asked for service in services),
        "staff": staff.name,
        "to_whom": staff.to_whom,
        "team": ", ".join(team),
        "team_lines": "\n• ".join(team),
        "day": tell_day(slot.day),
        "time": name_minute(slot.minute),
        "other_time": name_minute(slot.minute + 90 if slot.minute < 1_080 else slot.minute - 120),
        "price": f"{sum(service.price for service in services)} {sign}",
        "minutes": str(sum(service.minutes for service in services)),
        "comma_name": f", {client.name.split()[0]}" if client.knows_name else "",
        "been": "была" if client.female else "был",
        "part": "вечером",
    }
    if more:
        words.update(more)
    return words


def tell_old(booking: Booking) -> dict[str, str]:
    """The booking that is to be moved or cancelled."""
    return {
        "old_service": " + ".join(service.title for service in booking.services),
        "old_day": tell_day(booking.day),
        "old_time": name_minute(booking.minute),
    }


def sum_up(what: str, booking: Booking) -> str:
    """`Запись: Маникюр, мастер Анна, 14 ноября в 15:30`."""
    titles = ", ".join(service.title for service in booking.services)
    when = f"{tell_day(booking.day)} в {name_minute(booking.minute)}"
    return f"{what}: {titles}, мастер {booking.staff.name}, {when}"
