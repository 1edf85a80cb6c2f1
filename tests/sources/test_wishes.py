"""Which wishes are seen, whatever the order of ids, commits, savepoints and servers (issue 5)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

from activation.schema import prepare_tables
from agentp.errors import RawTablesError
from systems.agent_p.wishes import (
    TABLE,
    count_changed_wishes,
    note_changed_wishes,
    read_changed_wishes,
    widen_xid,
)
from tests.support.marts import Workshop, make_id

EPOCH = 2**32


@pytest.fixture
def bot(workshop: Workshop) -> Workshop:
    """Two salons with a client each, and an empty ledger."""
    for name in ("salon", "other"):
        workshop.add_tenant(name)
        workshop.add_client(name, f"client of {name}")
    with psycopg.connect(workshop.url) as connection:
        prepare_tables(connection)
    return workshop


def wish(
    bot: Workshop | psycopg.Connection[Any], wish_id: int, *, tenant: str | None = "salon", **columns: Any
) -> None:
    row = {
        "id": wish_id, "tenant_id": tenant and make_id(tenant), "user_id": make_id(f"client of {tenant or 'salon'}"),
        "item_type": "slot_waiting", "item_id": "service_s1", "created_at": "2026-02-21 10:00+00", **columns,
    }  # fmt: skip
    statement = sql.SQL("insert into wishlist_v2 ({}) values ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(sql.Placeholder() * len(row))
    )
    bot.execute(statement, list(row.values()))  # type: ignore[arg-type]


def look(bot: Workshop, cursor: str | None, *, is_marked: bool = True) -> tuple[list[tuple[str, int, str]], str]:
    """Return salon, wish and what became of it, and the next cursor; enter them into the ledger unless told not to."""
    with psycopg.connect(bot.url) as connection:
        changes = read_changed_wishes(connection, cursor)
        assert count_changed_wishes(connection, cursor).count == len(changes.wishes)
        if is_marked:
            assert note_changed_wishes(connection, cursor).count == len(changes.wishes)
            connection.execute(
                "insert into dashboard.wish_reactions (tenant_id, wish_id, fingerprint, reacted_at, is_deleted) "
                "select tenant_id, wish_id, fingerprint, now(), is_deleted from changed_wishes "
                "on conflict (tenant_id, wish_id) do update "
                "set fingerprint = excluded.fingerprint, is_deleted = excluded.is_deleted"
            )
        names = {str(make_id(name)): name for name in ("salon", "other")}
        whats = ["gone" if change.is_deleted else "new" if change.is_new else "changed" for change in changes.wishes]
        return [
            (names[change.tenant_id], change.wish_id, what) for change, what in zip(changes.wishes, whats, strict=True)
        ], changes.cursor


def test_a_new_wish_is_seen_once(bot: Workshop) -> None:
    wish(bot, 1)
    found, cursor = look(bot, None)
    assert found == [("salon", 1, "new")]
    wish(bot, 2)
    assert look(bot, cursor)[0] == [("salon", 2, "new")]
    assert look(bot, cursor)[0] == []


@pytest.mark.parametrize(
    "change",
    [
        "status = 'cancelled'", "processed_at = '2026-03-01'", "amount = 'NaN'", "meta = '{\"date\": \"2026-03-05\"}'",
        "comment = ''", "source = 'bot'", "item_id = 'service_s2'", "item_type = 'x'", "created_at = 'infinity'",
    ],
)  # fmt: skip
def test_a_changed_wish_is_seen_once_more(bot: Workshop, change: str) -> None:
    wish(bot, 1)
    _, cursor = look(bot, None)
    bot.execute(f"update wishlist_v2 set {change}")
    assert look(bot, cursor)[0] == [("salon", 1, "changed")]
    assert look(bot, cursor)[0] == []


@pytest.mark.parametrize("change", ["comment = comment", "updated_at = now()"])
def test_an_update_that_changes_nothing_is_not_seen(bot: Workshop, change: str) -> None:
    wish(bot, 1)
    _, cursor = look(bot, None)
    bot.execute(f"update wishlist_v2 set {change}")
    assert look(bot, cursor)[0] == []


def test_a_deleted_wish_is_seen_once_and_is_new_when_it_comes_back(bot: Workshop) -> None:
    wish(bot, 1)
    wish(bot, 2)
    _, cursor = look(bot, None)
    bot.execute("delete from wishlist_v2 where id = 1")
    wish(bot, 3)
    assert look(bot, cursor)[0] == [("salon", 1, "gone"), ("salon", 3, "new")]
    assert look(bot, cursor)[0] == []
    wish(bot, 1)
    assert look(bot, cursor)[0] == [("salon", 1, "new")]


def test_a_wish_that_moves_to_another_salon_is_gone_there_and_new_here(bot: Workshop) -> None:
    wish(bot, 1)
    _, cursor = look(bot, None)
    bot.execute("update wishlist_v2 set tenant_id = %s", [make_id("other")])
    assert sorted(look(bot, cursor)[0]) == [("other", 1, "new"), ("salon", 1, "gone")]


# Changes, not new wishes, where a cursor is on trial: a new one that the cursor passed would be missed in the count.
def test_what_began_before_the_cursor_and_commits_after_it_is_seen(bot: Workshop) -> None:
    for wish_id in (6, 7):
        wish(bot, wish_id)
    look(bot, None)
    for early_write, expected in (
        ("update wishlist_v2 set comment = 'early' where id = 6", ("salon", 6, "changed")),
        ("update wishlist_v2 set id = 5 where id = 6", ("salon", 5, "new")),
    ):
        with psycopg.connect(bot.url) as early:
            early.execute(early_write)
            bot.execute("update wishlist_v2 set comment = coalesce(comment, '') || 'later' where id = 7")
            found, cursor = look(bot, None)
            assert found == [("salon", 7, "changed")]
            early.commit()
        assert expected in look(bot, cursor)[0]


@pytest.mark.parametrize("how", ["savepoint", "exception block"])
def test_what_was_written_under_a_savepoint_is_seen(bot: Workshop, how: str) -> None:
    for wish_id in (1, 2):
        wish(bot, wish_id)
    look(bot, None)
    with psycopg.connect(bot.url) as early:
        early.execute("select pg_current_xact_id()")
        if how == "savepoint":
            with early.transaction():
                early.execute("update wishlist_v2 set comment = 'x' where id = 1")
        else:
            early.execute(
                "do $$ begin perform 1 / 0; exception when division_by_zero then "
                "begin update wishlist_v2 set comment = 'x' where id = 1; exception when others then null; end; end $$"
            )
        bot.execute("update wishlist_v2 set comment = 'y' where id = 2")
        found, cursor = look(bot, None)
        assert found == [("salon", 2, "changed")]
        early.commit()
    assert look(bot, cursor)[0] == [("salon", 1, "changed")]


def test_ids_and_times_out_of_order_are_seen(bot: Workshop) -> None:
    wish(bot, 100)
    _, cursor = look(bot, None)
    wish(bot, 5, created_at="1999-01-01")
    wish(bot, -3, created_at="2999-01-01")
    assert look(bot, cursor)[0] == [("salon", -3, "new"), ("salon", 5, "new")]


def test_a_long_transaction_delays_no_other(bot: Workshop) -> None:
    with psycopg.connect(bot.url) as lasting:
        lasting.execute("select pg_current_xact_id()")
        _, cursor = look(bot, None)
        wish(bot, 1)
        for comment, what in (("x", "new"), ("y", "changed"), ("z", "changed")):
            bot.execute("update wishlist_v2 set comment = %s", [comment])
            found, cursor = look(bot, cursor)
            assert found == [("salon", 1, what)]


@pytest.mark.parametrize("cursor", [None, "", "nonsense", "12", "0" * 32 + ":1", "0" * 32 + ":999999999999999999"])
def test_without_a_cursor_that_means_something_nothing_is_missed_and_nothing_repeated(
    bot: Workshop, cursor: str | None
) -> None:
    wish(bot, 1)
    look(bot, None)
    wish(bot, 2)
    assert look(bot, cursor)[0] == [("salon", 2, "new")]
    assert look(bot, cursor)[0] == []


@pytest.mark.parametrize(("is_other", "ahead"), [(True, 1), (False, 10**6)])
def test_a_cursor_of_another_life_of_the_server_or_ahead_of_it_misses_nothing(
    bot: Workshop, is_other: bool, ahead: int
) -> None:
    wish(bot, 1)
    look(bot, None)
    bot.execute("update wishlist_v2 set comment = 'x'")
    with psycopg.connect(bot.url) as connection:
        written_by = connection.execute("select max(xmin::text::bigint) from wishlist_v2").fetchone()
    assert written_by is not None
    # Of this life, and not ahead, it would pass the wish by.
    life = "f" * 32 if is_other else look(bot, None, is_marked=False)[1].partition(":")[0]
    assert look(bot, f"{life}:{written_by[0] + ahead}")[0] == [("salon", 1, "changed")]


def test_a_cursor_spares_rows_before_it(bot: Workshop) -> None:
    wish(bot, 1)
    _, cursor = look(bot, None)
    _, cursor = look(bot, cursor)
    bot.execute("update dashboard.wish_reactions set fingerprint = 'another'")
    assert look(bot, cursor, is_marked=False)[0] == []
    assert look(bot, None, is_marked=False)[0] == [("salon", 1, "changed")]


def test_a_cursor_does_not_pass_what_nobody_has_reacted_to(bot: Workshop) -> None:
    wish(bot, 1)
    _, cursor = look(bot, None)
    bot.execute("update wishlist_v2 set comment = 'x'")
    for _ in range(3):
        found, cursor = look(bot, cursor, is_marked=False)
        assert found == [("salon", 1, "changed")]
        bot.execute("select pg_current_xact_id()")


def test_a_ledger_that_was_emptied_makes_every_wish_seen(bot: Workshop) -> None:
    wish(bot, 1)
    _, cursor = look(bot, None)
    _, cursor = look(bot, cursor)
    bot.execute("truncate dashboard.wish_reactions")
    assert look(bot, cursor)[0] == [("salon", 1, "new")]


def test_before_there_is_a_ledger_every_wish_is_new(bot: Workshop) -> None:
    bot.execute("drop table dashboard.wish_reactions cascade")
    wish(bot, 1)
    _, cursor = look(bot, None, is_marked=False)
    assert look(bot, cursor, is_marked=False)[0] == [("salon", 1, "new")]


def test_the_same_wish_of_another_salon_is_its_own(bot: Workshop) -> None:
    bot.execute("alter table wishlist_v2 drop constraint wishlist_v2_pkey")
    wish(bot, 1, tenant="other")
    _, cursor = look(bot, None)
    wish(bot, 1)
    bot.execute("update wishlist_v2 set user_id = %s", [make_id("client of other")])
    assert look(bot, cursor)[0] == [("salon", 1, "new")]
    bot.execute("delete from wishlist_v2 where tenant_id = %s", [make_id("salon")])
    assert look(bot, cursor)[0] == [("salon", 1, "gone")]


def test_rows_of_nobody_and_rows_without_a_key_do_no_harm(bot: Workshop) -> None:
    bot.execute("alter table wishlist_v2 drop constraint wishlist_v2_pkey, alter tenant_id drop not null")
    bot.execute("alter table wishlist_v2 alter id drop not null")
    wish(bot, 1, tenant=None)
    bot.execute("insert into wishlist_v2 select null, %s, user_id, 'a', 'b' from wishlist_v2", [make_id("salon")])
    assert look(bot, None)[0] == []
    for comment in ("one", "the other"):
        wish(bot, 2, comment=comment)
    with psycopg.connect(bot.url) as connection:
        assert note_changed_wishes(connection, None).count == 1


def test_odd_values_have_fingerprints(bot: Workshop) -> None:
    for number, (name, value) in enumerate(
        [
            ("amount", "NaN"), ("amount", "-Infinity"), ("created_at", "-infinity"), ("processed_at", "4713-01-01 BC"),
            ("comment", 'a,"b"\\(),'), ("meta", "[]"), ("meta", "null"), ("source", ""), ("source", None),
        ]
    ):  # fmt: skip
        wish(bot, number, **{name: value})
    with psycopg.connect(bot.url) as connection:
        wishes = read_changed_wishes(connection, None).wishes
    assert len({change.fingerprint for change in wishes}) == 9
    look(bot, None)
    with psycopg.connect(bot.url) as connection:
        connection.execute("set timezone = 'Asia/Kamchatka'; set datestyle = 'German'; set extra_float_digits = -5")
        assert read_changed_wishes(connection, None).wishes == ()


def test_the_old_shape_is_read_and_migrating_changes_no_wish(bot: Workshop) -> None:
    bot.execute("alter table wishlist_v2 drop column status, drop column processed_at, drop column amount")
    wish(bot, 1)
    assert look(bot, None)[0] == [("salon", 1, "new")]
    bot.migrate()
    assert look(bot, None)[0] == []


@pytest.mark.parametrize("change", ["drop table wishlist_v2 cascade", "alter table wishlist_v2 rename meta to extra"])
def test_a_missing_table_or_column_is_told(bot: Workshop, change: str) -> None:
    bot.execute(change)
    with psycopg.connect(bot.url) as connection, pytest.raises(RawTablesError, match=f"{TABLE} (is not|lacks meta)"):
        count_changed_wishes(connection, None)


def test_counting_and_reading_write_nothing(bot: Workshop) -> None:
    wish(bot, 1)
    with psycopg.connect(bot.url) as connection:
        connection.execute("set transaction read only")
        count_changed_wishes(connection, None)
        read_changed_wishes(connection, None)
        assert connection.execute("select pg_current_xact_id_if_assigned()").fetchone() == (None,)


@pytest.mark.parametrize(
    ("xid", "next_xid", "wide"),
    [
        (3, 10, 3),
        (EPOCH - 1, 10, EPOCH - 1),  # in the first epoch there is none before: looked at, not missed
        (EPOCH - 1, EPOCH, EPOCH - 1),
        (3, EPOCH + 4, EPOCH + 3),
        (4, EPOCH + 4, EPOCH + 4),
        (5, EPOCH + 4, 5),
        (EPOCH - 1, EPOCH + 4, EPOCH - 1),
        (EPOCH - 1, 2 * EPOCH - 1, 2 * EPOCH - 1),
        (EPOCH - 2, 2 * EPOCH - 1, 2 * EPOCH - 2),
        (3, 2 * EPOCH - 1, EPOCH + 3),
        (EPOCH - 1, 7 * EPOCH + 3, 7 * EPOCH - 1),
    ],
)
def test_a_transaction_number_is_widened_by_what_comes_next(
    workshop: Workshop, xid: int, next_xid: int, wide: int
) -> None:
    numbers = [sql.SQL("{}::bigint").format(sql.Literal(number)) for number in (xid, next_xid)]
    query = sql.SQL("select {}").format(widen_xid(numbers[0], next_xid=numbers[1]))
    with psycopg.connect(workshop.url) as connection:
        assert connection.execute(query).fetchone() == (wide,)
