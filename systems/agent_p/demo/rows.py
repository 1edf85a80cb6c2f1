"""Records as lines of the export files (standard, sections 1 to 5; seed 02 for user_ltm_v2)."""

from collections import Counter

from .chain import Salon
from .exports import format_instant, format_json, join_row
from .people import Client
from .records import OpenSession, Session, Wish
from .zones import name_day

NOTES = (
    "Любит нюдовые оттенки",
    "Просит напоминать за день",
    "Приходит с ребёнком",
    "Предпочитает тишину",
    "Пьёт кофе без сахара",
    "Чувствительная кожа",
    "Опаздывает на 10 минут",
    "Форма ногтей — миндаль",
)
ALLERGIES = ("акрил", "эфирные масла", "латекс", "хна")


def write_tenant(salon: Salon, *, created: int, updated: int, active: bool) -> str:
    """A line of tenants_v2."""
    profile = salon.profile
    settings: dict[str, object] = {"closing_time": f"{profile.closes:02}:00", "enable_gap_filtering": True}
    if profile.kind == "hair":
        settings["enable_gap_filtering"] = False
    if profile.zone is not None:
        settings["timezone"] = profile.zone
        settings["opening_time"] = f"{profile.opens:02}:00"
    metadata = {
        "yclients": {
            "company_id": salon.company_id,
            "branch_id": salon.branch_id,
            "user_token": salon.user_token,
        },
        "telegram": {"admin_chat_id": salon.admin_chat_id},
        "settings": settings,
    }
    return join_row(
        (
            salon.id,
            profile.name,
            profile.slug,
            active,
            format_json(metadata),
            format_instant(created),
            format_instant(updated),
        )
    )


def write_client(client: Client) -> str:
    """A line of clients_v2."""
    other = client.is_two_clients and client.met_again
    return join_row(
        (
            client.id,
            client.salon.id,
            None if other and client.channel == "whatsapp" else client.telegram_chat_id,
            None if other and client.channel == "telegram" else client.whatsapp_id,
            client.phone,
            client.yclients_id,
            client.full_name,
            "{}",
            format_instant(client.created),
            format_instant(client.updated),
        )
    )


def write_other_client(client: Client) -> str:
    """A line of clients_v2 for the other channel: the same phone as a messenger writes it, at most a first name."""
    channel = "telegram" if client.channel == "whatsapp" else "whatsapp"
    number = client.number
    name = client.full_name if int(client.number[-2]) % 2 else None
    return join_row(
        (
            client.id_on(channel),
            client.salon.id,
            client.telegram_chat_id if channel == "telegram" else None,
            client.whatsapp_id if channel == "whatsapp" else None,
            f"+{number[:-10]} {number[-10:-7]} {number[-7:-4]}-{number[-4:-2]}-{number[-2:]}",
            None,
            name.split()[0] if name else None,
            "{}",
            format_instant(client.met_again),
            format_instant(client.met_again),
        )
    )


def write_session(number: int, session: Session, *, legacy: bool, known_until: int) -> str:
    """A line of conversation_sessions_v2; `known_until` is the instant of the export."""
    booking = session.booking
    status = "auto_closed" if legacy else session.status
    booked: tuple[str | int | None, ...] = (None,) * 6
    meta: dict[str, object] = {"drop_off_stage": session.stage}
    if session.flaw == "no stage":
        meta = {}
    meta["services_selected"] = [service.id for service in session.services]
    meta["staff_id"] = session.staff.id if session.staff else None
    meta["selected_datetime"] = booking.local if booking else None
    meta.update(session.extra)
    if booking:
        booked = (
            booking.id,
            booking.source,
            "cancelled" if booking.cancelled and not booking.retold else "confirmed",
            format_instant(booking.starts),
            None if session.flaw == "no amount" else f"{booking.amount}.00",
            session.client.salon.profile.currency,
        )
        if booking.missed and not booking.cancelled and booking.starts + booking.minutes * 60 < known_until:
            meta["visit_status"] = "no_show"
    ended = None if session.flaw == "no end" else session.closed
    total = session.agent + session.user + (1 if session.flaw == "miscounted" else 0)
    return join_row(
        (
            number,
            session.id,
            session.client.salon.id,
            session.client.id_on(session.channel),
            session.channel,
            format_instant(session.started),
            None if ended is None else format_instant(ended),
            None if ended is None else ended - session.started,
            status,
            session.intent,
            session.summary,
            *booked,
            total,
            session.agent,
            session.user,
            format_json(meta),
            format_instant(session.closed),
        )
    )


def write_wish(number: int, wish: Wish, *, legacy: bool) -> str:
    """A line of wishlist_v2. Legacy wishes have what the migration's defaults give them."""
    client, staff = wish.client, wish.staff
    meta = {
        "date": name_day(wish.day).isoformat(),
        "service_id": wish.service.id,
        "service_title": wish.service.title,
        "staff_id": staff.id if staff else None,
        "staff_name": staff.name if staff else None,
        "client_name": client.full_name,
        "client_phone": client.phone,
        "time_preference": wish.part,
    }
    processed = None if legacy else wish.processed
    amount = None if legacy or wish.amount is None else f"{wish.amount}.00"
    return join_row(
        (
            number,
            client.salon.id,
            client.id,
            "slot_waiting",
            f"service_{wish.service.id}",
            wish.source,
            wish.comment,
            format_json(meta),
            format_instant(wish.created),
            format_instant(wish.created if processed is None else processed),
            "pending" if legacy else wish.status,
            None if processed is None else format_instant(processed),
            amount,
        )
    )


def write_memory(client: Client) -> str:
    """A line of user_ltm_v2; the three columns of seed 02 are as its migration leaves them."""
    staff = Counter(member.id for member, _ in client.booked).most_common(1)[0]
    services = Counter(service.title for _, service in client.booked).most_common(2)
    data: dict[str, object] = {"favorite_services": [title for title, _ in services]}
    # The number of the client's phone stands in for a draw: it is random and at hand.
    chance = int(client.number[-3:])
    if chance % 5 < 2:
        data["notes"] = NOTES[chance % len(NOTES)]
    if chance % 9 == 0:
        data["allergies"] = [ALLERGIES[chance % len(ALLERGIES)]]
    return join_row(
        (client.id, client.salon.id, staff[0] if staff[1] > 1 else None, format_json(data), None, None, "0.0")
    )


def write_open_session(row: OpenSession) -> str:
    """A line of active_sessions_v2."""
    return join_row(
        (
            row.id,
            row.client.salon.id,
            row.client.id_on(row.channel),
            row.channel,
            format_instant(row.started),
            format_instant(row.last),
            format_json({"stage": row.stage, "services_selected": []}),
        )
    )
