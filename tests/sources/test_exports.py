"""Loading exports: all or none, twice changes nothing, and every fault has its line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from agentp.database import open_connection
from agentp.errors import LoadError
from sources.exports import LoadReport, load_exports
from sources.migrations import apply_migrations
from systems.agent_p import SYSTEM

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
SESSION = "33333333-3333-4333-8333-333333333333"
OTHER_SESSION = "44444444-4444-4444-8444-444444444444"
STRANGER = "99999999-9999-4999-8999-999999999999"
TIME = "2026-01-31 09:00:00+00"

TENANTS = f"id,name,metadata\n{TENANT},Salon,{{}}\n"
CLIENTS = f"id,tenant_id,full_name\n{CLIENT},{TENANT},Anna\n"
SESSIONS = (
    "id,session_id,tenant_id,user_id,channel,started_at,final_status\n"
    f"1,{SESSION},{TENANT},{CLIENT},telegram,{TIME},done\n"
)
HISTORY_HEADER = "id,tenant_id,user_id,session_id,role,message,created_at\n"

Connection = psycopg.Connection[Any]


@pytest.fixture
def legacy(database_url: str) -> Iterator[Connection]:
    """Yield a connection to a database with the raw tables as the bots have them today."""
    with open_connection(database_url, autocommit=True) as connection:
        apply_migrations(connection, SYSTEM, last=SYSTEM.oldest_migration)
        yield connection


@pytest.fixture(scope="module")
def migrated_url(make_database: Callable[[str | None], str]) -> str:
    """Return the URL of a migrated database that the module's tests share: making one takes longer than a test."""
    url = make_database(None)
    with open_connection(url, autocommit=True) as connection:
        apply_migrations(connection, SYSTEM)
    return url


@pytest.fixture
def database(migrated_url: str) -> Iterator[Connection]:
    """Yield a connection to the migrated database, emptied."""
    with open_connection(migrated_url, autocommit=True) as connection:
        with connection.transaction():
            for table in reversed(list(SYSTEM.by_name)):
                connection.execute(f"delete from {table}")
            for queue in ("changed_clients", "unchecked_clients"):
                connection.execute(f"delete from change_tracking.{queue}")
            connection.execute("select setval(oid::regclass, 1, false) from pg_class where relkind = 'S'")
        yield connection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one tenant, one client and one session."""
    return write_folder(
        tmp_path, {"tenants_v2.csv": TENANTS, "clients_v2.csv": CLIENTS, "conversation_sessions_v2.csv": SESSIONS}
    )


def write_folder(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def message(number: int, text: str = "hello", *, session: str = SESSION, user: str = CLIENT, time: str = TIME) -> str:
    return f"{number},{TENANT},{user},{session},user,{text},{time}\n"


def write_history(folder: Path, *rows: str, header: str = HISTORY_HEADER) -> None:
    write_folder(folder, {"recent_history_v2.csv": header + "".join(rows)})


def quote_csv(rows: list[list[str]]) -> str:
    target = io.StringIO()
    csv.writer(target, quoting=csv.QUOTE_MINIMAL, lineterminator="\n").writerows(rows)
    return target.getvalue()


def fail(connection: Connection, folder: Path) -> str:
    """Return the message of the load's failure, once it is sure that the database is as before."""
    before = read_state(connection)
    with pytest.raises(LoadError) as caught:
        load_exports(connection, folder)
    assert read_state(connection) == before
    assert caught.value.cure
    return caught.value.message


def read_state(connection: Connection) -> list[tuple[Any, ...]]:
    """Return every raw row with the transaction that wrote it."""
    state: list[tuple[Any, ...]] = []
    for table in ("tenants_v2", "clients_v2", "conversation_sessions_v2", "recent_history_v2", "wishlist_v2"):
        state += connection.execute(f"select '{table}', xmin::text, t::text from {table} as t order by 3").fetchall()
    return state


