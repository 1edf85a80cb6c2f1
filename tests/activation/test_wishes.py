"""Reactions to wishes: each once, whatever dies or runs at once; offers queued, win-backs left alone (issue 5)."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import make_conninfo

from activation.wishes import WishReport, WishTick, look_for_wishes, react_to_wishes
from agentp.locks import hold_build_lock
from tests.activation.conftest import NOON, Salon
from tests.support.marts import Workshop, make_id


def react(salon: Workshop, cursor: str | None = None, *, is_applied: bool = True, as_of: Any = NOON) -> WishReport:
    return react_to_wishes(salon.url, as_of=as_of, cursor=cursor, is_applied=is_applied)


def look(salon: Workshop, cursor: str | None = None) -> WishTick:
    with psycopg.connect(salon.url) as connection:
        return look_for_wishes(connection, cursor)


def ledger(salon: Workshop) -> dict[int, dict[str, Any]]:
    return {row["wish_id"]: row for row in salon.execute("select * from dashboard.wish_reactions")}


def offers(salon: Salon) -> dict[str, str]:
    return {name: row["status"] for name, row in salon.outbox("slot_offer").items()}


@contextmanager
def in_the_middle(salon: Salon) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has taken the wishes, and waits for the outbox while nothing is committed."""
    code = (
        "import sys; from datetime import datetime; from activation.wishes import react_to_wishes; "
        "react_to_wishes(sys.argv[1], as_of=datetime.fromisoformat(sys.argv[2]), cursor=None, is_applied=True)"
    )
    with psycopg.connect(salon.url) as holder:
        holder.execute("lock table dashboard.outbox in share mode")
        process = subprocess.Popen(
            [sys.executable, "-c", code, make_conninfo(salon.url), NOON.isoformat()],
            cwd=Path(__file__).resolve().parents[2],
        )
        wait_until(salon, "select 1 from pg_locks where relation = 'dashboard.outbox'::regclass and not granted")
        yield process


HELD = "relation = to_regclass('build.lock_wish_reactions')"


def wait_until(salon: Workshop, query: str) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    while not salon.execute(query):
        assert datetime.now(UTC) < deadline, f"waited for nothing: {query}"
        threading.Event().wait(0.05)


def test_a_wish_is_reacted_to_once_and_its_offer_queued(salon: Salon) -> None:
    report = react(salon)
    assert (report.wishes, report.new, report.changed, report.deleted) == (2, 2, 0, 0)
    assert (report.offers_queued, report.offers_ended, report.obstacle) == (1, 0, None)
    assert offers(salon) == {"first waiting": "pending"}
    kept = ledger(salon)
    assert [(row["offers_count"], row["matches_count"], row["changes_count"]) for row in kept.values()] == [
        (1, 0, 0)
    ] * 2
    again = react(salon, report.cursor)
    assert (again.wishes, again.offers_queued) == (0, 0)
    assert ledger(salon) == kept


def test_matches_with_risky_slots_are_counted_by_wish(salon: Salon) -> None:
    salon.execute("delete from wishlist_v2")
    salon.execute(
        "create or replace view dashboard.waitlist_matches as "
        "select (jsonb_populate_record(null::dashboard.waitlist_matches, "
        "jsonb_build_object('tenant_id', tenant_id, 'wish_id', 7, 'booking_id', number))).* "
        "from clients_v2 cross join generate_series(1, 2) as number where full_name in ('regular', 'stranger')"
    )
    for wish_id in (7, 8):
        salon.wish("once", wish_id, "2026-03-20", "2026-02-21 10:00+00")
    assert react(salon).matches == 2
    assert [ledger(salon)[wish_id]["matches_count"] for wish_id in (7, 8)] == [2, 0]


def test_a_cancelled_wish_loses_its_offer_to_the_next(salon: Salon) -> None:
    cursor = react(salon).cursor
    salon.execute("update wishlist_v2 set status = 'cancelled' where id = 1")
    report = react(salon, cursor)
    assert (report.wishes, report.changed, report.offers_ended, report.offers_queued) == (1, 1, 1, 1)
    assert offers(salon) == {"first waiting": "withdrawn", "second waiting": "pending"}
    assert ledger(salon)[1]["changes_count"] == 1


