"""Who may be written to, and why others are not: read from the marts, with the raw tables as they are this moment.

The marts say who is due and which slots are free as of the last build. What may have changed since and must not be got
wrong (a refusal, a new booking, a salon that left) is read from the raw tables again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import class_row

from activation.quiet_hours import find_send_after, find_zone


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The numbers by which clients are chosen.

    Risks are the seed's steps (seed 02, feature 2): regular clients are asked from the first step on (due by their own
    cycle), those who came once from the second: nothing is known of their rhythm, so that 30 days alone say less.
    Nobody is asked back whose last visit is more than ``longest_absence_days`` ago; they have forgotten the salon, and
    the salon's first run would write to everyone who ever was there.
    """

    regular_risk: Decimal = Decimal("0.3")
    one_visit_risk: Decimal = Decimal("0.6")
    longest_absence_days: int = 365
    pause_days: int = 7
    """Days between two win-back messages to the same client, or to the same chat."""
    win_back_days: int = 7
    """Days after `send_after` for which a win-back message stays true."""
    offer_hours: int = 24
    """Hours after `send_after` for which a slot is kept for who was offered it first."""
    notice_hours: int = 2
    """Hours before a visit from which on its slot is not offered any more."""


@dataclass(frozen=True, kw_only=True)
class Salon:
    """A salon as activation needs it: its present, and when a message queued now may go out (both UTC)."""

    tenant_id: str
    name: str | None
    present: datetime
    send_after: datetime
    hold_out_percent: int


@dataclass(frozen=True, kw_only=True)
class WinBack:
    """A client to be asked back; ``last_visit_at`` is ISO 8601 in UTC, risks are 0 to 1."""

    tenant_id: str
    client_id: str
    client_name: str | None
    channel: str
    message_key: str
    segment: str
    last_visit_at: str
    days_since_last_visit: int
    avg_visit_interval: int | None
    churn_risk_score: float
    churn_probability: float | None
    favourite_staff_id: str | None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A free slot and a wish that it would meet, with the reason why it is not offered, if there is one.

    ``local_visit_at`` is the salon's clock, without a zone; ``place`` the wish's turn for the slot.
    """

    tenant_id: str
    booking_id: str
    wish_id: int
    client_id: str
    client_name: str | None
    channel: str | None
    message_key: str
    service_id: str | None
    service_title: str | None
    staff_id: str | None
    is_wished_staff: bool | None
    visit_at: datetime
    local_visit_at: datetime
    place: int
    expires_at: datetime
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """How many candidates of a salon and kind were left out for one reason."""

    tenant_id: str
    kind: str
    reason: str
    count: int


# Refusals in the words of the mart (macro parse_consent), read where they are written.
REFUSED = """(
    lower(btrim(coalesce(
        clients.meta #>> '{consent,marketing}', clients.meta ->> 'marketing_consent', clients.meta ->> 'consent'
    ))) in ('false', 'no', '0')
)"""

_SALONS = """
select
    settings.tenant_id::text, settings.tenant_name, settings.is_active, settings.timezone,
    settings.quiet_from, settings.quiet_until, settings.hold_out_percent, present.present,
    present.present at time zone settings.timezone
from dashboard.tenant_settings as settings
cross join lateral (
    select coalesce(
        %(instant)s::timestamptz, (%(day)s::date + 1)::timestamp at time zone settings.timezone
    ) as present
) as present
"""

# Bookings ahead of each client, as the marts know them and as the bot wrote them since.
_BOOKED = """
create temporary table booked_ahead on commit drop as
select sessions.tenant_id, sessions.client_id, sessions.started_at as booked_at, sessions.booking_at as visit_at
from staging.stg_agent_p__sessions as sessions
inner join salons on sessions.tenant_id = salons.tenant_id
where
    sessions.booking_id is not null
    and sessions.booking_at >= salons.present
    and coalesce(lower(btrim(sessions.booking_status)), '') not in ('cancelled', 'canceled')
    and not exists (
        select 1
        from dashboard.visits as visits
        where
            sessions.tenant_id = visits.tenant_id
            and sessions.booking_id = visits.booking_id
            and visits.outcome in ('cancelled', 'moved')
    )