def count(connection: Connection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    assert row is not None
    return int(row[0])


def get_message(connection: Connection, number: int = 1) -> str:
    row = connection.execute("select message from recent_history_v2 where id = %s", (number,)).fetchone()
    assert row is not None
    return str(row[0])


def summarize(report: LoadReport) -> list[tuple[str, int, int, int]]:
    return [(t.table, t.rows_inserted, t.rows_updated, t.rows_unchanged) for t in report.tables]


def test_a_folder_loads_in_the_order_of_its_foreign_keys(database: Connection, folder: Path) -> None:
    write_history(folder, message(1), message(2, session=""))
    report = load_exports(database, folder)
    assert summarize(report) == [
        ("tenants_v2", 1, 0, 0),
        ("clients_v2", 1, 0, 0),
        ("conversation_sessions_v2", 1, 0, 0),
        ("recent_history_v2", 2, 0, 0),
    ]
    assert report.tables[3].file == "recent_history_v2.csv"
    assert report.tables[3].rows_read == 2
    assert report.warnings == ()


def test_a_second_load_changes_no_row_and_wakes_no_trigger(database: Connection, folder: Path) -> None:
    write_history(folder, message(1), message(2, session=""))
    load_exports(database, folder)
    before = read_state(database), count(database, "change_tracking.changed_clients")
    report = load_exports(database, folder)
    assert (read_state(database), count(database, "change_tracking.changed_clients")) == before
    assert summarize(report)[3] == ("recent_history_v2", 0, 0, 2)


def test_only_the_rows_that_differ_are_written(database: Connection, folder: Path) -> None:
    write_history(folder, message(1), message(2))
    load_exports(database, folder)
    database.execute("update recent_history_v2 set meta = '{\"kept\": 1}'")
    before = read_state(database)
    write_history(folder, message(1), message(2, "changed"), message(3))
    assert summarize(load_exports(database, folder))[3] == ("recent_history_v2", 1, 1, 1)
    assert before[3] in read_state(database)
    assert database.execute("select message, meta from recent_history_v2 where id = 2").fetchone() == (
        "changed",
        {"kept": 1},
    )


def test_a_fault_in_the_last_table_leaves_the_first_ones_empty(database: Connection, folder: Path) -> None:
    write_history(folder, message(1, time="yesterday-ish"))
    fail(database, folder)
    assert count(database, "tenants_v2") == 0


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_bad_value_is_named_with_the_line_an_editor_shows(
    database: Connection, folder: Path, start: str, end: str
) -> None:
    text = HISTORY_HEADER + message(1, f'"two{chr(10)}""lines"""') + message(2) + message(3, time="soon")
    write_folder(folder, {"recent_history_v2.csv": (start + text.replace("\n", end)).encode()})
    assert fail(database, folder) == (
        'recent_history_v2.csv, line 5, column created_at: found "soon", expected '
        "a timestamp with time zone such as 2026-01-31 09:00:00+00."
    )


def test_a_value_after_a_quoted_newline_of_its_own_row_has_its_own_line(database: Connection, folder: Path) -> None:
    write_history(folder, message(1, '"a\n\nb"', time="soon"))
    assert "line 4, column created_at" in fail(database, folder)


def test_lone_newlines_within_a_crlf_file_are_counted_as_lines(database: Connection, folder: Path) -> None:
    rows = message(1, '"a\rb"') + message(2, "@") + message(3, time="soon")
    text = (HISTORY_HEADER + rows).replace("\n", "\r\n").replace("@", '"x\ny\nz"')
    write_folder(folder, {"recent_history_v2.csv": text})
    assert "line 6, column created_at" in fail(database, folder)


@pytest.mark.parametrize(
    ("table", "column", "value", "expected"),
    [
        ("recent_history_v2", "tenant_id", "12", 'found "12", expected a UUID such as'),
        ("recent_history_v2", "id", "1.0", 'found "1.0", expected a whole number from'),
        ("recent_history_v2", "id", "", "found (no value), expected a whole number"),
        ("recent_history_v2", "id", "9223372036854775808", "expected a whole number from -9223372036854775808"),
        ("recent_history_v2", "user_id", '""', 'found "", expected a UUID'),
        ("recent_history_v2", "created_at", "2026-02-30", 'found "2026-02-30", expected a timestamp'),
        ("recent_history_v2", "meta", '"{""a"": }"', "expected JSON such as"),
        ("recent_history_v2", "meta", '"{""a"": ""\\u0000""}"', "expected JSON without the escape \\u0000"),
        ("conversation_sessions_v2", "duration_sec", "99999999999", "expected a whole number from -2147483648"),
        ("conversation_sessions_v2", "booking_amount", "1 500", 'found "1 500", expected a number such as 1500.00'),
        ("conversation_sessions_v2", "session_id", "", "found (no value), expected a UUID"),
        ("tenants_v2", "is_active", "maybe", 'found "maybe", expected true or false'),
        ("wishlist_v2", "status", "lost", 'found "lost", expected one of pending, converted, cancelled'),
    ],
)
def test_each_kind_of_bad_value_says_what_was_expected(
    database: Connection, folder: Path, table: str, column: str, value: str, expected: str
) -> None:
    row = {
        "tenants_v2": {"id": TENANT, "name": "Salon"},
        "conversation_sessions_v2": {
            "session_id": SESSION,
            "tenant_id": TENANT,
            "user_id": CLIENT,
            "channel": "telegram",
            "started_at": TIME,
            "final_status": "done",
        },
        "recent_history_v2": {"id": "7", "tenant_id": TENANT, "user_id": CLIENT, "role": "user", "message": "hi"},
        "wishlist_v2": {"id": "7", "tenant_id": TENANT, "user_id": CLIENT, "item_type": "slot", "item_id": "1"},
    }[table]
    row[column] = value
    text = ",".join(row) + "\n" + ",".join(row.values()) + "\n"
    write_folder(folder, {f"{table}.csv": text})
    found = fail(database, folder)
    assert found.startswith(f"{table}.csv, line 2, column {column}: ")
    assert expected in found


def test_long_values_are_cut_and_secrets_are_not_shown(database: Connection, folder: Path) -> None:
    write_history(folder, message(1, time="x" * 500))
    assert '"' + "x" * 80 + '…"' in fail(database, folder)
    secret = '"{""user_token"": ""hunter2"""'
    write_folder(folder, {"tenants_v2.csv": f"id,name,metadata\n{TENANT},Salon,{secret}\n"})
    found = fail(database, folder)
    assert "line 2, column metadata" in found
    assert "hunter2" not in found
    write_folder(folder, {"tenants_v2.csv": f"id,name,created_at\n{TENANT},Salon,{secret}\n"})
    assert "hunter2" not in fail(database, folder)
    write_folder(folder, {"tenants_v2.csv": f"{TENANT},Salon,{secret}\n"})
    assert "hunter2" not in fail(database, folder)


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("clients_v2", {"id": CLIENT, "tenant_id": TENANT, "full_name": "Anna\0"}),
        ("clients_v2", {"id": CLIENT, "tenant_id": TENANT, "phone": ["Anna"]}),
        ("clients_v2", {"id": CLIENT, "tenant_id": TENANT, "meta": {"name": "Anna\0"}}),
        ("clients_v2", {"id": "+79161234567 Anna@mail.example", "tenant_id": TENANT}),
        ("clients_v2", {"id": "ask 4111 1111 1111 1111", "tenant_id": TENANT}),
    ],
    ids=["name", "phone", "JSON", "number in another column", "card in another column"],
)
def test_what_belongs_to_a_person_is_not_shown(
    database: Connection, folder: Path, table: str, row: dict[str, Any]
) -> None:
    for path in folder.iterdir():
        if path.name.startswith(table):
            path.unlink()
    write_jsonl(folder, table, row)
    found = fail(database, folder)
    assert f"{table}.jsonl, line 1, column " in found
    for piece in ("Anna", "916", "4111 1", "mail.example"):
        assert piece not in found


