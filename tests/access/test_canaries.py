"""Every secret and every person carries a unique string; what was written is searched for them, to the last byte.

Issue 7, "How it is checked", canaries. Secrets are nowhere but in the bots' own tables. Names, phones and chats stand
in the marts and in what is made for the owner; in what people wrote nobody's phone, e-mail or card stands anywhere.
"""

from __future__ import annotations

import gzip
import html
import io
import json
import re
import sqlite3
import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import dagster as dg
import psycopg
import pyarrow.parquet as pq
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from rich.console import Console

from agentp import cli, pipeline
from agentp.console import load_with_progress
from agentp.digesting import show_digests
from agentp.errors import LoadError
from agentp.reporting import report_with_progress
from orchestration import runs
from orchestration.tags import AS_OF as AS_OF_TAG
from orchestration.tags import DAILY, ONLY_CHANGES, PARTITION
from orchestration.targets import LISTENER, Listener
from reports.exports import export_marts
from tests.support.jobs import DAY
from tests.support.marts import AS_OF, Workshop, make_id

SECRETS = {
    "user token": "cnr-Usr7Q", "bot token": "734911028:AAHcnrBotQ7x_0123456789abcdefghijk", "hook": "cnr-Hook7Q",
    "list": "cnr-List7Q", "deep": "cnr-Deep7Q", "client": "cnr-Clnt7Q", "session": "cnr-Sess7Q", "wish": "cnr-Wish7Q",
    "message": "cnr-Mess7Q", "memory": "cnr-Mem7Q", "state": "cnr-Stat7Q", "settings": "cnr-Sett7Q",
}  # fmt: skip
NAMES = {"client": "Канарейка Первоцветова", "wish": "Вишнёва Канарейка", "twin": "Канарейка Второцветова"}
PHONES = {"phone": "9161230001", "whatsapp": "9161230002", "wish phone": "9161230004"}
CHATS = {"telegram": "777000111222", "admin": "777000111333"}
WRITTEN = {
    "phone in a message": "9161230003", "mail in a message": "canary.mess@example.org", "card": "5469380077169034",
    "mail in a summary": "canary.sum@example.org", "phone in a summary": "9161230005",
    "phone in a comment": "9161230006", "mail in a memory": "canary.mem@example.org",
}  # fmt: skip
"""Where people wrote it themselves, so that no column says what it is. Digits are found however they are divided."""
PERSONS = {**NAMES, **PHONES, **CHATS}


UNREAD = ("public", "staging")
"""The bots' own tables and the views on them, which nobody reads but who builds."""
MARTS = ("dashboard", "live", "intermediate")
"""Where names and phones have columns of their own, whose class says who reads them."""
QUIET = {"telemetry": {"enabled": False}}


CANARIES = {
    "secret": SECRETS.values(), "person": PERSONS.values(), "written": WRITTEN.values(),
}  # fmt: skip
KINDS = {canary: kind for kind, canaries in CANARIES.items() for canary in canaries}
WORDS = [canary for canary in KINDS if not canary.isdigit()]
NUMBERS = re.compile("|".join("[^0-9A-Za-z]{0,3}".join(canary) for canary in KINDS if canary.isdigit()))


@dataclass(frozen=True, order=True)
class Find:
    """A canary that was found, of what kind it is, and where."""

    kind: str
    place: str
    canary: str


def find_canaries(place: str, text: str) -> Iterator[Find]:
    """Yield every canary that a text names, however it is escaped."""
    for spelled in spell_out(text):
        for word in WORDS:
            if word in spelled:
                yield Find(KINDS[word], place, word)
        for hit in NUMBERS.finditer(spelled):
            number = re.sub("[^0-9]", "", hit[0])
            yield Find(KINDS[number], place, number)


def spell_out(text: str) -> Iterator[str]:
    """The text, and what it says where it is escaped, up to twice."""
    yield text
    if "%" in text:
        yield unquote(text)
    if "&" in text:
        yield html.unescape(text)
    if "\\" in text:
        once = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda sign: chr(int(sign[1], 16)), text)
        yield once
        yield once.replace("\\", "")


