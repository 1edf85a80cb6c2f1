"""A chain to make reports of: a harmless salon, one whose clients and makers attack, and one where nothing happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from agentp.database import open_connection
from orchestration.schema import prepare_history
from tests.support.hostile import HOSTILE
from tests.support.marts import AS_OF, Workshop, make_id

Say = Callable[[int], str]
HACKS = (
    "<img src=x onerror=window.hacked=1>", '"><script>window.hacked=1</script>', "javascript:window.hacked=1",
    "<svg onload=window.hacked=1>", "</script><script>window.hacked=1</script>",
    '<a href="javascript:window.hacked=1">come</a>', "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "<dialog open><form method=dialog><button autofocus onfocus=window.hacked=1>",
    "{{constructor('window.hacked=1')()}}",
    "</textarea><img src=x onerror=window.hacked=1>", "<img src=x onerror=window.hacked=1>&amp;",
    "' autofocus onfocus='window.hacked=1",
)  # fmt: skip
"""Each would leave a mark in the page that takes it for more than text."""
TEXTS = (*HACKS, *HOSTILE)
COUNT = len(TEXTS)
"""Clients of a salon, and of the harmless one as many, so that pages of both have the same parts."""
DAYS = 40
LAST = datetime.fromisoformat(f"{AS_OF}T00:00:00").replace(tzinfo=UTC)
FIRST = LAST - timedelta(days=DAYS - 1)
ZONES = {"north": "Europe/Moscow", "far": "Asia/Vladivostok", "west": "America/New_York"}
SALONS = {
    "north": {"name": "Студия", "slug": "north"},
    "far": {"name": HACKS[0], "slug": "../../x"},
    "west": {"name": "Студия", "slug": "west", "created_at": "2026-03-05 09:00+00"},
}
"""Two of one name; the last one is younger than the last day of the marts, so that it has no final day."""


def say_plainly(number: int) -> str:
    """Return what a harmless client is called and writes."""
    return f"Анна Ёлкина {number % COUNT}"


def call_plainly(number: int) -> str:
    """Return what a service, a member of the staff or an intent is called in the harmless salon."""
    return f"Уход {number % COUNT}"


def say_hostile(number: int) -> str:
    """Return what a hostile client is called and writes."""
    return TEXTS[number % COUNT]


def phone(number: int) -> str:
    """Return the phone of each sixth client."""
    return f"+7916{number:07}"


def fill_chain(workshop: Workshop) -> None:
    """Write the raw rows of the chain."""
    for salon, columns in SALONS.items():
        metadata = {"settings": {"timezone": ZONES[salon]}}
        row = {"id": make_id(salon), "created_at": "2026-01-01 09:00+00", "metadata": metadata, **columns}
        workshop.insert("tenants_v2", [row])
    _fill_salon(workshop, "north", say_plainly, call_plainly, first_message=1)
    _fill_salon(workshop, "far", say_hostile, say_hostile, first_message=100_000)


def score_chain(workshop: Workshop) -> None:
    """Write scores as `agentp score` would: of clients who came, and of bookings ahead."""
    workshop.execute(
        "insert into scoring.client_scores select tenant_id, client_id, 0.5, 30, 30, 1, '2026-02-28' "
        "from dashboard.clients where visits_count > 0"
    )
    workshop.execute(
        "insert into dashboard.predictions (tenant_id, booking_id, risk_score, risk_factors, predicted_at) "
        "select tenant_id, booking_id, 0.1 + (row_number() over (order by booking_id) %% 80) / 100.0, '{}', "
        "'2026-02-28' from dashboard.visits where outcome = 'upcoming'",
        [],
    )


def note_runs(workshop: Workshop) -> None:
    """Write what runs leave behind: one that failed, with the words of a row in its error, and a problem open."""
    with open_connection(workshop.url) as connection:
        prepare_history(connection)
    workshop.execute(
        "insert into quality.job_runs (run_id, job, started_by, as_of, started_at, finished_at, outcome, error) "
        "values ('1', 'daily', 'schedule', '2026-02-28', '2026-03-01 01:00+00', '2026-03-01 01:09+00', 'failed', %s)",
        [HACKS[1]],
    )
    workshop.execute(
        "insert into quality.problems (problem_key, kind, title, detail, opened_at) "
        "values ('run/daily', 'run', %s, %s, '2026-03-01 01:10+00')",
        [HACKS[0], HACKS[3]],
    )


def _fill_salon(workshop: Workshop, salon: str, say: Say, call: Say, *, first_message: int) -> None:
    clients, wishes, messages = [], [], []
    sessions: list[dict[str, Any]] = []
    for number in range(COUNT):
        client = {"tenant_id": make_id(salon), "id": make_id(f"{salon} {number}")}
        clients.append({
            **client, "full_name": say(number), "created_at": "2026-01-05 09:00+00",
            "phone": phone(number) if number % 6 == 0 else say(number + 1),
            "telegram_chat_id": number + 1,
        })  # fmt: skip
        started = FIRST + timedelta(days=number % DAYS, hours=6 + number % 12)
        made = _make_sessions(salon, number, started, say, call)
        sessions += made
        roles = ("user",) if number % 5 == 3 else ("user", "assistant", "user")
        messages += [
            {
                "id": first_message + 3 * number + place, "tenant_id": make_id(salon), "user_id": client["id"],
                "session_id": made[-1]["session_id"], "role": role, "channel": made[-1]["channel"],
                "message": say(number + 3 * place), "created_at": started + timedelta(minutes=place),
            }
            for place, role in enumerate(roles)
        ]  # fmt: skip
        if number % 5 == 4:
            wishes.append(_make_wish(salon, number, say, call))
    workshop.insert("clients_v2", clients)
    workshop.insert("conversation_sessions_v2", sessions)
    workshop.insert("recent_history_v2", messages)
    workshop.insert("wishlist_v2", wishes)


def _make_sessions(salon: str, number: int, started: datetime, say: Say, call: Say) -> list[dict[str, Any]]:
    """Sessions of a client: of five, one came twice long ago, one has booked ahead, one cancelled, two left."""
    group, kind = divmod(number, 5)
    booked: dict[str, Any] = {
        "booking_id": f"{salon}-{number}", "booking_source": "bot", "booking_status": "confirmed",
        "booking_datetime": _choose_visit(group), "booking_amount": 1500 + number, "booking_currency": "RUB",
        "final_status": "done",
    }  # fmt: skip
    found = []
    if kind == 0:
        for visit in (1, 2):
            then = datetime(2026, 1, 10 * visit, 9, number % 60, tzinfo=UTC) - timedelta(days=7)
            found.append((then, {**booked, "booking_id": f"{salon}-{number}-{visit}", "booking_datetime": then}))
        found.append((started, {}))
    elif kind == 1:
        found.append((started, booked))
    elif kind == 2:
        # Half an hour after the bookings of the others, so that the slot stays free.
        booked["booking_datetime"] += timedelta(minutes=30)
        found.append((started - timedelta(hours=20), booked))
        found.append((started, {**booked, "booking_status": "cancelled"}))
    else:
        found.append((started, {"final_status": "dropped"}))
    return [
        {
            "session_id": make_id(f"{salon} {number} {place}"), "tenant_id": make_id(salon),
            "user_id": make_id(f"{salon} {number}"), "channel": "whatsapp" if number % 3 else "telegram",
            "started_at": then, "ended_at": then + timedelta(minutes=2), "final_status": "auto_closed",
            "final_intent": call(number) if number < len(HACKS) else "booking", "final_summary": say(number + 2),
            "meta": {"services_selected": [f"s{group}"], "staff_id": f"m{group}"}, **more,
        }
        for place, (then, more) in enumerate(found)
    ]  # fmt: skip


def _make_wish(salon: str, number: int, say: Say, call: Say) -> dict[str, Any]:
    """A wish for the service and the day of the bookings ahead of its group; each ninth is for a day long over."""
    group = number // 5
    day = "2026-02-01" if group % 9 == 8 else f"{_choose_visit(group):%Y-%m-%d}"
    return {
        "tenant_id": make_id(salon), "user_id": make_id(f"{salon} {number}"), "item_type": "slot_waiting",
        "item_id": f"service_s{group}", "source": "bot", "comment": say(number + 1), "status": "pending",
        "created_at": FIRST + timedelta(hours=number),
        "meta": {
            "service_id": f"s{group}", "service_title": call(group), "staff_id": f"m{group}",
            "staff_name": call(group + 1), "date": day,
        },
    }  # fmt: skip


def _choose_visit(group: int) -> datetime:
    return datetime(2026, 3, 2 + group % 5, 5, 30, tzinfo=UTC)
