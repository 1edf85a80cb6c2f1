"""Forgetting a person: nothing names them afterwards, anywhere, and every total is what it was (issue 7)."""

from __future__ import annotations

import json
import shutil
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from access import forgetting, nobodies
from access.files import count_files
from access.forgetting import Listener, forget, plan_forgetting
from access.nobodies import make_nobodys
from access.people import Person, read_terms
from access.receipts import SITE, Receipt
from agentp.errors import AgentpError, SetupError
from agentp.forgetting import ReportSite
from agentp.pipeline import check_marts
from agentp.project import DbtOutcome
from agentp.settings import Settings
from reports.audiences import Audience
from reports.site import write_site
from tests.agentp.conftest import RunCommand
from tests.agentp.conftest import run_command as run_command
from tests.support.marts import AS_OF, MARTS, Workshop, make_id

CANARY = make_id("canary")
CANARIES = (str(CANARY), "Канарейка", "5554433", "555-44-33", "5550001112", "kanarejka", "СЕКРЕТ", "8880002223")
TOTALS = (
    "intermediate.int_tenant_days", "dashboard.metrics_dailies", "dashboard.funnel_daily", "dashboard.revenue_daily",
    "dashboard.kpis", "dashboard.traffic_hourly", "dashboard.visits_monthly", "dashboard.retention",
    "dashboard.visit_rates", "dashboard.peers", "dashboard.return_rates",
)  # fmt: skip
OF_PEOPLE = ("dashboard.dialogs", "dashboard.sessions", "dashboard.visits", "dashboard.clients")
LATER = """
create table scoring.letters (
    tenant_id uuid not null, recipient uuid not null, key text not null, note text, words jsonb,
    primary key (tenant_id, key)
);
insert into scoring.letters values
(
    %(salon)s, %(canary)s, 'to ' || %(canary)s, 'Милая!',
    jsonb_build_array(%(canary)s::text, E'Здравствуй,\nКанарейка Жёлтая', 1)
),
(%(salon)s, %(other)s, 'to other', 'Милый!', '{}');
create table quality.overheard (words text);
insert into quality.overheard values ('Канарейка Жёлтая звонила с 8 (916) 555-44-33'), ('тихо');
"""


def secret(client: str) -> str:
    return "СЕКРЕТ" if client == "canary" else "Слово"


def fill(workshop: Workshop) -> None:
    """Two salons; at the first a person with everything that can be known of one, and two others."""
    for salon in ("salon", "far"):
        workshop.add_tenant(salon, slug=salon)
    workshop.add_client(
        "salon", "canary", full_name="Канарейка Жёлтая", phone="+7 916 555-44-33", telegram_chat_id=5550001112,
        whatsapp_id="79165554433", yclients_client_id=8880002223, created_at="2026-01-02 09:00+00",
        updated_at="2027-06-01 09:00+00", meta={"email": "kanarejka@example.org", "consent": True},
    )  # fmt: skip
    workshop.add_client("salon", "second", full_name="Второй Гость")
    workshop.add_client("far", "third", full_name="Третий Гость")
    number = 0
    for salon, client in (("salon", "canary"), ("salon", "second"), ("far", "third")):
        for day, meta in ((3, {"visit_status": "arrived"}), (20, {})):
            book(workshop, salon, client, f"{client} {day}", day, meta)
        book(workshop, salon, client, f"{client} gone", 22, {}, booking_status="cancelled")
        workshop.add_session(
            f"{client} left", "2026-02-24 12:00+00", "2026-02-24 12:20+00", tenant=salon, client=client,
            final_summary=secret(client), meta={"drop_off_stage": "staff_selection", "client_name": secret(client)},
        )  # fmt: skip
        for place, session in enumerate((f"visit {client} 3", f"{client} left", None)):
            for minute, role in ((0, "user"), (1, "assistant")):
                number += 1
                workshop.add_message(
                    number, f"2026-02-{24 + place} 12:{minute:02}+00", session=session, role=role, tenant=salon,
                    client=client, message=f"{secret(client)} {number}",
                    meta={"from": secret(client)},
                )  # fmt: skip
    # Somebody else's message in a session of theirs, by the name that no foreign key holds.
    workshop.add_message(
        90, "2026-02-24 12:05+00", client="second", message="Чужое слово", legacy_session_id=make_id("canary left")
    )
    workshop.insert("wishlist_v2", [wish(1, "canary", "2026-03-05"), wish(2, "second", "2026-02-10")])
    workshop.insert(
        "user_ltm_v2",
        [{"user_id": CANARY, "tenant_id": make_id("far"), "preferred_staff_id": "m9", "ltm_data": {"is": "СЕКРЕТ"}}],
    )
    workshop.insert(
        "active_sessions_v2",
        [{
            "session_id": make_id("now"), "tenant_id": make_id("salon"), "user_id": CANARY, "channel": "telegram",
            "state": {"name": "Канарейка"},
        }],
    )  # fmt: skip