def open_up(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the texts of a file by name; packed ones and databases are opened."""
    if content[:2] == b"\x1f\x8b":
        yield from open_up(f"{name} unpacked", gzip.decompress(content))
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for member in packed.namelist():
                yield from open_up(f"{name}: {member}", packed.read(member))
    elif content[:4] == b"PAR1":
        yield name, json.dumps(pq.read_table(io.BytesIO(content)).to_pylist(), default=str, ensure_ascii=False)
    elif content[:15] == b"SQLite format 3":
        with sqlite3.connect(":memory:") as database:
            # As a database without a log of its own; what stands in that log is a file besides.
            database.deserialize(content[:18] + b"\1\1" + content[20:])
            yield name, "\n".join(database.iterdump())
    yield name, content.decode("utf-8", "replace")
    yield name, content.decode("utf-16-le", "replace")


def read_files(folders: Iterable[Path], *, since: float = 0) -> Iterator[tuple[str, str]]:
    """Yield the texts of the files below the folders that were written since; there must be something to search."""
    paths = [path for folder in folders for path in ([folder] if folder.is_file() else folder.rglob("*"))]
    assert paths
    for path in paths:
        if path.is_file() and path.stat().st_mtime >= since:
            yield from open_up(str(path), path.read_bytes())


def search(texts: Iterable[tuple[str, str]]) -> list[Find]:
    """Return every find in texts by place."""
    return sorted({find for place, text in texts for find in find_canaries(place, text)})


@pytest.fixture
def salons(workshop: Workshop) -> Workshop:
    """Two salons with a client and two visits each."""
    workshop.settings = workshop.settings.model_copy(update={"retry_seconds": 0.05})
    for number, name in enumerate(("salon", "far")):
        workshop.add_tenant(name, slug=name)
        workshop.add_client(name, f"{name} client")
        for day in (9, 10):
            workshop.add_session(
                f"{name} visit {day}", f"2026-02-{day:02} 12:00+00", f"2026-02-{day:02} 12:20+00", tenant=name,
                client=f"{name} client", booking_id=f"{name}-{day}", booking_source="bot", booking_status="confirmed",
                booking_datetime=f"2026-02-{day + 10} 12:00+00", booking_amount=1500, booking_currency="RUB",
            )  # fmt: skip
            workshop.add_message(
                number * 100 + day, f"2026-02-{day:02} 12:00+00", session=f"{name} visit {day}", tenant=name,
                client=f"{name} client",
            )  # fmt: skip
    return workshop


def fill(salons: Workshop) -> None:
    """A client, her dialogue, wish and memory at the first salon, with canaries wherever bots and people put such."""
    salon, client = make_id("salon"), make_id("salon client")
    metadata = {
        "settings": {"timezone": "Europe/Moscow", "digest": "both", "crm_token": SECRETS["settings"]},
        "yclients": {"company_id": 1, "user_token": SECRETS["user token"]},
        "telegram": {"bot_token": SECRETS["bot token"], "admin_chat_id": int(CHATS["admin"])},
        "whatsapp": {"webhook": {"Secret": SECRETS["hook"]}},
        "integrations": [{"name": "crm", "Credentials": {"parts": [1, {"x": SECRETS["deep"]}], "y": SECRETS["list"]}}],
    }
    salons.execute("update tenants_v2 set metadata = %s where id = %s", [json.dumps(metadata), salon])
    salons.execute(
        "update clients_v2 set full_name = %s, phone = %s, whatsapp_id = %s, telegram_chat_id = %s, meta = %s "
        "where id = %s",
        [
            NAMES["client"], f"+7{PHONES['phone']}", f"7{PHONES['whatsapp']}@c.us", int(CHATS["telegram"]),
            json.dumps({"auth": {"refresh-token": SECRETS["client"]}}), client,
        ],
    )  # fmt: skip
    salons.add_session(
        "canary visit", "2026-02-20 12:00+00", "2026-02-20 12:20+00", client="salon client",
        final_summary="перезвонить 8 (916) 123-00-05, canary.sum@example.org",
        meta={"api_key": SECRETS["session"], "services_selected": ["1"]},
    )  # fmt: skip
    texts = (
        "мой номер 8 916 123-00-03, почта canary.mess@example.org", "карта 5469 3800 7716 9034, запишите",
    )  # fmt: skip
    for number, text in enumerate(texts):
        salons.add_message(
            9000 + number, f"2026-02-20 12:0{number}+00", session="canary visit", client="salon client",
            message=text, meta={"headers": {"X-Bot-Token": SECRETS["message"]}},
        )  # fmt: skip
    wish = {
        "tenant_id": salon, "user_id": client, "item_type": "slot_waiting", "item_id": "service_1", "status": "pending",
        "comment": "звоните 89161230006", "created_at": "2026-02-20 13:00+00", "updated_at": "2026-02-20 13:00+00",
        "meta": {
            "date": "2026-03-20", "service_id": "1", "client_name": NAMES["wish"], "client_phone": PHONES["wish phone"],
            "access_token": SECRETS["wish"],
        },
    }  # fmt: skip
    salons.insert("wishlist_v2", [wish])
    memory = {"password": SECRETS["memory"], "notes": "пишет с canary.mem@example.org"}
    salons.insert("user_ltm_v2", [{"user_id": client, "tenant_id": salon, "ltm_data": memory}])
    salons.insert("active_sessions_v2", [{
        "session_id": make_id("open"), "tenant_id": salon, "user_id": client, "channel": "telegram",
        "state": {"token": SECRETS["state"]},
    }])  # fmt: skip


def run_daily(salons: Workshop, folder: Path) -> bool:
    """The daily run, with the analysts' site, on an instance that keeps all of it, as a scheduler's does."""
    salons.settings = salons.settings.model_copy(
        update={"report": True, "report_folder": folder / "site-analyst", "report_audience": "analyst"}
    )
    tags = {AS_OF_TAG: AS_OF, ONLY_CHANGES: "true", PARTITION: DAY}
    token = LISTENER.set(Listener(settings=salons.settings))
    (folder / "dagster").mkdir(exist_ok=True)
    try:
        with dg.DagsterInstance.local_temp(str(folder / "dagster"), overrides=QUIET) as instance:
            return dg.execute_job(runs.reconstruct_job(DAILY), instance=instance, tags=tags).success
    finally:
        LISTENER.reset(token)


def write_what_is_read(salons: Workshop, folder: Path, *, audience: str) -> None:
    """Exports in every format for the audience, and the owner's site."""
    if audience == "owner":
        report_with_progress(Console(), salons.settings, folder=folder / "site-owner", audience="owner", tenants=[])
    for kind in ("csv", "xlsx", "parquet"):
        export_marts(salons.url, folder / f"export-{audience}" / kind, file_format=kind, audience=audience)


def show_everything(salons: Workshop, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a check with its site and the digests leave, the screen included."""
    salons.check(is_full=True, docs=folder / "docs")
    show_digests(Console(), salons.settings, tenant="salon", out=folder / "digests", as_of=AS_OF)
    shown = capsys.readouterr()
    (folder / "screen").write_text(shown.out + shown.err, encoding="utf-8")


def find_server_log(superuser_url: str) -> list[Path]:
    with psycopg.connect(superuser_url) as connection:
        [(data,)] = connection.execute("select current_setting('data_directory')").fetchall()
    log = Path(data).parent / "postgres.log"
    return [log] if log.exists() else []  # a server of somebody's own keeps its log where it likes


def read_database(salons: Workshop) -> Iterator[tuple[str, str]]:
    """Yield every row of every relation but those of the bots as text, with where it is."""
    relations = salons.execute(
        "select n.nspname as schema, c.relname as name from pg_class as c "
        "join pg_namespace as n on n.oid = c.relnamespace "
        "where c.relkind in ('r', 'v', 'm', 'p') and n.nspname <> all(%s) and n.nspname !~ '^pg_'",
        [[*UNREAD, "information_schema"]],
    )  # fmt: skip
    assert len(relations) > 60
    with psycopg.connect(salons.url) as connection:
        for relation in relations:
            name = sql.Identifier(relation["schema"], relation["name"])
            for row in connection.execute(sql.SQL("select to_jsonb(t)::text from {} as t").format(name)):
                yield f"{relation['schema']}.{relation['name']}", row[0]


def is_a_marts_own(find: Find) -> bool:
    """Whether a person is named where names and phones have columns of their own."""
    return find.kind == "person" and find.place.split(".")[0] in MARTS


def test_no_secret_and_nobody_is_read_where_they_should_not_be(
    salons: Workshop, superuser_url: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.time()
    fill(salons)
    assert run_daily(salons, tmp_path)
    for audience in ("analyst", "owner"):
        write_what_is_read(salons, tmp_path, audience=audience)
    show_everything(salons, tmp_path, capsys)
    for_owner = [tmp_path / "site-owner", tmp_path / "export-owner"]
    for_others = [path for path in tmp_path.iterdir() if path not in for_owner]
    assert {path.name for path in for_others} >= {"site-analyst", "export-analyst", "docs", "dagster", "screen"}
    others = list(read_files([*for_others, home / "dbt", *find_server_log(superuser_url)], since=began))
    owners = list(read_files(for_owner))

    assert search(others) == []
    shown = search(owners)
    assert {find.kind for find in shown} == {"person"}
    # The search finds: what is the owner's is there.
    for suffix in (".csv", ".xlsx", ".parquet", ".html"):
        assert any(suffix in find.place for find in shown), suffix
    assert NAMES["client"] in {find.canary for find in shown}

    found = search(read_database(salons))
    assert [find for find in found if not is_a_marts_own(find)] == []
    assert found
    password = str(conninfo_to_dict(salons.url).get("password") or "")
    if password:
        assert [place for place, text in (*owners, *others) if password in text] == []


def test_what_fails_tells_nothing_either(
    salons: Workshop,
    superuser_url: str,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    salons.build()
    began = time.time()
    fill(salons)
    # A model fails on a value: Postgres quotes it in its message, and the whole row in the details.
    salons.execute("alter table dashboard.clients add constraint hostile check (client_name::int > 0) not valid")
    salons.execute("alter table dashboard.dialogs add constraint hostile check (length(message_text) < 3) not valid")
    assert not run_daily(salons, tmp_path)
    [error] = salons.execute("select error from quality.job_steps where step = 'marts' and outcome = 'failed'")
    assert re.search(r"invalid input syntax for type integer|violates check constraint", error["error"])

    # A step of ours fails, and what led to it says more than it.
    def fail(*_: Any, **__: Any) -> None:
        try:
            raise ValueError(f"for {NAMES['client']}, password={SECRETS['user token']}")
        except ValueError as cause:
            raise RuntimeError(f'{{"bot": {{"token": "{SECRETS["deep"]}"}}, "to": "8{PHONES["phone"]}"}}') from cause

    monkeypatch.setattr(pipeline, "check", fail)
    assert not run_daily(salons, tmp_path)
    monkeypatch.undo()
    [error] = salons.execute("select error from quality.job_steps where step = 'data_standard' and outcome = 'failed'")
    assert error["error"].startswith('{"bot": ')

    # A load is refused: each file for another reason.
    folder = tmp_path / "load"
    refused = {
        "clients_v2": {"id": "7", "tenant_id": str(make_id("salon")), "phone": PHONES["phone"]},
        "user_ltm_v2": {"user_id": str(make_id("nobody")), "ltm_data": f"\0{SECRETS['memory']}"},
        "recent_history_v2": {
            "id": 1, "tenant_id": str(make_id("salon")), "user_id": str(make_id("x")), "role": "user",
            "message": ["canary.mess@example.org"],
        },
        "tenants_v2": {"id": str(make_id("x")), "name": "x", "metadata": {"token": SECRETS["user token"] + "\0"}},
    }  # fmt: skip
    told = []
    for table, row in refused.items():
        folder.mkdir()
        (folder / f"{table}.jsonl").write_text(json.dumps(row), encoding="utf-8")
        with pytest.raises(LoadError) as caught:
            load_with_progress(salons.url, folder)
        told.append(str(caught.value))
        (folder / f"{table}.jsonl").unlink()
        folder.rmdir()

    # A command fails on the database: all it says is on the screen.
    def refuse() -> None:
        salons.execute("insert into clients_v2 (id, tenant_id, phone) values (%s, null, %s)", [
            make_id("salon client"), PHONES["phone"],
        ])  # fmt: skip

    monkeypatch.setattr(cli, "app", refuse)
    with pytest.raises(SystemExit):
        cli.main()
    shown = capsys.readouterr()
    (tmp_path / "screen").write_text("\n".join([*told, shown.out, shown.err]), encoding="utf-8")
    assert "The database refused: null value in column" in shown.err

    assert search(read_files([tmp_path, home / "dbt", *find_server_log(superuser_url)], since=began)) == []
    assert [find for find in search(read_database(salons)) if not is_a_marts_own(find)] == []