def test_a_file_without_its_header_shows_none_of_its_first_row(database: Connection, folder: Path) -> None:
    write_folder(folder, {"clients_v2.csv": f"{CLIENT},{TENANT},Anna,89161234567\n"})
    found = fail(database, folder)
    assert "clients_v2.csv, line 1: no column of clients_v2 is named here" in found
    assert "Anna" not in found
    write_folder(folder, {"clients_v2.csv": f"id,{TENANT},Анна Иванова,8 916 1234567\n"})
    found = fail(database, folder)
    assert "clients_v2 has no column (a text of 36 characters), (a text of 12 characters)" in found


def test_a_failure_carries_no_report_of_the_server_with_whole_rows(database: Connection, folder: Path) -> None:
    write_history(folder, message(1, "private", time="soon"))
    with pytest.raises(LoadError) as caught:
        load_exports(database, folder)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("2,a,b\n", "line 3: the row has 3 fields, expected 7 as in the header"),
        (message(2, "one, two"), "line 3: the row has 8 fields, expected 7"),
        ("\n", "line 3: the row has 1 fields, expected 7"),
        (message(2, '"open'), "line 3: a quote opens a field here and is never closed"),
        (message(2, "a\rb"), "line 3: the row's line ends"),
    ],
)
def test_a_row_of_the_wrong_form_is_named(database: Connection, folder: Path, row: str, expected: str) -> None:
    write_history(folder, message(1), row, message(3))
    assert expected in fail(database, folder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"caf\xe9", "found (a text of 4 characters), expected UTF-8"),
        (b"a\0b", "found a NUL character in (a text of 3 characters), expected"),
    ],
)
def test_broken_text_is_named(database: Connection, folder: Path, text: bytes, expected: str) -> None:
    rows = HISTORY_HEADER + message(1, '"a\nb"') + message(2, "@") + message(3)
    write_folder(folder, {"recent_history_v2.csv": rows.encode().replace(b"@", text)})
    assert fail(database, folder).startswith(f"recent_history_v2.csv, line 4, column message: {expected}")