union
select visits.tenant_id, visits.client_id, visits.booked_at, visits.visit_at
from dashboard.visits as visits
inner join salons on visits.tenant_id = salons.tenant_id
where visits.outcome = 'upcoming' and visits.visit_at >= salons.present
"""

_CLIENTS = """
create temporary table recipients on commit drop as
select
    clients.tenant_id,
    clients.client_id,
    clients.telegram_chat_id::text as telegram_id,
    nullif(btrim(clients.whatsapp_id), '') as whatsapp_id,
    coalesce({refused}, false) as has_refused
from staging.stg_agent_p__clients as clients
inner join (
    select tenant_id, client_id from due
    union
    select tenant_id, client_id from free_slots
    union
    select tenant_id, client_id from dashboard.outbox
) as named
    on clients.tenant_id = named.tenant_id and clients.client_id = named.client_id
"""

# Where the client talked last; a dialogue that only the bot opened tells nothing of the client.
_CHANNELS = """
create temporary table channels on commit drop as
select
    recipients.tenant_id,
    recipients.client_id,
    case
        when latest.channel = 'whatsapp' and recipients.whatsapp_id is not null then 'whatsapp'
        when recipients.telegram_id is not null then 'telegram'
        when recipients.whatsapp_id is not null then 'whatsapp'
    end as channel
from recipients
left join (
    select distinct on (sessions.tenant_id, sessions.client_id)
        sessions.tenant_id, sessions.client_id, lower(btrim(sessions.channel)) as channel
    from dashboard.sessions as sessions
    inner join recipients as talkers
        on sessions.tenant_id = talkers.tenant_id and sessions.client_id = talkers.client_id
    where not sessions.is_outreach
    order by sessions.tenant_id, sessions.client_id, sessions.started_at desc, sessions.session_id
) as latest
    on recipients.tenant_id = latest.tenant_id and recipients.client_id = latest.client_id
"""

# Everyone due by the seed's steps, so that the report can say of each why not.
_DUE = """
create temporary table due on commit drop as
select
    win_back.*,
    'win_back:' || win_back.client_id || ':' || to_char(win_back.last_visit_at at time zone 'UTC', 'YYYY-MM-DD')
        as message_key
from dashboard.win_back as win_back
where
    win_back.churn_risk_score
    >= case win_back.segment when 'regular' then %(regular_risk)s::numeric else %(one_visit_risk)s::numeric end
"""

# Pending messages that are not true any more.
_ENDED = """
create temporary table ended on commit drop as
select
    outbox.tenant_id,
    outbox.message_key,
    outbox.kind,
    case when outbox.expires_at <= salons.present then 'expired' else 'withdrawn' end as status
from dashboard.outbox as outbox
left join salons on outbox.tenant_id = salons.tenant_id
left join recipients on outbox.tenant_id = recipients.tenant_id and outbox.client_id = recipients.client_id
where
    outbox.status = 'pending'
    and (
        outbox.expires_at <= salons.present
        or salons.is_active is not true
        or recipients.has_refused is not false
        or (
            outbox.kind = 'win_back'
            and (
                exists (
                    select 1
                    from booked_ahead
                    where outbox.tenant_id = booked_ahead.tenant_id and outbox.client_id = booked_ahead.client_id
                )
                -- Somebody who came since has another last visit, and so have those whose visit turned out to be none.
                or not exists (
                    select 1
                    from dashboard.clients as visitors
                    where
                        outbox.tenant_id = visitors.tenant_id
                        and outbox.client_id = visitors.client_id
                        and outbox.message_key = 'win_back:' || visitors.client_id || ':'
                        || to_char(visitors.last_visit_at at time zone 'UTC', 'YYYY-MM-DD')
                )
            )
        )
        or (
            outbox.kind = 'slot_offer'
            and not exists (
                select 1
                from free_slots
                where
                    outbox.tenant_id = free_slots.tenant_id
                    and outbox.booking_id = free_slots.booking_id
                    and outbox.wish_id = free_slots.wish_id
                    and not free_slots.is_met
            )
        )
    )
