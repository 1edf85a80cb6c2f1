"""What an export writes and Postgres would take for something else is loaded right, or refused by file, row, column."""

from __future__ import annotations

import bz2
import gzip
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from agentp.database import open_connection
from agentp.errors import LoadError
from sources.exports import load_exports
from sources.exports.strict_csv import StrictRecords
from sources.migrations import apply_migrations
from systems.agent_p import SYSTEM

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "22222222-2222-4222-8222-222222222222"
SESSION = "33333333-3333-4333-8333-333333333333"
TIME = "2026-03-10 10:00:00+00"
HISTORY = "id,tenant_id,user_id,role,channel,message,created_at"
SESSIONS = "id,session_id,tenant_id,user_id,channel,started_at,final_status,booking_id,booking_amount,duration_sec"

Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def migrated(make_database: Callable[[str | None], str]) -> str:
    """A migrated database that the module's tests share; each rolls its load back."""
    url = make_database(None)
    with open_connection(url, autocommit=True) as connection:
        apply_migrations(connection, SYSTEM)
    return url


@pytest.fixture
def database(migrated: str) -> Iterator[Connection]:
    """Yield a connection in a transaction that is taken back."""
    with open_connection(migrated, autocommit=True) as connection, connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one salon and one client."""
    (tmp_path / "tenants_v2.csv").write_text(f"id,name\n{TENANT},Salon\n")
    (tmp_path / "clients_v2.csv").write_text(f"id,tenant_id,full_name,meta\n{CLIENT},{TENANT},Anna,{{}}\n")
    return tmp_path


def fail(connection: Connection, folder: Path) -> str:
    """Return what is said of a folder that is not loaded, and see that nothing of it was."""
    with pytest.raises(LoadError) as caught, connection.transaction():
        load_exports(connection, folder)
    assert connection.execute("select count(*) from tenants_v2").fetchone() == (0,)
    return str(caught.value)


def load(connection: Connection, folder: Path, query: str) -> list[tuple[Any, ...]]:
    load_exports(connection, folder)
    return connection.execute(query.encode()).fetchall()


def session(*, started: str = TIME, booking: str = "", amount: str = "", seconds: str = "300") -> str:
    return f"1,{SESSION},{TENANT},{CLIENT},telegram,{started},done,{booking},{amount},{seconds}\n"


def write_session(folder: Path, row: str) -> None:
    (folder / "conversation_sessions_v2.csv").write_text(f"{SESSIONS}\n{row}", encoding="utf-8")


@pytest.mark.parametrize(
    "moment",
    [
        "10.03.26", "03/10/2026 10:00", "26-03-10", "10-Mar-2026", "March 10, 2026", "2026-03-10 10:00 UTC+3", "now",
        "2026-03-10 10:00:00 GMT+3", "yesterday", "today", "tomorrow 10:00", "epoch", "infinity", "-infinity",
        "20260310T100000Z", "2026-03-10 10:00:00 Europe/Moscow", "2026-03-10 10:00:00+3", "1773136800", "2026.069",
        "2026-03-10 10 AM", "J2461110",
    ],
)  # fmt: skip
def test_a_moment_that_is_not_iso_8601_is_refused_with_its_place(
    database: Connection, folder: Path, moment: str
) -> None:
    write_session(folder, session(started=f'"{moment}"'))
    found = fail(database, folder)
    assert f'conversation_sessions_v2.csv, line 2, column started_at: found "{moment}", expected a timestamp' in found
    (folder / "conversation_sessions_v2.csv").unlink()
    row = dict(zip(SESSIONS.split(","), session().strip().split(","), strict=True))
    row = {name: value for name, value in row.items() if value} | {"started_at": moment}
    (folder / "conversation_sessions_v2.jsonl").write_text(json.dumps(row) + "\n")
    assert "line 1, column started_at" in fail(database, folder)


@pytest.mark.parametrize(
    ("moment", "utc"),
    [
        ("2026-03-10 10:00:00+00", "2026-03-10 10:00:00"), ("2026-03-10T13:00:00.123456+03:00", "2026-03-10 10:00:00"),
        ("2026-03-10 13:00:00.000 +0300", "2026-03-10 10:00:00"), ("2026-03-10T10:00:00Z", "2026-03-10 10:00:00"),
        ("2026-03-10 10:00:00 UTC", "2026-03-10 10:00:00"), ("2026-03-10 10:00", "2026-03-10 10:00:00"),
        ("2026-03-10", "2026-03-10 00:00:00"), ("0044-03-15 10:00:00+00 BC", "0044-03-15 10:00:00"),
    ],
)  # fmt: skip
def test_moments_as_exports_write_them_are_loaded(database: Connection, folder: Path, moment: str, utc: str) -> None:
    write_session(folder, session(started=moment))
    query = "select to_char(started_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') from conversation_sessions_v2"
    assert load(database, folder, query) == [(utc,)]


@pytest.mark.parametrize(
    "word",
    [
        "NULL", "null", "None", "nan", "NaN", "\\N", "[NULL]", "<NA>", "#N/A", "undefined", "nil", "none", "NULL ",
        " null", "'NULL'", "`null`", "(none)", "{null}", "\\\\N", "pd.NA", "-", "—", "#REF!", "#ССЫЛКА!", "#Н/Д",
        "-1.#IND", "false", "12345.0", "1.23457E+11",
    ],
)  # fmt: skip
def test_a_word_for_null_is_no_booking(database: Connection, folder: Path, word: str) -> None:
    for written in (word, f'"{word}"'):
        write_session(folder, session(booking=written))
        found = fail(database, folder)
        assert f'conversation_sessions_v2.csv, line 2, column booking_id: found "{word}"' in found
        assert "expected an empty field for no value" in found


@pytest.mark.parametrize("booking", ["12345", "0012345", "YC-12345", "none-77", "12E5", "nancy", "a.0", "Запись 5"])
def test_ids_that_only_look_like_words_are_loaded(database: Connection, folder: Path, booking: str) -> None:
    write_session(folder, session(booking=booking))
    assert load(database, folder, "select booking_id from conversation_sessions_v2") == [(booking,)]


@pytest.mark.parametrize("amount", ["NaN", "inf", "-Infinity", "1_500", "0x10", '"1,500.00"', "1500 ₽"])
def test_numbers_are_decimal_and_finite(database: Connection, folder: Path, amount: str) -> None:
    write_session(folder, session(amount=amount))
    assert "line 2, column booking_amount: found" in fail(database, folder)
    write_session(folder, session(amount="1.5e3", seconds="+60"))
    query = "select booking_amount, duration_sec from conversation_sessions_v2"
    assert load(database, folder, query) == [(1500, 60)]


def test_words_of_people_may_be_words_for_null(database: Connection, folder: Path) -> None:
    (folder / "clients_v2.csv").write_text(f'id,tenant_id,full_name,meta\n{CLIENT},{TENANT},"NULL",{{}}\n')
    (folder / "recent_history_v2.csv").write_text(f"{HISTORY}\n1,{TENANT},{CLIENT},user,telegram,null,{TIME}\n")
    query = "select full_name, message from clients_v2, recent_history_v2"
    with database.transaction(force_rollback=True):
        assert load(database, folder, query) == [("NULL", "null")]
    (folder / "clients_v2.csv").write_text(f"id,tenant_id,full_name,meta\n{CLIENT},{TENANT},NULL,{{}}\n")
    found = fail(database, folder)
    assert "clients_v2.csv, line 2, column full_name: found (a text of 4 characters), expected an empty field" in found
    assert "or quotes around what is meant as text" in found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('"хочу "френч" завтра"', 2), ('экран 5" и 7"', 2), ('"Салон "Ромашка""', 2), ('"а" б', 2),
        ('"два\nслова "в" кавычках"', 2),
    ],
)  # fmt: skip
def test_quotes_that_were_not_doubled_are_refused(database: Connection, folder: Path, text: str, line: int) -> None:
    rows = f"1,{TENANT},{CLIENT},user,telegram,{text},{TIME}\n2,{TENANT},{CLIENT},user,telegram,да,{TIME}\n"
    (folder / "recent_history_v2.csv").write_text(f"{HISTORY}\n{rows}", encoding="utf-8")
    found = fail(database, folder)
    assert f"recent_history_v2.csv, line {line}, column message: a quote within the value is not doubled" in found


def test_blank_lines_at_the_end_are_no_rows(database: Connection, folder: Path) -> None:
    for end in ("\n\n", "\r\n\r\n\r\n", ""):
        row = f"1,{TENANT},{CLIENT},user,telegram,да,{TIME}"
        text = f"{HISTORY}\n{row}{end}".replace("\n", "\r\n" if "\r" in end else "\n").replace("\r\r", "\r")
        (folder / "recent_history_v2.csv").write_bytes(text.encode())
        with database.transaction(force_rollback=True):
            assert load(database, folder, "select message from recent_history_v2") == [("да",)]
    (folder / "recent_history_v2.csv").write_text(f"{HISTORY}\n\n\n")
    assert load(database, folder, "select count(*) from recent_history_v2") == [(0,)]


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("recent_history_v2.csv.zip", "Unpack it"), ("recent_history_v2.xlsx", "Save the sheet as CSV"),
        ("recent_history_v2.parquet", "Export it as"), ("recent_history_v2 (1).csv", "Export it as"),
        ("Recent_History_V2_rows.JSON", "Export it as"), ("recent_history_v2", "Export it as"),
        ("public.recent_history_v2.sql", "Export it as"), ("recent_history_v2.csv.bz2", "Unpack it"),
        ("recent-history-v2.xlsx", "Save the sheet as CSV"), ("RecentHistory.json", "Export it as"),
        ("recent_history.parquet", "Export it as"), ("public.recent_history_rows.zip", "Unpack it"),
    ],
)  # fmt: skip
def test_a_file_named_after_a_raw_table_is_never_left_out(
    database: Connection, folder: Path, name: str, cure: str
) -> None:
    (folder / "notes.json").write_text("{}")
    (folder / "README.txt").write_text("An export.")
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr("recent_history_v2.csv", HISTORY)
    found = fail(database, folder)
    assert f"{name} is named after recent_history_v2" in found
    assert cure in found


def test_what_else_is_in_the_folder_is_told(database: Connection, folder: Path) -> None:
    assert load_exports(database, folder).warnings == ()
    for name in ("all.xlsx", "data.sql", ".hidden"):
        (folder / name).write_text("")
    (folder / "more").mkdir()
    warning = "left out, for they are named after no raw table: all.xlsx, data.sql, more"
    assert load_exports(database, folder).warnings == (warning,)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (HISTORY.encode("utf-16"), "is text in UTF-16"), (b"PK\x03\x04", "is an archive or a workbook"),
        (bz2.compress(b""), "is compressed by bzip2"), (b"PAR1", "is Parquet"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".csv.gz"])
def test_a_file_that_is_not_what_it_is_named_is_refused_as_what_it_is(
    database: Connection, folder: Path, data: bytes, says: str, ending: str
) -> None:
    (folder / f"recent_history_v2{ending}").write_bytes(gzip.compress(data) if ending.endswith("gz") else data)
    assert says in fail(database, folder)


ROWS = [
    {
        "id": number, "tenant_id": TENANT, "user_id": CLIENT, "role": "user", "channel": "telegram",
        "message": f"сказал: \"да\",\t№ {number}", "meta": {"n": 1.10}, "created_at": TIME,
    }
    for number in range(1, 4)
]  # fmt: skip
ONE = json.dumps(ROWS[0])
JSONS = {
    "json": json.dumps(ROWS, ensure_ascii=False, indent=2), "json.gz": json.dumps(ROWS),
    "ndjson": "\n".join(json.dumps(row) for row in ROWS), "jsonl": "\n\n".join(json.dumps(row) for row in ROWS) + "\n",
    "_lines.json": "\n".join(json.dumps(row) for row in ROWS), "_array.ndjson": json.dumps(ROWS),
}  # fmt: skip


@pytest.mark.parametrize("ending", JSONS)
def test_json_is_loaded_as_an_array_and_as_lines(database: Connection, folder: Path, ending: str) -> None:
    name = "recent_history_v2." + ending.removeprefix("_lines.").removeprefix("_array.")
    data = JSONS[ending].encode()
    (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    rows = load(database, folder, "select id, message, meta::text from recent_history_v2 order by id")
    assert rows == [(row["id"], row["message"], '{"n": 1.1}') for row in ROWS]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (JSONS["json"][:-2], "the array does not end"), (f"[{ONE}\n{ONE}]", "line 2: expected a comma or ]"),
        (f"[\n{ONE}, 7]", "line 2: expected an array of JSON objects"), ("[]\n[]", "line 2: expected nothing after"),
        ('[{"id": NaN}]', "not JSON"), ('{"rows": []}', "has no column \"rows\""), (f"[{ONE},]", "line 1: not JSON"),
        ('[\n\n{"id": 1, "tenant_id": "', "line 3: not JSON"),
        ('[\n{"id": 1, "id": 2}]', "line 2: not JSON: an object has a key twice"),
    ],
)  # fmt: skip
def test_an_array_that_is_none_is_refused_with_its_line(
    database: Connection, folder: Path, text: str, says: str
) -> None:
    (folder / "recent_history_v2.json").write_text(text)
    assert says in fail(database, folder)


def test_tabs_divide_as_commas_do(database: Connection, folder: Path) -> None:
    row = f'1\t{TENANT}\t{CLIENT}\tuser\ttelegram\t"раз, ""два""\tтри"\t{TIME}\n'
    (folder / "recent_history_v2.tsv").write_text(HISTORY.replace(",", "\t") + "\n" + row, encoding="utf-8")
    with database.transaction(force_rollback=True):
        assert load(database, folder, "select message from recent_history_v2") == [('раз, "два"\tтри',)]
    for escape in ("\\N", "раз\\tдва", "раз\\nдва", "a\\\\b"):
        escaped = row.replace('"раз, ""два""\tтри"', escape)
        (folder / "recent_history_v2.tsv").write_text(HISTORY.replace(",", "\t") + "\n" + escaped, encoding="utf-8")
        assert "line 2, column message: found an escape of COPY's text format" in fail(database, folder)
    (folder / "recent_history_v2.tsv").write_text(HISTORY.replace(",", "\t") + "\n" + row.replace(TIME, "soon"))
    assert "recent_history_v2.tsv, line 2, column created_at" in fail(database, folder)


def test_a_day_that_there_is_not_is_refused_with_the_bounds(database: Connection, folder: Path) -> None:
    for moment in ("2026-02-30", "300000-01-01"):
        write_session(folder, session(started=moment))
        found = fail(database, folder)
        assert f'column started_at: found "{moment}", expected a timestamp' in found
        assert "from 4713 BC to 294276" in found


def test_errors_show_the_value_and_its_bounds_unless_it_is_a_persons(database: Connection, folder: Path) -> None:
    write_session(folder, session(seconds="99999999999"))
    found = fail(database, folder)
    assert 'found "99999999999", expected a whole number from -2147483648 to 2147483647' in found
    write_session(folder, session(seconds="89161234567"))
    assert "89161234567" not in fail(database, folder)
    (folder / "conversation_sessions_v2.csv").unlink()
    (folder / "clients_v2.csv").write_text(f"id,tenant_id,telegram_chat_id\n{CLIENT},{TENANT},99999999999999999999\n")
    found = fail(database, folder)
    assert "99999999999" not in found
    assert "from -9223372036854775808 to 9223372036854775807" in found


ROW = '{id},{t},{c},user,telegram,"да, ""хочу""","{{""a"": 1}}",2026-03-10 10:00:00+00'
DBEAVER = ROW.replace("10:00:00+00", "13:00:00.000 +0300")
SHEET = ROW.replace("2026-03-10 10:00:00+00", "10.03.2026 13:00")
REAL = {
    # Supabase's dashboard and its CLI, `COPY … CSV HEADER` and pgAdmin write what COPY reads.
    "supabase dashboard": ("_rows.csv", ROW, ""), "copy": (".csv", ROW, ""), "dbeaver": (".csv", DBEAVER, ""),
    "pgadmin": (".csv", ROW.replace("{t},{c},user,telegram", '"{t}","{c}","user","telegram"'), ""),
    "dbeaver [NULL]": (".csv", DBEAVER.replace("telegram", "[NULL]"), 'line 2, column channel: found "[NULL]"'),
    "notebook": (".csv", ROW.replace('""a""', "'a'"), "line 2, column meta"),
    "spreadsheet's dates": (".csv", SHEET, 'line 2, column created_at: found "10.03.2026 13:00"'),
    "spreadsheet's semicolons": (".csv", SHEET.replace(",", ";"), "line 1: fields are divided by ';'"),
}  # fmt: skip