def test_unknown_columns_are_named_with_the_known_ones(database: Connection, folder: Path) -> None:
    write_folder(folder, {"clients_v2.csv": f"id,tenant_id,fullname,x\n{CLIENT},{TENANT},Anna,1\n"})
    found = fail(database, folder)
    assert 'clients_v2.csv: clients_v2 has no column "fullname", "x"; its columns are id, tenant_id' in found


def test_missing_required_columns_are_named(database: Connection, folder: Path) -> None:
    write_history(folder, f"{TENANT},{CLIENT},user\n", header="tenant_id,user_id,role\n")
    assert "lacks columns that recent_history_v2 requires: id, message." in fail(database, folder)


def test_repeated_columns_and_an_empty_file_are_refused(database: Connection, folder: Path) -> None:
    write_folder(folder, {"tenants_v2.csv": f"id,name,name\n{TENANT},a,b\n"})
    assert "more than once: name" in fail(database, folder)
    write_folder(folder, {"tenants_v2.csv": ""})
    assert "line 1: the file is empty" in fail(database, folder)


def test_a_header_alone_and_columns_in_any_order_are_welcome(database: Connection, folder: Path) -> None:
    write_folder(folder, {"tenants_v2.csv": f'name,"id"\nSalon,{TENANT}\n', "wishlist_v2.csv": ""})
    (folder / "wishlist_v2.csv").write_text("item_id,item_type,user_id,tenant_id,id")
    assert summarize(load_exports(database, folder))[-1] == ("wishlist_v2", 0, 0, 0)


def test_an_empty_field_is_null_or_the_default_or_empty_text(database: Connection, folder: Path) -> None:
    header = "id,tenant_id,user_id,session_id,role,channel,message,created_at\n"
    write_history(folder, f"1,{TENANT},{CLIENT},,user,,,\n", header=header)
    load_exports(database, folder)
    found = database.execute(
        "select session_id, channel, message, created_at > now() - interval '1 minute' from recent_history_v2"
    ).fetchone()
    assert found == (None, "unknown", "", True)
    before = read_state(database)
    load_exports(database, folder)
    assert read_state(database) == before


def test_rows_that_share_a_key_but_differ_are_named_with_both_lines(database: Connection, folder: Path) -> None:
    write_history(folder, message(1), message(2, '"a\nb"'), message(1, "other"))
    assert 'line 5, column id: lines 2 and 5 share id "1", but differ' in fail(database, folder)


def test_wholly_equal_rows_are_kept_once_with_a_warning(database: Connection, folder: Path) -> None:
    write_history(folder, message(1), message(2), message(1), message(1))
    report = load_exports(database, folder)
    assert report.warnings == (
        "recent_history_v2: 2 rows of recent_history_v2.csv repeat an earlier row; they were skipped",
    )
    assert summarize(report)[-1] == ("recent_history_v2", 2, 0, 2)
    assert count(database, "recent_history_v2") == 2