"""

# Slots that are free and wishes that wait for them; a booking of that day made after the wish has met it.
_FREE_SLOTS = """
create temporary table free_slots on commit drop as
select
    offers.*,
    exists (
        select 1
        from booked_ahead
        where
            offers.tenant_id = booked_ahead.tenant_id
            and offers.client_id = booked_ahead.client_id
            and offers.waiting_since <= booked_ahead.booked_at
            and (offers.visit_at at time zone salons.timezone)::date
            = (booked_ahead.visit_at at time zone salons.timezone)::date
    ) as is_met
from dashboard.slot_offers as offers
inner join salons on offers.tenant_id = salons.tenant_id
-- No calendar reaches further.
where offers.visit_at between '1900-01-01' and '9999-01-01'
"""

# An offer is open until it expires, be it waiting, sent or held out; a slot that is gone leaves its wish free.
_OPEN_OFFERS = """
select outbox.tenant_id::text, outbox.booking_id, outbox.wish_id
from dashboard.outbox as outbox
inner join salons on outbox.tenant_id = salons.tenant_id
inner join free_slots
    on
        outbox.tenant_id = free_slots.tenant_id
        and outbox.booking_id = free_slots.booking_id
        and outbox.wish_id = free_slots.wish_id
where
    outbox.kind = 'slot_offer'
    and outbox.status in ('pending', 'sent', 'held_out')
    and outbox.expires_at > salons.present
    and not exists (
        select 1 from ended where outbox.tenant_id = ended.tenant_id and outbox.message_key = ended.message_key
    )
"""

_OFFERS = """
select
    judged.*,
    case
        when judged.is_active is not true then 'inactive salon'
        when judged.is_queued then 'queued before'
        when judged.has_refused is null then 'client gone'
        when judged.has_refused then 'refused'
        when judged.is_met then 'booked'
        when judged.expires_at <= judged.send_after then 'too late'
        when judged.channel is null then 'no channel'
    end as reason
from (
    select
        free_slots.tenant_id::text as tenant_id,
        free_slots.booking_id,
        free_slots.wish_id,
        free_slots.client_id::text as client_id,
        free_slots.client_name,
        channels.channel,
        'slot_offer:' || free_slots.booking_id || ':' || free_slots.wish_id as message_key,
        free_slots.service_id,
        free_slots.service_title,
        free_slots.staff_id,
        free_slots.is_wished_staff,
        free_slots.visit_at,
        free_slots.visit_at at time zone salons.timezone as local_visit_at,
        free_slots.place,
        least(
            salons.send_after + interval '1 hour' * %(offer_hours)s,
            free_slots.visit_at - interval '1 hour' * %(notice_hours)s
        ) as expires_at,
        salons.is_active,
        salons.send_after,
        recipients.has_refused,
        free_slots.is_met,
        -- Somebody with two wishes for the same slot is asked once.
        exists (
            select 1
            from dashboard.outbox as outbox
            where
                free_slots.tenant_id = outbox.tenant_id
                and free_slots.booking_id = outbox.booking_id
                and (free_slots.client_id = outbox.client_id or free_slots.wish_id = outbox.wish_id)
        ) as is_queued
    from free_slots
    inner join salons on free_slots.tenant_id = salons.tenant_id
    left join recipients
        on free_slots.tenant_id = recipients.tenant_id and free_slots.client_id = recipients.client_id
    left join channels
        on free_slots.tenant_id = channels.tenant_id and free_slots.client_id = channels.client_id
) as judged
order by judged.tenant_id, judged.visit_at, judged.booking_id, judged.place
"""

# Who has a message ahead, or one held out in its place, and who was written to lately (or held out then: they are the
# measure of those who were).
_APPROACHED = """
insert into approached (tenant_id, client_id, channel)
select outbox.tenant_id, outbox.client_id, outbox.channel
from dashboard.outbox as outbox
inner join salons on outbox.tenant_id = salons.tenant_id
where
    (
        outbox.status = 'pending'
        and not exists (
            select 1 from ended where outbox.tenant_id = ended.tenant_id and outbox.message_key = ended.message_key
        )
    )
    or (outbox.status = 'held_out' and outbox.expires_at > salons.present)
    or (
        outbox.kind = 'win_back'
        and outbox.status in ('sent', 'held_out')
        and coalesce(outbox.sent_at, outbox.created_at) > salons.present - interval '24 hours' * %(pause_days)s
    )