@pytest.mark.parametrize("tool", REAL)
def test_exports_of_real_tools_load_or_are_refused_by_file_row_and_column(
    database: Connection, folder: Path, tool: str
) -> None:
    ending, row, says = REAL[tool]
    header = "id,tenant_id,user_id,role,channel,message,meta,created_at"
    if ";" in row:
        header = "\ufeff" + header.replace(",", ";")
    lines = [header, row.format(id=1, t=TENANT, c=CLIENT), ""]
    end = "\r\n" if tool.startswith(("spreadsheet", "dbeaver")) else "\n"
    (folder / f"recent_history_v2{ending}").write_text(end.join(lines), encoding="utf-8", newline="")
    if says:
        found = fail(database, folder)
        assert found.startswith(f"recent_history_v2{ending}, line ")
        assert says in found
    else:
        query = "select message, meta::text, created_at at time zone 'UTC' = '2026-03-10 10:00' from recent_history_v2"
        assert load(database, folder, query) == [('да, "хочу"', '{"a": 1}', True)]


def test_records_are_the_same_however_the_file_is_cut_into_pieces(database: Connection, folder: Path) -> None:
    from sources.exports.catalog import read_shapes
    from sources.exports.folder import find_exports

    rows = f'1,{TENANT},{CLIENT},user,telegram,"а ""б""\r\nв",{TIME}\r\n2,{TENANT},{CLIENT},user,telegram,"",{TIME}\r\n'
    (folder / "recent_history_v2.csv").write_text(f"{HISTORY}\n")
    export = next(export for export in find_exports(folder) if export.table == "recent_history_v2")
    shape = read_shapes(database, SYSTEM, [export.table])[export.table]
    for text in (rows, rows.replace('"",', 'a"b"c,')):
        data = text.encode()
        lines = set()
        for size in range(1, len(data) + 1, 3):
            pieces = iter([data[start : start + size] for start in range(0, len(data), size)])
            records = StrictRecords(export, shape, tuple(HISTORY.split(",")), pieces, line=2)
            passed = b"".join(records)
            lines.add(str(records.fault).split(":")[0])
            assert passed.rstrip() == (data if text is rows else data[: data.index(b"\r\n2,")]).rstrip()
        assert lines == {"None" if text is rows else "recent_history_v2.csv, line 4, column message"}