def test_a_second_unique_key_is_checked_in_the_file_and_in_the_database(database: Connection, folder: Path) -> None:
    row = SESSIONS.splitlines(keepends=True)[1]
    write_folder(folder, {"conversation_sessions_v2.csv": SESSIONS + "2" + row[1:]})
    assert "lines 2 and 3 share session_id" in fail(database, folder)
    write_folder(folder, {"conversation_sessions_v2.csv": SESSIONS})
    load_exports(database, folder)
    write_folder(folder, {"conversation_sessions_v2.csv": SESSIONS.replace("\n1,", "\n2,")})
    found = fail(database, folder)
    assert "line 2, column session_id" in found
    assert "is stored already, in a row of conversation_sessions_v2 with another id" in found


def test_sessions_without_id_are_known_by_their_session_id(database: Connection, folder: Path) -> None:
    lines = [line.split(",", 1)[1] for line in SESSIONS.splitlines()]
    write_folder(folder, {"conversation_sessions_v2.csv": "\n".join(lines)})
    assert summarize(load_exports(database, folder))[2] == ("conversation_sessions_v2", 1, 0, 0)
    assert summarize(load_exports(database, folder))[2] == ("conversation_sessions_v2", 0, 0, 1)
    changed = "\n".join(lines).replace("done", "abandoned")
    write_folder(folder, {"conversation_sessions_v2.csv": changed})
    assert summarize(load_exports(database, folder))[2] == ("conversation_sessions_v2", 0, 1, 0)


def test_a_reference_to_no_row_is_named(database: Connection, folder: Path) -> None:
    write_history(folder, message(1, '"a\nb"'), message(2, user=STRANGER))
    assert fail(database, folder) == (
        f'recent_history_v2.csv, line 4, column user_id: user_id "{STRANGER}" is in no row of clients_v2 '
        "(neither in the folder nor in the database)."
    )


def test_a_reference_to_a_row_of_an_earlier_load_holds(database: Connection, folder: Path, tmp_path: Path) -> None:
    load_exports(database, folder)
    later = tmp_path / "later"
    later.mkdir()
    write_history(later, message(1))
    assert summarize(load_exports(database, later)) == [("recent_history_v2", 1, 0, 0)]


def read_sessions_of_messages(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select id, session_id::text, legacy_session_id::text from recent_history_v2 order by id"
    ).fetchall()


def test_messages_of_no_archived_session_keep_their_value_until_it_arrives(database: Connection, folder: Path) -> None:
    write_history(folder, message(1), message(2, session=OTHER_SESSION))
    warning = (
        "recent_history_v2: 1 rows point at no row of conversation_sessions_v2; "
        "their value is kept in legacy_session_id"
    )
    assert load_exports(database, folder).warnings == (warning,)
    assert read_sessions_of_messages(database) == [(1, SESSION, None), (2, None, OTHER_SESSION)]
    before = read_state(database)
    assert load_exports(database, folder).warnings == (warning,)
    assert read_state(database) == before
    arrived = SESSIONS + f"2,{OTHER_SESSION},{TENANT},{CLIENT},telegram,{TIME},done\n"
    write_folder(folder, {"conversation_sessions_v2.csv": arrived})
    assert load_exports(database, folder).warnings == ()
    assert read_sessions_of_messages(database) == [(1, SESSION, None), (2, OTHER_SESSION, None)]


def test_a_legacy_session_id_is_not_lost_to_a_file_that_does_not_know_it(database: Connection, folder: Path) -> None:
    write_history(folder, message(1, session=OTHER_SESSION))
    load_exports(database, folder)
    write_history(folder, message(1, "changed", session=""))
    load_exports(database, folder)
    assert read_sessions_of_messages(database) == [(1, None, OTHER_SESSION)]
    write_history(
        folder,
        f"1,{TENANT},{CLIENT},,user,again,\n",
        header="id,tenant_id,user_id,legacy_session_id,role,message,created_at\n",
    )
    load_exports(database, folder)
    assert read_sessions_of_messages(database) == [(1, None, OTHER_SESSION)]


def test_an_export_of_a_migrated_table_brings_its_legacy_ids_along(database: Connection, folder: Path) -> None:
    header = "id,tenant_id,user_id,session_id,legacy_session_id,role,message\n"
    write_history(folder, f"1,{TENANT},{CLIENT},,{OTHER_SESSION},user,hi\n", header=header)
    load_exports(database, folder)
    assert read_sessions_of_messages(database) == [(1, None, OTHER_SESSION)]