"""

_WIN_BACKS = """
create temporary table win_backs on commit drop as
with

approached_chats as (

    select distinct
        approached.tenant_id,
        approached.client_id,
        approached.channel,
        case approached.channel when 'telegram' then recipients.telegram_id else recipients.whatsapp_id end as chat
    from approached
    inner join recipients
        on approached.tenant_id = recipients.tenant_id and approached.client_id = recipients.client_id

),

judged as (

    select
        due.*,
        channels.channel,
        case channels.channel when 'telegram' then recipients.telegram_id else recipients.whatsapp_id end as chat,
        case
            when salons.is_active is not true then 'inactive salon'
            when exists (
                select 1
                from dashboard.outbox as outbox
                where due.tenant_id = outbox.tenant_id and due.message_key = outbox.message_key
            ) then 'queued before'
            when
                due.next_booking_at is not null
                or exists (
                    select 1
                    from booked_ahead
                    where due.tenant_id = booked_ahead.tenant_id and due.client_id = booked_ahead.client_id
                )
                then 'booked'
            when recipients.has_refused is null then 'client gone'
            when recipients.has_refused or due.has_consent is false then 'refused'
            when not due.is_candidate then 'not due'
            when due.last_visit_at < salons.present - interval '24 hours' * %(longest_absence_days)s then 'long gone'
            when exists (
                select 1
                from approached
                where due.tenant_id = approached.tenant_id and due.client_id = approached.client_id
            ) then 'written to lately'
            when channels.channel is null then 'no channel'
        end as obstacle
    from due
    left join salons on due.tenant_id = salons.tenant_id
    left join recipients on due.tenant_id = recipients.tenant_id and due.client_id = recipients.client_id
    left join channels on due.tenant_id = channels.tenant_id and due.client_id = channels.client_id

),

-- One person may be two clients with the same chat: whom the salon saw last is asked.
ranked as (

    select
        judged.*,
        row_number() over (
            partition by judged.tenant_id, judged.obstacle, judged.channel, judged.chat
            order by judged.last_visit_at desc, judged.client_id
        ) as turn
    from judged

)

select
    ranked.*,
    coalesce(
        ranked.obstacle,
        case
            when
                ranked.turn > 1
                or exists (
                    select 1
                    from approached_chats
                    where
                        ranked.tenant_id = approached_chats.tenant_id
                        and ranked.channel = approached_chats.channel
                        and ranked.chat = approached_chats.chat
                )
                then 'same chat'
        end
    ) as left_out