def test_a_deleted_wish_loses_its_offer_and_is_reacted_to_once(salon: Salon) -> None:
    cursor = react(salon).cursor
    salon.execute("delete from wishlist_v2 where id = 1")
    report = react(salon, cursor)
    assert (report.wishes, report.deleted, report.offers_ended) == (1, 1, 1)
    assert ledger(salon)[1]["is_deleted"]
    assert react(salon, cursor).wishes == 0
    assert look(salon, cursor).changed == 0


def test_win_backs_and_memories_are_left_alone(salon: Salon) -> None:
    salon.activate()
    memories = salon.execute("select * from user_ltm_v2 order by user_id")
    before = salon.outbox("win_back")
    assert before, "nothing that could be touched"
    salon.execute('update clients_v2 set meta = \'{"consent": "no"}\'')
    salon.execute("update user_ltm_v2 set churn_risk_score = 0.99")
    memories = salon.execute("select * from user_ltm_v2 order by user_id")
    report = react(salon)
    assert offers(salon) == {"first waiting": "withdrawn"}
    assert report.offers_ended == 1
    assert salon.outbox("win_back") == before
    assert salon.execute("select * from user_ltm_v2 order by user_id") == memories
    salon.activate(NOON + timedelta(hours=1))
    assert {row["status"] for row in salon.outbox("win_back").values()} == {"withdrawn"}


def test_offers_need_no_scores(salon: Salon) -> None:
    salon.execute("truncate scoring.client_scores")
    assert react(salon).offers_queued == 1


def test_without_being_applied_wishes_are_noted_and_nobody_is_written_to(salon: Salon) -> None:
    report = react(salon, is_applied=False)
    assert (report.wishes, report.offers_queued) == (2, 0)
    assert offers(salon) == {}
    assert look(salon).changed == 0
    salon.activate()
    assert offers(salon) == {"first waiting": "pending"}


def test_marts_too_old_to_write_by_are_told_and_do_not_stop_wishes(salon: Salon) -> None:
    report = react(salon, as_of=NOON + timedelta(days=4))
    assert "days before the present" in (report.obstacle or "")
    assert (report.wishes, report.offers_queued, offers(salon)) == (2, 0, {})
    assert look(salon).changed == 0


def test_before_the_first_build_wishes_are_noted_without_counts(raw_workshop: Workshop) -> None:
    raw_workshop.add_tenant()
    raw_workshop.add_client()
    raw_workshop.execute(
        "insert into wishlist_v2 (id, tenant_id, user_id, item_type, item_id) values (1, %s, %s, 'a', 'b')",
        [make_id("salon"), make_id("client")],
    )
    assert look(raw_workshop).changed == 1
    report = react(raw_workshop)
    assert (report.wishes, report.matches) == (1, None)
    assert (ledger(raw_workshop)[1]["matches_count"], ledger(raw_workshop)[1]["offers_count"]) == (None, None)
    assert look(raw_workshop, report.cursor).changed == 0


def test_a_process_killed_between_seeing_and_reacting_misses_nothing_and_repeats_nothing(salon: Salon) -> None:
    with in_the_middle(salon) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    wait_until(salon, f"select 1 where not exists (select 1 from pg_locks where {HELD})")
    assert (ledger(salon), offers(salon)) == ({}, {})
    assert look(salon).changed == 2
    report = react(salon)
    assert (report.wishes, report.offers_queued) == (2, 1)
    assert (look(salon).changed, react(salon).wishes) == (0, 0)
    assert len(salon.execute("select 1 from dashboard.outbox")) == 1