def test_in_the_legacy_shape_a_message_must_point_at_an_active_session(legacy: Connection, folder: Path) -> None:
    write_history(folder, message(1))
    assert "is in no row of active_sessions_v2" in fail(legacy, folder)
    active = f"session_id,tenant_id,user_id,channel\n{SESSION},{TENANT},{CLIENT},telegram\n"
    write_folder(folder, {"active_sessions_v2.csv": active})
    load_exports(legacy, folder)
    assert count(legacy, "recent_history_v2") == 1


def make_json_row(number: float = 1, **values: Any) -> dict[str, Any]:
    return {"id": number, "tenant_id": TENANT, "user_id": CLIENT, "role": "user", "message": "hi", **values}


def write_jsonl(folder: Path, table: str, *rows: dict[str, Any] | str) -> None:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    write_folder(folder, {f"{table}.jsonl": "\n".join(lines)})


def test_json_lines_keep_nested_values_and_every_digit(database: Connection, folder: Path) -> None:
    write_jsonl(
        folder,
        "recent_history_v2",
        make_json_row(1, meta={"a": [1, {"b": None}], "c": True}, message='tab\t nl\n \\N \\. "q" 🙂'),
        "",
        make_json_row(2, meta='{"packed": [1]}', channel="whatsapp"),
        make_json_row(3, meta="{not json", message=""),
    )
    (folder / "conversation_sessions_v2.csv").unlink()
    (folder / "conversation_sessions_v2.jsonl").write_text(
        f'{{"session_id": "{SESSION}", "tenant_id": "{TENANT}", "user_id": "{CLIENT}", "channel": "telegram", '
        f'"started_at": "{TIME}", "final_status": "done", "booking_amount": 12345678901234567890.123456789, '
        '"meta": {"deep": 0.1000000000000000055511151231257827}}'
    )
    load_exports(database, folder)
    found = database.execute("select message, meta, channel from recent_history_v2 order by id").fetchall()
    assert found == [
        ('tab\t nl\n \\N \\. "q" 🙂', {"a": [1, {"b": None}], "c": True}, "unknown"),
        ("hi", {"packed": [1]}, "whatsapp"),
        ("", "{not json", "unknown"),
    ]
    assert database.execute(
        "select booking_amount::text, meta ->> 'deep' from conversation_sessions_v2"
    ).fetchone() == ("12345678901234567890.123456789", "0.1000000000000000055511151231257827")
    before = read_state(database)
    load_exports(database, folder)
    assert read_state(database) == before


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("[1]", "line 3: expected one JSON object a line"),
        ('{"id": 2', "line 3: not a JSON object: Expecting ',' delimiter at character 9"),
        ('{"id": NaN}', "line 3: not a JSON object: NaN is not JSON"),
        ('{"id": 2}', "line 3: recent_history_v2 requires tenant_id, user_id, role, message, the row lacks it"),
        (json.dumps(make_json_row(2, meta={"a": "\0"})), "line 3, column meta: found"),
        (json.dumps(make_json_row(2, message="a\0")), "line 3, column message: found a NUL character"),
        (json.dumps(make_json_row(2, message="\ud83d")), "line 3, column message: found half of a surrogate pair"),
        (json.dumps(make_json_row(2, message=None)), "line 3, column message: found (no value), expected text"),
        (
            json.dumps(make_json_row(2, message=[1])),
            "line 3, column message: found (a text of 3 characters), expected text",
        ),
        (json.dumps(make_json_row(1.5)), 'line 3, column id: found "1.5", expected a whole number'),
        (json.dumps(make_json_row(2, tenant_id=STRANGER)), "line 3, column tenant_id: tenant_id"),
        (json.dumps(make_json_row(2, colour=1)), 'recent_history_v2 has no column "colour"'),
        (json.dumps(make_json_row(1, message="x")), 'line 3, column id: lines 1 and 3 share id "1", but differ'),
        ("[" * 100_000, "line 3: the JSON is nested too deeply"),
    ],
)
def test_a_fault_in_json_lines_has_its_line(database: Connection, folder: Path, row: str, expected: str) -> None:
    write_jsonl(folder, "recent_history_v2", make_json_row(1), "", row)
    assert expected in fail(database, folder)