def book(
    workshop: Workshop, salon: str, client: str, booking: str, day: int, meta: dict[str, Any], **more: Any
) -> None:
    workshop.add_session(
        f"visit {booking}", f"2026-02-{day:02} 10:00+00", f"2026-02-{day:02} 10:20+00", tenant=salon, client=client,
        **{
            "final_status": "done", "booking_id": booking.replace("canary", "bird"), "booking_source": "bot",
            "booking_status": "confirmed", "booking_datetime": f"2026-02-{day + 4:02} 12:00+00",
            "booking_amount": 1500, "booking_currency": "RUB",
            "meta": {"services_selected": ["s1"], "staff_id": "m1", "comment": secret(client), **meta}, **more,
        },
    )  # fmt: skip


def wish(number: int, client: str, day: str) -> dict[str, Any]:
    return {
        "id": number, "tenant_id": make_id("salon"), "user_id": make_id(client), "item_type": "slot_waiting",
        "item_id": "service_s1", "comment": secret(client), "status": "pending",
        "created_at": "2026-02-01 10:00+00",
        "meta": {
            "service_id": "s1", "service_title": "Стрижка", "date": day,
            **({"client_name": "Канарейка Жёлтая", "client_phone": "8 916 555-44-33"} if client == "canary" else {}),
        },
    }  # fmt: skip


def keep(workshop: Workshop) -> None:
    """What scoring and activation keep: scores, a message that waits, one that was sent."""
    workshop.execute(
        "insert into scoring.client_scores select tenant_id, client_id, 0.5, 30, 30, 1, '2026-02-28' "
        "from dashboard.clients where visits_count > 0"
    )
    workshop.execute(
        "insert into dashboard.predictions (tenant_id, booking_id, risk_score) "
        "select tenant_id, booking_id, 0.5 from dashboard.visits"
    )
    workshop.execute(
        "insert into dashboard.outbox (tenant_id, message_key, kind, client_id, channel, message_text, payload, "
        "is_held_out, status, created_at, send_after, expires_at) select tenant_id, "
        "'win_back:' || client_id || ':' || day, 'win_back', client_id, 'telegram', 'Канарейка, ждём!', '{\"a\": 1}', "
        "false, status, '2026-02-20', '2026-02-20', '2026-02-27' from dashboard.clients "
        "cross join (values ('2026-02-01', 'sent'), ('2026-02-02', 'pending')) as messages (day, status) "
        "where client_id = %s",
        [CANARY],
    )