def test_of_two_at_once_the_second_finds_what_the_first_left(salon: Salon) -> None:
    reports: list[WishReport] = []
    threads = [threading.Thread(target=lambda: reports.append(react(salon))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.wishes for report in reports) == [0, 0, 0, 2]
    assert {row["changes_count"] for row in ledger(salon).values()} == {0}
    assert len(salon.execute("select 1 from dashboard.outbox")) == 1


def test_a_look_beside_a_reaction_keeps_the_cursor(salon: Salon) -> None:
    cursor = react(salon).cursor
    salon.execute("update wishlist_v2 set comment = 'B' where id = 1")
    with in_the_middle(salon) as process:
        # The reaction has read B; the ledger says what stood before, as the wish does now again.
        salon.execute("update wishlist_v2 set comment = null where id = 1")
        tick = look(salon, cursor)
        assert tick == WishTick(changed=0, cursor=cursor, is_busy=True)
    assert process.wait() == 0
    assert look(salon, tick.cursor).changed == 1
    assert react(salon, tick.cursor).changed == 1


def test_a_build_delays_only_wishes_that_bear_on_an_offer(salon: Salon) -> None:
    salon.wish("once", 9, "2026-03-20", "2026-02-21 10:00+00")
    waits = threading.Event()
    with hold_build_lock(salon.url):
        thread = threading.Thread(
            target=react_to_wishes, args=(salon.url,),
            kwargs={"as_of": NOON, "cursor": None, "is_applied": True, "announce": lambda line: waits.set()},
        )  # fmt: skip
        thread.start()
        assert waits.wait(30)
        assert set(ledger(salon)) == {9}
        assert look(salon).changed == 2
        assert offers(salon) == {}
    thread.join()
    assert set(ledger(salon)) == {1, 2, 9}
    assert offers(salon) == {"first waiting": "pending"}


def test_the_same_wish_number_of_another_salon_is_its_own(salon: Salon) -> None:
    salon.execute("alter table wishlist_v2 drop constraint wishlist_v2_pkey")
    cursor = react(salon).cursor
    salon.execute(
        "insert into wishlist_v2 (id, tenant_id, user_id, item_type, item_id, meta) "
        "select id, %s, %s, item_type, item_id, meta from wishlist_v2 where id = 1",
        [make_id("other"), make_id("stranger")],
    )
    assert look(salon, cursor).changed == 1
    report = react(salon, cursor)
    assert (report.new, report.changed, report.offers_queued, report.offers_ended) == (1, 0, 0, 0)
    rows = salon.execute(
        "select tenant_id, changes_count, offers_count from dashboard.wish_reactions where wish_id = 1"
    )
    assert {(row["tenant_id"], row["changes_count"], row["offers_count"]) for row in rows} == {
        (make_id("salon"), 0, 1), (make_id("other"), 0, 0),
    }  # fmt: skip


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_a_server_with_another_isolation_makes_no_difference(salon: Salon, isolation: str) -> None:
    with psycopg.connect(salon.url, autocommit=True) as connection:
        connection.execute(
            psycopg.sql.SQL("alter database {} set default_transaction_isolation = {}").format(
                psycopg.sql.Identifier(connection.info.dbname), psycopg.sql.Literal(isolation)
            )
        )
    with in_the_middle(salon) as process:
        late: list[WishReport] = []
        thread = threading.Thread(target=lambda: late.append(react(salon, is_applied=False)))
        thread.start()
        wait_until(salon, f"select 1 from pg_locks where {HELD} and not granted")
    assert process.wait() == 0
    thread.join()
    assert late[0].wishes == 0


@dataclass(frozen=True)
class Shared:
    """One database for all examples, sessions of bots that write into it, and one of somebody who looks."""

    workshop: Workshop
    bots: list[psycopg.Connection[Any]]
    reader: psycopg.Connection[Any]


@pytest.fixture
def shared(workshop: Workshop) -> Iterator[Shared]:
    """One database for all examples."""
    workshop.add_tenant()
    workshop.add_client()
    react(workshop)
    with ExitStack() as stack:
        bots = [stack.enter_context(psycopg.connect(workshop.url)) for _ in range(BOTS)]
        yield Shared(workshop, bots, stack.enter_context(psycopg.connect(workshop.url, autocommit=True)))


BOTS, WISHES = 3, 3
steps = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["write", "write in a savepoint", "roll a savepoint back", "delete"]),
            st.integers(0, BOTS - 1), st.integers(1, WISHES), st.sampled_from("ABC"),
        ),
        st.tuples(st.sampled_from(["commit", "roll back"]), st.integers(0, BOTS - 1), st.just(0), st.just("")),
        st.tuples(
            st.sampled_from(["look", "look", "look", "react", "die", "restart", "lose"]),
            st.just(0), st.just(0), st.just(""),
        ),
    ),
    min_size=10,
    max_size=25,
)  # fmt: skip