def test_json_that_breaks_a_check_or_lacks_its_key_is_named(database: Connection, folder: Path) -> None:
    wish = {"id": 1, "tenant_id": TENANT, "user_id": CLIENT, "item_type": "slot", "item_id": "1"}
    write_jsonl(folder, "wishlist_v2", wish, {**wish, "id": 2, "status": "lost"})
    assert 'line 2, column status: found "lost", expected one of pending' in fail(database, folder)
    (folder / "wishlist_v2.jsonl").unlink()
    session = dict(zip(*(line.split(",") for line in SESSIONS.splitlines()), strict=True))
    other = {**session, "session_id": OTHER_SESSION}
    del other["id"]
    (folder / "conversation_sessions_v2.csv").unlink()
    write_jsonl(folder, "conversation_sessions_v2", session, other)
    assert "line 2, column id: found (no value), expected a value" in fail(database, folder)


def test_a_missing_json_key_is_the_default_and_null_is_null(database: Connection, folder: Path) -> None:
    write_folder(folder, {"clients_v2.csv": CLIENTS + f"{STRANGER},{TENANT},Olga\n"})
    memories = [{"user_id": CLIENT, "tenant_id": TENANT}, {"user_id": STRANGER, "tenant_id": TENANT}]
    write_jsonl(folder, "user_ltm_v2", memories[0], {**memories[1], "churn_risk_score": None})
    load_exports(database, folder)
    found = database.execute("select churn_risk_score, ltm_data from user_ltm_v2 order by user_id").fetchall()
    assert found == [(0, {}), (None, {})]


def test_packed_files_load(database: Connection, folder: Path) -> None:
    (folder / "clients_v2.csv").unlink()
    client = json.dumps({"id": CLIENT, "tenant_id": TENANT}).encode()
    packed = gzip.compress(("\ufeff" + HISTORY_HEADER + message(1)).encode())
    write_folder(folder, {"recent_history_v2.csv.gz": packed, "clients_v2.jsonl.gz": gzip.compress(client)})
    load_exports(database, folder)
    assert count(database, "recent_history_v2") == 1


def test_damaged_and_misnamed_packed_files_are_named(database: Connection, folder: Path) -> None:
    rows = HISTORY_HEADER + "".join(message(number) for number in range(2000))
    packed = gzip.compress(rows.encode())
    write_folder(folder, {"recent_history_v2.csv.gz": packed[:-20]})
    assert "recent_history_v2.csv.gz is damaged" in fail(database, folder)
    write_folder(folder, {"recent_history_v2.csv.gz": packed[:400] + b"\xff" * 40 + packed[440:]})
    assert "recent_history_v2.csv.gz" in fail(database, folder)
    write_folder(folder, {"recent_history_v2.csv.gz": rows})
    assert "is not a gzip file" in fail(database, folder)
    (folder / "recent_history_v2.csv.gz").unlink()
    write_folder(folder, {"recent_history_v2.csv": packed})
    assert "is compressed by gzip" in fail(database, folder)


def test_a_folder_must_hold_known_tables_once_each(database: Connection, folder: Path, tmp_path: Path) -> None:
    write_folder(folder, {"README.md": "x", "._tenants_v2.csv": "x", ".DS_Store": "x", "LICENSE.txt": "x"})
    load_exports(database, folder)
    write_folder(folder, {"tenants_v2.jsonl": ""})
    assert "has two exports: tenants_v2.csv and tenants_v2.jsonl" in fail(database, folder)
    (folder / "tenants_v2.jsonl").unlink()
    write_folder(folder, {"salons.csv": ""})
    assert "salons.csv is named after no raw table; known tables are tenants_v2, clients_v2" in fail(database, folder)
    assert "does not exist" in fail(database, tmp_path / "absent")
    assert "is a file, not a folder" in fail(database, folder / "tenants_v2.csv")
    (tmp_path / "empty").mkdir()
    assert "holds no export" in fail(database, tmp_path / "empty")


def test_a_database_without_the_tables_sends_to_migrate(database_url: str, folder: Path) -> None:
    with open_connection(database_url, autocommit=True) as connection, pytest.raises(LoadError, match="agentp migrate"):
        load_exports(connection, folder)