@pytest.fixture(scope="module")
def _filled(
    make_database: Callable[[str | None], str],
    built_template: str,
    home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, Path]:
    """The name of a database with the salons, checked, built and kept of, and their site."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))
    fill(workshop)
    workshop.check()
    workshop.build()
    keep(workshop)
    folder = tmp_path_factory.mktemp("filled")
    write_site(url, folder, audience=Audience.OWNER, processes=1)
    return str(conninfo_to_dict(url)["dbname"]), folder


def run_recorded(settings: Settings, url: str, *arguments: str, as_of: str) -> DbtOutcome:
    """Build as dbt would, from recorded scripts."""
    assert arguments == ("run",)
    Workshop(url=url, settings=settings).build(as_of=as_of)
    return DbtOutcome()


@pytest.fixture
def salon(
    open_database: Callable[[str | None], str], _filled: tuple[str, Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> Workshop:
    """A copy of the salons; who forgets somebody there builds from recorded scripts."""
    monkeypatch.setattr(forgetting, "run_dbt", run_recorded)
    url = open_database(_filled[0])
    return Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))


@pytest.fixture
def site(salon: Workshop, _filled: tuple[str, Path], tmp_path: Path) -> ReportSite:
    """A copy of their site."""
    return ReportSite(folder=Path(shutil.copytree(_filled[1], tmp_path / "site")), url=salon.url, processes=1)


def find_canaries(workshop: Workshop, canaries: tuple[str, ...] = CANARIES) -> dict[str, int]:
    """Return every relation of the database, raw ones included, with rows in which a canary stands."""
    relations = workshop.execute(
        "select quote_ident(nspname) || '.' || quote_ident(relname) as name from pg_class "
        "join pg_namespace on pg_namespace.oid = relnamespace where relkind in ('r', 'p', 'v', 'm') "
        "and nspname !~ '^pg_' and nspname <> 'information_schema'"
    )
    patterns = [f"%{canary}%" for canary in canaries]
    found = {}
    with psycopg.connect(workshop.url) as connection:
        for relation in relations:
            query = f"select count(*) from {relation['name']} as rows where rows::text ilike any(%s)"
            (count,) = connection.execute(query, [patterns]).fetchone() or (0,)
            if count:
                found[relation["name"]] = count
    return found


def find_files(folder: Path) -> list[str]:
    found = []
    for path in folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as pack:
                data = b"".join(pack.read(name) for name in pack.namelist())
        if any(canary.encode() in data for canary in CANARIES):
            found.append(path.name)
    return found


def read_others(workshop: Workshop) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for mart in OF_PEOPLE:
        query = f"select * from {mart} where client_id = any(%s) order by {', '.join(MARTS[mart])}"
        rows = workshop.execute(query, [[make_id("second"), make_id("third")]])
        # Whose session somebody else's message stands in is no more known.
        found[mart] = [{key: row[key] for key in row if key != "session_client_id"} for row in rows]
    return found


def count_changes(changes: dict[str, Any]) -> int:
    return sum(change.inserted + change.updated + change.deleted for change in changes.values())


def forget_canary(workshop: Workshop, site: ReportSite | None = None, *, dies_at: str = "") -> Receipt:
    def note(step: str) -> None:
        if step == dies_at:
            raise KeyboardInterrupt

    [receipt] = forget(
        workshop.settings, workshop.url, client_id=CANARY, tenant=None, listener=Listener(note=note),
        site=site or ReportSite(folder=Path("/nowhere"), url=workshop.url, processes=1),
    )  # fmt: skip
    return receipt


def test_nothing_names_a_forgotten_person_and_every_total_is_what_it_was(salon: Workshop, site: ReportSite) -> None:
    values = {"salon": make_id("salon"), "canary": str(CANARY), "other": make_id("second")}
    with psycopg.connect(salon.url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(LATER, values)
    assert {"quality.rule_results", "quality.rows_set_aside", "quality.overheard"} <= find_canaries(salon).keys()
    assert len(find_files(site.folder)) > 5
    totals, others = salon.read_marts(TOTALS), read_others(salon)
    counts = {name: salon.execute(f"select count(*) as n from {name}") for name in (*OF_PEOPLE, "dashboard.outbox")}

    receipt = forget_canary(salon, site)

    assert find_canaries(salon) == {}
    assert find_files(site.folder) == []
    assert salon.read_marts(TOTALS) == totals
    assert read_others(salon) == others
    assert {name: salon.execute(f"select count(*) as n from {name}") for name in counts} == counts
    assert receipt.rows_before["public.recent_history_v2"] == 6
    assert receipt.rows_before["dashboard.dialogs"] == 7
    assert {SITE, "dashboard.outbox", "scoring.letters", "quality.overheard"} <= receipt.rows_before.keys()
    assert receipt.totals_after == receipt.totals_before
    assert receipt.totals_before["sessions"] == "10"
    [kept] = salon.execute("select * from quality.forgettings")
    assert (kept["receipt_id"], kept["tenant_id"]) == (receipt.receipt_id, make_id("salon"))
    assert salon.execute("select count(*) as n from quality.pending_forgettings") == [{"n": 0}]

    nobody = salon.execute("select * from clients_v2 where full_name = '[removed]'")
    assert [(row["phone"], row["telegram_chat_id"], row["created_at"].day) for row in nobody] == [(None, None, 2)]
    [score] = salon.execute("select client_id from scoring.client_scores where client_id = %s", [nobody[0]["id"]])
    assert score["client_id"] == nobody[0]["id"]
    messages = salon.execute("select status, message_text, payload from dashboard.outbox order by message_key")
    assert [tuple(row.values()) for row in messages] == [("sent", "", {}), ("withdrawn", "", {})]
    overheard = salon.execute("select words from quality.overheard order by words")
    assert [row["words"] for row in overheard] == ["[removed] звонила с 8 ([removed]", "тихо"]
    letters = salon.execute("select note, words from scoring.letters order by note nulls first")
    assert [(row["note"], row["words"]) for row in letters] == [(None, ["Здравствуй,\n[removed]", 1]), ("Милый!", {})]
    assert salon.execute("select status from wishlist_v2 order by id") == [
        {"status": "cancelled"},
        {"status": "pending"},
    ]

    for queue in ("build.touched_clients", "build.touched_visitors", "change_tracking.changed_clients"):
        assert salon.execute(f"select count(*) as n from {queue}") == [{"n": 0}]
    assert count_changes(salon.build(full_refresh=True)) == 0
    assert check_marts(salon.settings, salon.url, as_of=AS_OF) > 40
    broken = {result.rule_id for result in salon.check(is_full=True).results if result.is_broken}
    assert not {rule for rule in broken if rule.startswith(("wishes.", "clients."))}


def test_who_is_two_clients_is_forgotten_as_both_and_stays_one_person(salon: Workshop) -> None:
    salon.add_client(
        "salon", "twin", full_name="канарейка", phone="8 (916) 555-44-33", whatsapp_id="79165554433",
        created_at="2026-01-03 09:00+00",
    )  # fmt: skip
    book(salon, "salon", "twin", "birds", 24, {"visit_status": "arrived"}, booking_datetime="2026-02-26 12:00+00")
    salon.build()
    [person] = salon.execute("select * from dashboard.persons where person_id = %s", [CANARY])
    assert person["clients_count"] == 2
    totals = salon.read_marts(TOTALS)
    receipts = forget(
        salon.settings, salon.url, client_id=CANARY, tenant=None,
        site=ReportSite(folder=Path("/nowhere"), url=salon.url, processes=1),
    )  # fmt: skip
    assert len(receipts) == 2
    assert all(receipt.shared == () for receipt in receipts), "nobody else has the phone"
    assert find_canaries(salon, (*CANARIES, str(make_id("twin")))) == {}
    assert salon.read_marts(TOTALS) == totals
    [nobody] = salon.execute("select * from dashboard.persons where client_name = '[removed]'")
    assert (nobody["clients_count"], nobody["visits_count"], nobody["has_consent"]) == (
        2,
        person["visits_count"],
        False,
    )
    assert nobody["phone"].startswith("+999")


def test_postgres_itself_keeps_no_value_of_theirs(salon: Workshop, site: ReportSite) -> None:
    # As autovacuum had looked, which tests cannot wait for.
    salon.execute("analyze")
    assert find_statistics(salon)
    forget_canary(salon, site)
    assert find_statistics(salon) == []


def find_statistics(salon: Workshop) -> list[str]:
    rows = salon.execute(
        "select format('%s.%s.%s', schemaname, tablename, attname) as place, "
        "concat(most_common_vals::text, histogram_bounds::text, most_common_elems::text) as kept "
        "from pg_stats where schemaname not in ('pg_catalog', 'information_schema') order by 1"
    )
    return [row["place"] for row in rows if any(canary in row["kept"] for canary in CANARIES)]


def test_a_name_is_looked_for_in_every_order_of_its_words(probe: Workshop) -> None:
    with psycopg.connect(probe.url) as connection:
        connection.execute("update clients_v2 set full_name = 'Анна Канарейка' where id = %s", [CANARY])
        person = Person(
            client_id=CANARY, nobody_id=CANARY, tenant_id=make_id("salon"),
            terms=read_terms(connection, CANARY, tenant_id=None),
        )  # fmt: skip
        for words, is_found in (
            ("звонила Канарейка Анна", True), ("звонила Анна Канарейка", True), ("Анна и Канарейка", False),
        ):  # fmt: skip
            test = sql.SQL("select {}").format(person.write_test(sql.Literal(words)))
            assert connection.execute(test).fetchone() == (is_found,)
        connection.rollback()


def test_a_name_goes_out_of_what_others_say_in_every_order_of_its_words(salon: Workshop) -> None:
    for number, tenant, client, message in (
        (91, "salon", "second", "Я от Жёлтая Канарейка, она советовала"),
        (92, "far", "third", "канарейка  жёлтая привела"),
    ):
        salon.add_message(number, "2026-02-25 12:30+00", tenant=tenant, client=client, message=message)
    salon.execute("update wishlist_v2 set comment = 'вместе с Канарейка Жёлтая' where id = 2")
    forget_canary(salon)
    assert find_canaries(salon, ("Канарейка", "канарейка")) == {}
    said = salon.execute("select message from recent_history_v2 where id in (91, 92) order by id")
    assert [row["message"] for row in said] == ["Я от [removed], она советовала", "[removed] привела"]
    assert salon.execute("select comment from wishlist_v2 where id = 2") == [{"comment": "вместе с [removed]"}]


def test_of_two_of_one_name_nobody_says_who_is_meant(salon: Workshop) -> None:
    salon.add_client("salon", "namesake", full_name="Жёлтая Канарейка")
    salon.add_message(91, "2026-02-25 12:30+00", client="second", message="Я от Канарейка Жёлтая")
    forget_canary(salon)
    [said] = salon.execute("select message from recent_history_v2 where id = 91")
    assert said["message"] == "Я от Канарейка Жёлтая"


def test_who_is_deleted_in_the_raw_tables_is_gone_with_the_next_build(salon: Workshop) -> None:
    for table, column in (
        ("recent_history_v2", "user_id"), ("conversation_sessions_v2", "user_id"), ("wishlist_v2", "user_id"),
        ("active_sessions_v2", "user_id"), ("user_ltm_v2", "user_id"), ("clients_v2", "id"),
    ):  # fmt: skip
        salon.execute(f"delete from {table} where {column} = %s", [CANARY])
    salon.build()
    # The session's id alone is left, in somebody else's message.
    assert find_canaries(salon) == {}
    stale = "select count(*) as n from dashboard.predictions where booking_id like 'bird%'"
    assert salon.execute(stale) == [{"n": 0}]
    assert salon.execute("select count(*) as n from dashboard.predictions")[0]["n"] == 6
    assert salon.execute("select count(*) as n from scoring.client_scores")[0]["n"] == 2
    reasons = salon.execute(
        "select distinct reason from dashboard.restatements where tenant_id = %s", [make_id("salon")]
    )
    # Money goes by the day of the visit, on which no dialogue was removed.
    assert {row["reason"] for row in reasons} == {"removed_rows", "changed_rows"}
    standing = "select * from quality.client_failures order by tenant_id, client_id, rule_id"
    salon.check()
    changed_only = salon.execute(standing)
    salon.check(is_full=True)
    assert changed_only == salon.execute(standing)


def test_a_process_that_died_half_way_goes_on_where_it_stopped(salon: Workshop, run_command: RunCommand) -> None:
    totals = salon.read_marts(TOTALS)
    scored = "select client_id from scoring.client_scores where client_id = %s"
    with pytest.raises(KeyboardInterrupt):
        forget_canary(salon, dies_at="what is kept")
    assert salon.execute("select count(*) as n from clients_v2 where id = %s", [CANARY]) == [{"n": 0}]
    assert "dashboard.clients" in find_canaries(salon)
    # A build makes the marts right, and leaves what is kept to who keeps the counts.
    salon.build()
    assert salon.execute(scored, [CANARY]) == [{"client_id": CANARY}]
    with pytest.raises(KeyboardInterrupt):
        forget_canary(salon, dies_at="searching every column")
    answer = run_command("forget", database_url=salon.url)
    assert answer.code == 0, answer.err
    assert "sessions: 10 (as before)" in answer.out
    assert find_canaries(salon) == {}
    assert salon.read_marts(TOTALS) == totals
    assert salon.execute("select count(*) as n from scoring.client_scores") == [{"n": 3}]


def test_in_older_tables_without_tracking_too(
    open_database: Callable[[str | None], str], home: Path, run_command: RunCommand
) -> None:
    url = open_database(None)
    salon = Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))
    salon.migrate(is_oldest=True, with_change_tracking=False)
    salon.add_tenant(slug="salon")
    salon.add_client("salon", "canary", full_name="Канарейка Жёлтая", phone="+7 916 555-44-33")
    salon.add_client("salon", "namesake", full_name="Канарейка Жёлтая", phone="+7 916 000-00-00")
    book(salon, "salon", "canary", "canary 3", 3, {})
    running = {
        "session_id": make_id("now"), "tenant_id": make_id("salon"), "user_id": CANARY, "channel": "telegram",
        "state": {"said": "СЕКРЕТ"},
    }  # fmt: skip
    salon.insert("active_sessions_v2", [running, {**running, "session_id": make_id("idle")}])
    # Here messages may name no session but one that is running.
    salon.add_message(1, "2026-02-03 10:01+00", session="now", client="canary", message="СЕКРЕТ")
    wishes = [wish(1, "canary", "2027-03-05"), wish(2, "canary", "2026-02-05")]
    salon.insert("wishlist_v2", [{key: row[key] for key in row if key != "status"} for row in wishes])
    salon.build_with_dbt()
    salon.execute(
        "insert into scoring.client_scores select tenant_id, client_id, 0.5, 30, 30, 1, '2026-02-28' "
        "from dashboard.clients where client_id = %s",
        [CANARY],
    )
    totals = salon.read_marts(TOTALS)

    with pytest.raises(KeyboardInterrupt):
        forget_canary(salon, dies_at="what is kept")
    assert salon.execute("select count(*) as n from clients_v2 where id = %s", [CANARY]) == [{"n": 0}]
    assert "dashboard.clients" in find_canaries(salon)
    answer = run_command("forget", database_url=url)
    assert answer.code == 0, answer.err
    assert "others of the salon share the name" in answer.out.lower()
    assert "sessions: 1 (as before)" in answer.out
    # The namesake is another person.
    assert salon.execute("select full_name from clients_v2 where id = %s", [make_id("namesake")]) == [
        {"full_name": "Канарейка Жёлтая"}
    ]
    assert find_canaries(salon, tuple(canary for canary in CANARIES if canary != "Канарейка")) == {}
    assert salon.read_marts(TOTALS) == totals
    assert salon.execute("select count(*) as n from scoring.client_scores") == [{"n": 1}]
    assert salon.execute("select session_id, state from active_sessions_v2") == [
        {"session_id": make_id("now"), "state": {}}
    ]
    assert [row["id"] for row in salon.execute("select id from wishlist_v2")] == [2]
    again = run_command("forget", "--client", str(CANARY), database_url=url)
    assert (again.code, "is known" in again.err) == (2, True)
    assert run_command("forget", database_url=url).code == 2


def test_a_dry_run_shows_where_a_client_is_named_and_changes_nothing(
    salon: Workshop, site: ReportSite, run_command: RunCommand
) -> None:
    before = find_canaries(salon)
    answer = run_command(
        "forget", "--client", str(CANARY), "--dry-run", database_url=salon.url, report_folder=str(site.folder)
    )
    assert answer.code == 0, answer.err
    assert "Nothing was changed" in answer.out
    for place in ("public.clients_v2", "dashboard.dialogs", "quality.rule_results", "dashboard.waitlist", SITE):
        assert place in answer.out
    assert find_canaries(salon) == before
    assert "Канарейка" not in answer.out
    assert run_command("forget", "--client", str(uuid.uuid4()), "--dry-run", database_url=salon.url).code == 2
    assert run_command("forget", "--client", "Anna", database_url=salon.url).code == 2
    elsewhere = run_command("forget", "--client", str(CANARY), "--tenant", "far", "--dry-run", database_url=salon.url)
    assert elsewhere.code == 2
    salon.execute("alter table clients_v2 drop constraint clients_v2_pkey cascade")
    salon.insert("clients_v2", [{"id": CANARY, "tenant_id": make_id("far"), "full_name": "Иной Гость"}])
    nowhere = ReportSite(folder=Path("/nowhere"), url=salon.url, processes=1)
    with pytest.raises(SetupError, match="2 salons have a client"):
        plan_forgetting(salon.url, client_id=CANARY, tenant=None, site=nowhere)
    assert (
        plan_forgetting(salon.url, client_id=CANARY, tenant="far", site=nowhere)[0].rows_before["public.clients_v2"]
        == 1
    )


def test_rows_that_somebody_holds_and_a_missing_right_leave_everything_as_it_was(
    salon: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = find_canaries(salon)
    monkeypatch.setattr(nobodies, "LOCK_TIMEOUT", "200ms")
    with psycopg.connect(salon.url) as bot:
        bot.execute("update recent_history_v2 set meta = meta where id = 1")
        with pytest.raises(AgentpError, match="held by somebody else"):
            forget_canary(salon)
        bot.rollback()
    assert find_canaries(salon) == before
    salon.execute("alter table clients_v2 add column language text not null default 'ru'")
    salon.execute("alter table clients_v2 alter column language drop default")
    with pytest.raises(AgentpError, match="do not let the client go") as error:
        forget_canary(salon)
    assert "Канарейка" not in str(error.value)
    person = Person(client_id=CANARY, nobody_id=uuid.uuid4(), tenant_id=make_id("salon"))
    with psycopg.connect(salon.url) as connection:
        role = f"reader_{uuid.uuid4().hex[:8]}"
        connection.execute(f"create role {role}")
        connection.execute("select access.join_role(%s)", (role,))
        connection.execute(f"set local role {role}")
        with pytest.raises(SetupError, match="may not change the raw tables") as refusal:
            make_nobodys(connection, person, present=salon.execute("select now() as t")[0]["t"])
        assert "let the bot delete the client" in refusal.value.cure
        connection.rollback()


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=5, max_size=30)


@pytest.fixture(scope="module")
def probe(make_database: Callable[[str | None], str], built_template: str) -> Workshop:
    """A salon with one client."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(database_url=url))
    workshop.add_tenant()
    workshop.add_client("salon", "canary")
    return workshop


