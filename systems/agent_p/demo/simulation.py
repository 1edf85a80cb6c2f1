"""A year of the chain, day by day, and what is written once the year is known.

Discomforts made here (standard, first table): 4. rows of active_sessions_v2, forgotten in the year or still
open on its last evening (`archive` adds a few that were archived and not removed).
"""

from collections.abc import Callable, Sequence
from random import Random

from .archive import LEGACY_MESSAGES, LEGACY_PERCENT, SMALL, Archive
from .chain import Salon
from .desk import Desk
from .exports import Export
from .losses import leave_open
from .people import Crowd
from .reception import Reception, World
from .records import OpenSession
from .rhythm import Pace, share_sessions
from .rows import write_client, write_memory, write_open_session, write_other_client, write_tenant, write_wish
from .zones import DAY

DAYS = 365
# Bookings lie fewer days ahead than this.
HORIZON = 400
# The easternmost clock of the chain is ten hours ahead of UTC.
EAST = 10 * 3_600


class Simulation:
    """Runs the chain over `DAYS` days up to `last_day` (a day number) and writes every table."""

    def __init__(self, export: Export, salons: Sequence[Salon], *, sessions: int, seed: int, last_day: int) -> None:
        self._export = export
        self._sessions = sessions
        self._last_day = last_day
        self._first_day = last_day - DAYS + 1
        self._archive = Archive(export, sessions=sessions, known_until=(last_day + 1) * DAY)
        rng = Random(f"{seed}:days")
        self._draw = rng.random
        world = World(rng, Crowd(seed), Pace(Random(f"{seed}:pace")), self._archive, last_day)
        # A small chain talks seldom, so its clients wait longer for their turn.
        patience = 14 + 3 * DAYS * len(salons) // sessions
        # Sessions have 11 messages on average.
        legacy = min(LEGACY_MESSAGES, sessions * 11 * LEGACY_PERCENT // 100)
        self._desks = [
            Desk(
                Reception(salon, world, last_open_day=self._last_open_day(salon)),
                patience=patience,
                legacy=legacy,
            )
            for salon in salons
        ]
        self._shares = share_sessions(
            salons, first_day=self._first_day, days=DAYS, sessions=sessions, rng=Random(f"{seed}:rhythm")
        )
        self._open: list[OpenSession] = []

    def _last_open_day(self, salon: Salon) -> int:
        left = salon.profile.left_on
        return self._last_day + HORIZON if left is None else self._first_day + left - 1

    def run(self, progress: Callable[[int], None] | None) -> None:
        """All the days, then the tables that need the whole year."""
        done = 0
        for index, quotas in enumerate(self._shares):
            day = self._first_day + index
            for desk, quota in zip(self._desks, quotas, strict=True):
                if desk.reception.salon.works_on(index):
                    desk.spend_day(day, quota)
            self._leave_some_open(index)
            self._archive.release((day + 1) * DAY - EAST)
            done += sum(quotas)
            if progress:
                progress(done)
        self._archive.close()
        self._write_rest()

    def _leave_some_open(self, index: int) -> None:
        """One forgotten dialogue three times a year, two or three still open on the last evening."""
        day = self._first_day + index
        main = self._desks[0]
        if day == self._last_day:
            # Salons of the western clocks: there the evening of the last day is the evening of the export.
            for desk in self._desks[:1] if self._sessions < SMALL else (main, self._desks[3], self._desks[4]):
                second = DAY - 4_000 + int(self._draw() * 900)
                self._open.append(leave_open(desk.reception, desk.meet(), day, second))
        elif self._sessions >= SMALL and index in (DAYS * 5 // 8, DAYS * 6 // 8, DAYS * 7 // 8):
            second = main.reception.second_of()
            self._open.append(leave_open(main.reception, main.meet(), day, second))

    def _write_rest(self) -> None:
        export, archive = self._export, self._archive
        for desk in self._desks:
            salon = desk.reception.salon
            opened = (self._first_day + (salon.profile.opened_on or 0) - 3) * DAY + 9 * 3_600
            active = salon.profile.left_on is None
            updated = opened + DAY if active else self._last_open_day(salon) * DAY + 18 * 3_600
            export["tenants_v2"].write(write_tenant(salon, created=opened, updated=updated, active=active))
        clients = [client for desk in self._desks for client in desk.reception.clients]
        lines = [(client.created, client.id, write_client(client)) for client in clients]
        lines += [
            (client.met_again, client.id, write_other_client(client))
            for client in clients
            if client.is_two_clients and client.met_again
        ]
        for _, _, line in sorted(lines):
            export["clients_v2"].write(line)
        for client in sorted(clients, key=lambda client: (client.created, client.id)):
            if len(client.booked) > 1:
                export["user_ltm_v2"].write(write_memory(client))
        wishes = [wish for desk in self._desks for wish in desk.waiting.wishes]
        wishes.sort(key=lambda wish: (wish.created, wish.client.id))
        for number, wish in enumerate(wishes, 1):
            export["wishlist_v2"].write(write_wish(number, wish, legacy=archive.in_legacy(wish.created)))
        for row in sorted(self._open + archive.not_removed, key=lambda row: (row.started, row.id)):
            export["active_sessions_v2"].write(write_open_session(row))