@pytest.mark.parametrize(
    "text",
    [
        "\\N",
        "NULL",
        "",
        "\\.",
        "a\n\\.\nb",
        "back\\slash \\n \\t",
        "'; drop table tenants_v2; --",
        '"quoted" ""twice""',
        "comma, semicolon; tab\t",
        "crlf\r\nlf\ncr\r",
        "🙂 👩‍👩‍👧 é\u202e",
        "x" * 1_000_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_hostile_text_arrives_as_it_was(database: Connection, folder: Path, text: str) -> None:
    rows = quote_csv([["1", TENANT, CLIENT, SESSION, "user", text, TIME], ["2", TENANT, CLIENT, "", "user", "x", TIME]])
    write_history(folder, rows)
    load_exports(database, folder)
    assert get_message(database) == text
    assert count(database, "recent_history_v2") == 2


def test_a_line_of_the_old_end_mark_loses_no_row_in_silence(database: Connection, folder: Path) -> None:
    write_history(folder, message(1), "\\.\n", message(2))
    fail(database, folder)


def test_sequences_go_on_after_the_greatest_id_and_never_back(database: Connection, folder: Path) -> None:
    take = "select nextval('recent_history_v2_id_seq')"
    write_history(folder, message(1))
    load_exports(database, folder)
    assert database.execute(take).fetchone() == (2,)
    write_history(folder, message(1), message(41))
    load_exports(database, folder)
    assert database.execute(take).fetchone() == (42,)
    database.execute("select setval('recent_history_v2_id_seq', 1000)")
    write_history(folder, message(41), message(50))
    load_exports(database, folder)
    assert database.execute(take).fetchone() == (1001,)


def test_a_second_load_waits_for_the_first(database: Connection, migrated_url: str, folder: Path) -> None:
    reports: list[LoadReport] = []

    def load() -> None:
        with open_connection(migrated_url, autocommit=True) as connection:
            reports.append(load_exports(connection, folder))

    second = threading.Thread(target=load)
    with database.transaction():
        load_exports(database, folder)
        second.start()
        time.sleep(0.3)
        assert second.is_alive()
    second.join(timeout=10)
    assert summarize(reports[0])[0] == ("tenants_v2", 0, 0, 1)


def test_a_folder_loads_twice_within_one_transaction(database: Connection, folder: Path) -> None:
    with database.transaction():
        load_exports(database, folder)
        load_exports(database, folder)
    assert count(database, "tenants_v2") == 1


def test_a_row_that_only_an_index_on_an_expression_refuses_is_a_load_error(database: Connection, folder: Path) -> None:
    other = CLIENTS + f"{STRANGER},{TENANT},ANNA\n"
    write_folder(folder, {"clients_v2.csv": other})
    database.execute("create unique index clients_name on clients_v2 (lower(full_name))")
    try:
        assert "clients_v2 refused a row" in fail(database, folder)
    finally:
        database.execute("drop index clients_name")


def test_progress_tells_the_lines_of_each_table(database: Connection, folder: Path) -> None:
    told: list[tuple[str, int]] = []
    load_exports(database, folder, progress=lambda table, lines: told.append((table, lines)))
    assert told[-1] == ("conversation_sessions_v2", 1)


def test_a_load_that_is_broken_off_leaves_nothing(database: Connection, folder: Path) -> None:
    def break_off(table: str, lines: int) -> None:
        if table == "conversation_sessions_v2":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_exports(database, folder, progress=break_off)
    assert read_state(database) == []


def test_a_connection_that_is_lost_in_the_middle_leaves_nothing(
    database: Connection, migrated_url: str, folder: Path
) -> None:
    def cut(table: str, lines: int) -> None:
        if table == "conversation_sessions_v2" and not database.closed:
            with open_connection(migrated_url, autocommit=True) as other:
                other.execute("select pg_terminate_backend(%s, 5000)", (database.info.backend_pid,))

    with pytest.raises(psycopg.OperationalError):
        load_exports(database, folder, progress=cut)
    with open_connection(migrated_url, autocommit=True) as other:
        assert read_state(other) == []


def test_a_single_row_first_record_with_line_breaks_is_found(database: Connection, folder: Path) -> None:
    write_history(folder, message(1, '"a\nb"', time="soon"), message(2))
    assert 'line 3, column created_at: found "soon"' in fail(database, folder)


def test_the_tables_are_analyzed_for_the_build_that_follows(database: Connection, folder: Path) -> None:
    database.execute("truncate clients_v2 cascade")
    load_exports(database, folder)
    row = database.execute("select reltuples from pg_class where relname = 'clients_v2'").fetchone()
    assert row == (1,)