@given(name=NAMES)
def test_a_name_is_found_in_rows_json_and_files_however_it_is_written(probe: Workshop, name: str) -> None:
    with psycopg.connect(probe.url) as connection:
        connection.execute("update clients_v2 set full_name = %s where id = %s", [name, CANARY])
        person = Person(
            client_id=CANARY, nobody_id=CANARY, tenant_id=make_id("salon"),
            terms=read_terms(connection, CANARY, tenant_id=None),
        )  # fmt: skip
        if not person.terms:
            assert sum(character.isalnum() for character in name) < 5
            return
        row = connection.execute(
            sql.SQL("select {}, {} from clients_v2 as rows").format(
                replace(person, client_id=make_id("other")).write_test(sql.SQL("rows::text")),
                person.write_test(sql.SQL("jsonb_build_array('x', {}::text)::text").format(name)),
            )
        ).fetchone()
        connection.rollback()
    assert row == (True, True)


@pytest.mark.parametrize(
    ("phone", "written", "others"),
    [
        ("+7 916 555-44-33", "+7 (916) 555-44-33", "+7 916 555-44-34"),
        ("+7 916 555-44-33", "8 916 5554433", "8 916 5554434"), ("89165554433", "79165554433", "79165554434"),
        ("9165554433", "8 916 555 44 33", "9165554434"), ("+79165554433", "9165554433", "916555443"),
        # Numbers of fewer than ten digits, and of more.
        ("+372 5123 4567", "+372 51234567", "151234567"), ("37251234567", "5123 4567", "512345678"),
        ("+374 91 123456", "091 123-456", "37591123456"), ("00374 91 123456", "+374 (91) 123-456", "1091123456"),
        ("+49 1512 3456789", "0151 23456789", "0152 23456789"), ("4915123456789", "+49 1512-3456789", "5123456789"),
        ("+376 312345", "376 312 345", "312345"),
    ],
)  # fmt: skip
def test_a_phone_is_found_however_it_is_written_and_in_a_workbook(
    probe: Workshop, tmp_path: Path, phone: str, written: str, others: str
) -> None:
    with psycopg.connect(probe.url) as connection:
        connection.execute("update clients_v2 set phone = %s where id = %s", [phone, CANARY])
        person = Person(
            client_id=CANARY, nobody_id=CANARY, tenant_id=make_id("salon"),
            terms=read_terms(connection, CANARY, tenant_id=None),
        )  # fmt: skip
        for text, is_theirs in ((written, True), (phone, True), (others, False)):
            test = sql.SQL("select {}").format(person.write_test(sql.Literal(f"tel {text}")))
            assert connection.execute(test).fetchone() == (is_theirs,), text
        connection.rollback()
    (tmp_path / "page.html").write_text(f"<p>{written}</p>", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "salon.xlsx", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("sheet.xml", f"<c>{written}</c>" * 9)
    (tmp_path / "other.json").write_text(json.dumps({"n": others}), encoding="utf-8")
    assert count_files(tmp_path, person) == 2