from ranked
"""

_CHOSEN = """
select
    tenant_id::text as tenant_id, client_id::text as client_id, client_name, channel, message_key, segment,
    to_char(last_visit_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as last_visit_at,
    days_since_last_visit, avg_visit_interval, churn_risk_score::float8 as churn_risk_score,
    churn_probability::float8 as churn_probability, favourite_staff_id
from win_backs
where left_out is null
order by tenant_id, segment, place, client_id
"""


def read_salons(connection: psycopg.Connection[Any], *, as_of: date) -> dict[str, Salon]:
    """Return the salons by id and note them, inactive ones too, in the temporary table `salons`.

    ``as_of`` is the present: an instant, or a day, which means its end in every salon's own zone (as for builds).
    """
    is_instant = isinstance(as_of, datetime)
    rows = connection.execute(
        _SALONS, {"instant": as_of if is_instant else None, "day": None if is_instant else as_of}
    ).fetchall()
    salons: dict[str, Salon] = {}
    connection.execute(
        "create temporary table salons (tenant_id uuid primary key, is_active boolean, timezone text, "
        "present timestamptz, send_after timestamptz) on commit drop"
    )
    with connection.cursor().copy("copy salons from stdin") as copy:
        for tenant_id, name, is_active, timezone, quiet_from, quiet_until, percent, present, local_now in rows:
            zone = find_zone(timezone, local_now=local_now, now=present)
            send_after = find_send_after(present, zone, quiet_from=quiet_from, quiet_until=quiet_until)
            copy.write_row((tenant_id, is_active, timezone, present, send_after))
            salons[tenant_id] = Salon(
                tenant_id=tenant_id, name=name, present=present.astimezone(UTC), send_after=send_after,
                hold_out_percent=percent,
            )  # fmt: skip
    connection.execute("analyze salons")
    return salons


def read_standing(connection: psycopg.Connection[Any], *, rules: Rules) -> None:
    """Note in temporary tables who is due, which slots are free, how clients are reached and which messages ended."""
    connection.execute(_BOOKED)
    connection.execute("create index on booked_ahead (tenant_id, client_id)")
    connection.execute("analyze booked_ahead")
    connection.execute(_DUE, {"regular_risk": rules.regular_risk, "one_visit_risk": rules.one_visit_risk})
    connection.execute(_FREE_SLOTS)
    connection.execute("create index on free_slots (tenant_id, booking_id)")
    connection.execute("analyze due")
    connection.execute("analyze free_slots")
    connection.execute(_CLIENTS.replace("{refused}", REFUSED))
    connection.execute("create index on recipients (tenant_id, client_id)")
    connection.execute("analyze recipients")
    connection.execute(_CHANNELS)
    connection.execute("create index on channels (tenant_id, client_id)")
    connection.execute("analyze channels")
    connection.execute(_ENDED)
    connection.execute("create index on ended (tenant_id, message_key)")
    connection.execute("analyze ended")


def read_open_offers(connection: psycopg.Connection[Any]) -> tuple[set[tuple[str, str]], set[tuple[str, int]]]:
    """Return the slots and the wishes, each by salon, that have an open offer already."""
    rows = connection.execute(_OPEN_OFFERS).fetchall()
    return {(tenant, booking) for tenant, booking, _ in rows}, {(tenant, wish) for tenant, _, wish in rows}


def read_offers(connection: psycopg.Connection[Any], *, rules: Rules) -> list[Offer]:
    """Return every free slot with every wish it would meet, by salon, time of the slot and turn of the wish."""
    with connection.cursor(row_factory=_offer_row) as cursor:
        cursor.execute(_OFFERS, {"offer_hours": rules.offer_hours, "notice_hours": rules.notice_hours})
        return cursor.fetchall()


def read_win_backs(
    connection: psycopg.Connection[Any], *, rules: Rules, written_now: list[tuple[str, str, str]]
) -> tuple[list[WinBack], list[LeftOut]]:
    """Return who is to be asked back, and how many are left out for what reason.

    ``written_now`` holds salon, client and channel of the messages that this run queues already: nobody gets two.
    """
    connection.execute(
        "create temporary table approached (tenant_id uuid, client_id uuid, channel text) on commit drop"
    )
    with connection.cursor().copy("copy approached from stdin") as copy:
        for row in written_now:
            copy.write_row(row)
    connection.execute(_APPROACHED, {"pause_days": rules.pause_days})
    connection.execute("create index on approached (tenant_id, client_id)")
    connection.execute("analyze approached")
    connection.execute(_WIN_BACKS, {"longest_absence_days": rules.longest_absence_days})
    counts = connection.execute(
        "select tenant_id::text, left_out, count(*) from win_backs where left_out is not null "
        "group by tenant_id, left_out order by tenant_id, left_out"
    ).fetchall()
    left_out = [LeftOut(tenant_id=row[0], kind="win_back", reason=row[1], count=row[2]) for row in counts]
    with connection.cursor(row_factory=class_row(WinBack)) as cursor:
        cursor.execute(_CHOSEN)
        return cursor.fetchall(), left_out


def find_expiry(salon: Salon, *, rules: Rules) -> datetime:
    """Return until when a win-back message queued now may be sent, UTC."""
    return salon.send_after + timedelta(days=rules.win_back_days)


def _offer_row(cursor: psycopg.Cursor[Any]) -> Any:
    names = [column.name for column in cursor.description or ()]
    wanted = Offer.__dataclass_fields__.keys()

    def make(values: Any) -> Offer:
        row = dict(zip(names, values, strict=True))
        return Offer(**{name: row[name] for name in wanted})

    return make