@given(steps=steps)
def test_every_version_that_stands_at_a_reaction_is_reacted_to_once(
    shared: Shared, steps: list[tuple[str, int, int, str]]
) -> None:
    bots, reader = shared.bots, shared.reader
    reader.execute("delete from wishlist_v2")
    reader.execute("delete from dashboard.wish_reactions")
    committed: dict[int, str] = {}
    reacted: dict[int, str] = {}
    pending: list[dict[int, str | None]] = [{} for _ in range(BOTS)]
    cursors: list[str | None] = [None]
    with reader.transaction():
        for wish in range(1, WISHES + 1):
            write(reader, wish, "A")
            committed[wish] = "A"
    try:
        for step, bot, wish, comment in [("react", 0, 0, ""), *steps, ("react", 0, 0, "")]:
            if wish and any(wish in writes for number, writes in enumerate(pending) if number != bot):
                continue  # would wait for the other bot
            match step:
                case "write" | "write in a savepoint":
                    if step == "write":
                        write(bots[bot], wish, comment)
                    else:
                        # The transaction has a number before the savepoint takes a later one.
                        bots[bot].execute("select pg_current_xact_id()")
                        with bots[bot].transaction():
                            write(bots[bot], wish, comment)
                    pending[bot][wish] = comment
                case "roll a savepoint back":
                    bots[bot].execute("select 1")
                    with bots[bot].transaction(force_rollback=True):
                        write(bots[bot], wish, comment)
                case "delete":
                    bots[bot].execute("delete from wishlist_v2 where id = %s", [wish])
                    pending[bot][wish] = None
                case "commit":
                    bots[bot].commit()
                    committed.update({key: value for key, value in pending[bot].items() if value is not None})
                    for gone in [key for key, value in pending[bot].items() if value is None]:
                        committed.pop(gone, None)
                    pending[bot] = {}
                case "roll back":
                    bots[bot].rollback()
                    pending[bot] = {}
                case "look":
                    tick = look_for_wishes(reader, cursors[-1])
                    assert tick.changed == len(compare(committed, reacted))
                    cursors.append(tick.cursor)
                case "react" | "die":
                    # As the sensor does: the cursor moves on before anybody knows what comes of the run.
                    cursors.append(look_for_wishes(reader, cursors[-1]).cursor)
                    if step == "react":
                        report = react(shared.workshop, cursors[-1 - len(steps) % 2], is_applied=False)
                        expected = compare(committed, reacted)
                        assert (report.new, report.changed, report.deleted) == tuple(
                            expected.count(what) for what in ("new", "changed", "gone")
                        )
                        reacted = dict(committed)
                case "restart":
                    cursors.append(cursors[len(cursors) // 2])
                case "lose":
                    cursors.append(None)
    finally:
        for connection in bots:
            connection.rollback()


def write(bot: psycopg.Connection[Any], wish: int, comment: str) -> None:
    bot.execute(
        "insert into wishlist_v2 (id, tenant_id, user_id, item_type, item_id, comment, created_at) "
        "values (%s, %s, %s, 'a', 'b', %s, '2026-01-01') on conflict (id) do update set comment = excluded.comment",
        [wish, make_id("salon"), make_id("client"), comment],
    )


def compare(committed: dict[int, str], reacted: dict[int, str]) -> list[str]:
    """Return what a reaction has to find."""
    found = ["new" if wish not in reacted else "changed" for wish in committed if committed[wish] != reacted.get(wish)]
    return found + ["gone"] * len(reacted.keys() - committed.keys())
