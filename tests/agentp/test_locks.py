"""The lock of builds: builders' alone, told of who waits for it, gone with its holder."""

from __future__ import annotations

import threading

import psycopg
import pytest

from agentp.database import open_connection
from agentp.errors import BuildError
from agentp.locks import BUILDS, hold_build_lock, is_lock_held, take_lock
from agentp.sessions import describe_holders, shorten_query
from tests.support.marts import Workshop
from tests.support.readers import make_login


def test_no_login_without_a_builders_rights_holds_up_a_build(workshop: Workshop) -> None:
    with psycopg.connect(workshop.url, autocommit=True) as owner, hold_build_lock(workshop.url):
        stranger = make_login(owner)
    with psycopg.connect(workshop.url, autocommit=True) as owner, stranger.connect(workshop.url) as session:
        # Whatever number of advisory locks it takes: builds ask for none.
        session.execute("select pg_advisory_lock(7203715001 + n) from generate_series(0, 99) as n")
        with session.transaction():
            for mode in ("access share", "exclusive"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), session.transaction():
                    session.execute(f"lock table build.lock_{BUILDS} in {mode} mode".encode())
        with hold_build_lock(workshop.url, announce=pytest.fail):
            assert owner.execute("select 1").fetchone()
        owner.execute(f"drop role {stranger.name}".encode())


def test_who_waits_is_told_who_builds_since_when_and_what(workshop: Workshop) -> None:
    told: list[str] = []
    waits, has = threading.Event(), threading.Event()

    def wait() -> None:
        def hear(line: str) -> None:
            told.append(line)
            waits.set()

        with hold_build_lock(workshop.url, announce=hear):
            has.set()

    with open_connection(workshop.url, autocommit=True) as holder:
        take_lock(holder, BUILDS, purpose="score")
        thread = threading.Thread(target=wait)
        thread.start()
        assert waits.wait(20)
        assert f"pid {holder.info.backend_pid} of " in told[0]
        assert "(agentp score, since 20" in told[0]
        # It idles as long as its work takes elsewhere, and keeps no row from being vacuumed.
        assert holder.execute("show idle_in_transaction_session_timeout").fetchone() == ("0",)
        [row] = workshop.execute(
            "select backend_xid is null and backend_xmin is null as holds_nothing from pg_stat_activity where pid = %s",
            [holder.info.backend_pid],
        )
        assert row["holds_nothing"]
        # Its process dies: the lock is gone at once.
        workshop.execute("select pg_terminate_backend(%s)", [holder.info.backend_pid])
        assert has.wait(20)
        assert not is_lock_held(holder)
        holder.close()
    thread.join(20)
    assert len(told) == 1


def test_a_lock_that_was_lost_is_noticed_in_the_end(workshop: Workshop) -> None:
    holder = f"select pg_terminate_backend(pid) from pg_locks where relation = 'build.lock_{BUILDS}'::regclass"
    with pytest.raises(BuildError, match="ended before the work did"), hold_build_lock(workshop.url):
        workshop.execute(holder)


def test_who_waits_for_another_table_of_builds_is_not_told_of_its_own_build(workshop: Workshop) -> None:
    with hold_build_lock(workshop.url), open_connection(workshop.url) as connection:
        assert describe_holders(connection, schemas=["build"]) == "nobody holds it any more"
        with psycopg.connect(workshop.url) as other:
            other.execute("lock table build.runs in share mode")
            assert f"pid {other.info.backend_pid} of" in describe_holders(connection, schemas=["build"])


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (
            "select *  -- Anna\nfrom clients where name = 'Anna' and note = $x$it's$x$ and phone like '+7 916 123",
            "select * from clients where name = '…' and note = '…' and phone like '…'",
        ),
        (r"select E'O\'Brien, Anna', e'\\', 'Anna'", "select '…', '…', '…'"),
        ("select '--', 'Anna' -- Anna's\nfrom x /* it's Anna", "select '…', '…' from x"),
        ('select "it\'s", \'Anna\' from "x--y"', 'select "it\'s", \'…\' from "x--y"'),
    ],
)
def test_of_statements_of_others_no_constant_is_told(query: str, told: str) -> None:
    assert shorten_query(query) == told
