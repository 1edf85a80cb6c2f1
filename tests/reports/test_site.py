"""A site says what the marts say, leads nowhere that is not there, and asks the database a bounded number of times."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from reports import reading
from reports.assets import Assets
from reports.audiences import Audience, Veil
from reports.books import CHAIN_PAGES, SALON_PAGES
from reports.formats import get_formats
from reports.rendering import DIALOGS_A_FILE
from reports.salon_pages import write_salon
from reports.selections import SALON
from reports.site import write_site
from reports.texts import read_texts
from tests.reports.chain_filled import COUNT, TEXTS
from tests.reports.site_reading import (
    LANGUAGES,
    find_salon,
    list_pages,
    parse,
    read_csv,
    read_dialogs,
    read_tab,
    snap,
)
from tests.support.marts import Workshop, make_id

SALONS = ("north", "far")
LAST_30 = "day between date '2026-01-30' and date '2026-02-28'"


def ask(chain: Workshop, query: str, salon: str) -> list[dict[str, Any]]:
    return chain.execute(query, {"tenant": make_id(salon)})


@pytest.mark.parametrize("salon", SALONS)
@pytest.mark.parametrize(("table", "mart"), [("sessions", "sessions"), ("clients", "persons")])
def test_every_row_of_a_mart_is_on_its_page_and_in_its_files(
    chain: Workshop, owner_site: Path, salon: str, table: str, mart: str
) -> None:
    folder = owner_site / find_salon(chain, salon)
    key = mart.removesuffix("s") + "_id"
    rows = chain.execute(f"select {key}::text as key from dashboard.{mart} where tenant_id = %s", [make_id(salon)])
    expected = Counter(row["key"] for row in rows)
    assert len(expected) >= COUNT
    for language in LANGUAGES:
        packed = parse(folder / language / f"{table}.html").find_rows(table)
        place = packed["names"].index(key)
        assert Counter(row[place] for row in packed["rows"]) == expected
        assert salon != "far" or _holds_all_names(packed)
    assert Counter(read_csv(folder / "files" / f"{table}.csv")[key]) == expected
    tab = read_tab(folder / "files" / "tables.xlsx", table)
    assert Counter(cell for row in tab for cell in row if cell in expected) == expected


def _holds_all_names(packed: dict[str, Any]) -> bool:
    names = {row[packed["names"].index("client_name")] for row in packed["rows"]}
    shown = {text[:300] for text in TEXTS}
    return {text for text in shown if text == text.strip() and text and text.isprintable()} <= names


def test_the_figures_of_thirty_days_are_those_of_the_marts(chain: Workshop, owner_site: Path) -> None:
    [days] = ask(
        chain,
        "select sum(dialogs_started)::int as dialogs, sum(bookings)::int as bookings, sum(new_persons)::int as new, "
        "sum(intended_dialogs)::int as intended, sum(intended_bookings)::int as intended_bookings "
        f"from dashboard.metrics_dailies where tenant_id = %(tenant)s and is_final and {LAST_30}",
        "north",
    )
    [people] = ask(
        chain,
        "select count(distinct person_id) as clients, count(*) as sessions, "
        "count(*) filter (where is_booked) as booked from dashboard.sessions "
        "join dashboard.clients using (tenant_id, client_id) where tenant_id = %(tenant)s and "
        "(started_at at time zone 'Europe/Moscow')::date between '2026-01-30' and '2026-02-28'",
        "north",
    )
    [money] = ask(
        chain,
        "select sum(kept_amount) as kept from dashboard.revenue_daily where tenant_id = %(tenant)s "
        f"and is_final and currency = 'RUB' and {LAST_30}",
        "north",
    )
    assert days["dialogs"] == people["sessions"] > 100
    [made] = ask(
        chain,
        "select count(*) as booked from dashboard.visits where tenant_id = %(tenant)s and outcome <> 'moved' "
        "and (first_booked_at at time zone 'Europe/Moscow')::date between '2026-01-30' and '2026-02-28'",
        "north",
    )
    assert days["dialogs"] > days["intended"] > days["intended_bookings"] > 0
    assert days["bookings"] == people["booked"] > made["booked"] > 0
    formats, texts = get_formats("ru"), read_texts("ru")
    said = parse(owner_site / find_salon(chain, "north") / "ru" / "index.html").text
    panel = said[said.index(texts.get("overview.figures.title")) :]
    # Periods stand in the page one after the other, 7, 30 and 90 days; a title is followed by its figure.
    expected = {
        "dialogs": formats.write_number(days["dialogs"]), "bookings": formats.write_number(made["booked"]),
        "unique_clients": formats.write_number(people["clients"]), "new_clients": formats.write_number(days["new"]),
        "conversion": formats.write_percent(Decimal(days["intended_bookings"]) / days["intended"]),
        "kept_amount": formats.write_money(money["kept"], "RUB"),
    }  # fmt: skip
    for measure, figure in expected.items():
        title = texts.get(f"kpi.{measure}.title")
        places = [place for place, text in enumerate(panel) if text == title]
        assert len(places) >= 3, measure
        assert panel[places[1] + 1] == figure, measure


@pytest.mark.parametrize("salon", SALONS)
def test_charts_of_the_days_add_up_to_the_marts(chain: Workshop, owner_site: Path, salon: str) -> None:
    [expected] = ask(
        chain,
        "select sum(dialogs_started)::int as sessions, sum(new_bookings)::int as bookings, count(*) as days "
        "from dashboard.metrics_dailies where tenant_id = %(tenant)s and is_final and day > date '2026-02-28' - 90",
        salon,
    )
    [money] = ask(
        chain,
        "select sum(kept_amount) as kept from dashboard.revenue_daily where tenant_id = %(tenant)s and is_final "
        "and day > date '2026-02-28' - 90",
        salon,
    )
    for language in LANGUAGES:
        days, revenue, _ = parse(owner_site / find_salon(chain, salon) / language / "index.html").find_values()
        assert sum(value["sessions"] for value in days) == expected["sessions"]
        assert sum(value["bookings"] for value in days) == expected["bookings"]
        assert len(days) == expected["days"]
        assert sum(Decimal(str(value["amount"])) for value in revenue) == money["kept"]


@pytest.mark.parametrize("salon", SALONS)
def test_funnel_and_hours_add_up_to_the_marts(chain: Workshop, owner_site: Path, salon: str) -> None:
    steps = ("sessions_started", "chose_service", "chose_staff", "chose_time", "booked")
    totals = ", ".join(f"sum({step})::int as {step}" for step in steps)
    [funnel] = ask(
        chain,
        f"select {totals} from dashboard.funnel_daily where tenant_id = %(tenant)s and is_final and {LAST_30}",
        salon,
    )
    [age] = ask(
        chain,
        "select least(12, greatest(1, (date '2026-02-28' - min(day) + 1) / 7)) as weeks "
        "from dashboard.traffic_hourly where tenant_id = %(tenant)s",
        salon,
    )
    weeks = age["weeks"]
    assert weeks > 1
    [hours] = ask(
        chain,
        "select sum(user_messages)::int as messages, sum(sessions_started)::int as sessions "
        "from dashboard.traffic_hourly where tenant_id = %(tenant)s and is_final "
        f"and day > date '2026-02-28' - {7 * weeks:d}",
        salon,
    )
    folder = owner_site / find_salon(chain, salon)
    drawn, heat_map = parse(folder / "en" / "funnel.html").find_values()
    assert [value["sessions"] for value in drawn] == [funnel[step] for step in steps]
    assert funnel["sessions_started"] > funnel["booked"] > 0
    assert len(heat_map) == 168
    # A cell is rounded to hundredths of a message a week.
    assert abs(sum(value["per_week"] for value in heat_map) * weeks - hours["messages"]) < 168 * 0.005 * weeks
    listed = read_csv(folder / "files" / "hours.csv")
    assert sum(map(int, listed["user_messages"])) == hours["messages"] > 0
    assert sum(map(int, listed["sessions_started"])) == hours["sessions"] > 0


@pytest.mark.parametrize("salon", SALONS)
def test_the_waitlist_page_lists_every_wish_and_marks_those_that_are_over(
    chain: Workshop, owner_site: Path, salon: str
) -> None:
    counted = "select count(*) as n from dashboard.{} where tenant_id = %(tenant)s"
    folder = owner_site / find_salon(chain, salon)
    tables = {
        "wishes": counted.format("waitlist"), "risky-slots": counted.format("risky_slots"),
        "matches": counted.format("waitlist_matches"), "offers": counted.format("slot_offers"),
    }  # fmt: skip
    [expired] = ask(chain, counted.format("waitlist") + " and is_expired", salon)
    for table, query in tables.items():
        [expected] = ask(chain, query, salon)
        assert expected["n"] > 0
        assert len(read_csv(folder / "files" / f"{table}.csv")) == expected["n"], table
    marks = read_csv(folder / "files" / "wishes.csv")["is_expired"].tolist()
    assert marks == sorted(marks)
    assert marks.count("true") == expired["n"] > 0
    page = (folder / "ru" / "waitlist.html").read_text(encoding="utf-8")
    assert page.count(f"\n{read_texts('ru').get('waitlist.expired')}</td>") == expired["n"]
    [win_back] = ask(chain, counted.format("win_back") + " and is_candidate", salon)
    listed = [len(read_csv(folder / "files" / f"win-back-{segment}.csv")) for segment in ("regular", "one-visit")]
    assert sum(listed) == win_back["n"] > 0


@pytest.mark.parametrize("salon", SALONS)
def test_every_message_of_every_session_is_in_its_dialog_in_order(
    chain: Workshop, owner_site: Path, salon: str
) -> None:
    expected: dict[str, list[list[str]]] = {}
    zone = "Europe/Moscow" if salon == "north" else "Asia/Vladivostok"
    for row in chain.execute(
        "select session_id::text as session, role, to_char(sent_at at time zone %s, 'HH24:MI') as minute, "
        "message_text as text from dashboard.dialogs where tenant_id = %s order by session_id, position",
        [zone, make_id(salon)],
    ):
        text = row["text"] if len(row["text"]) <= 4_000 else row["text"][:4_000] + " […]"
        expected.setdefault(row["session"], []).append([row["role"], row["minute"], text])
    assert read_dialogs(owner_site / find_salon(chain, salon)) == expected
    assert sum(map(len, expected.values())) > 2 * COUNT


def test_the_file_that_a_session_opens_holds_it(chain: Workshop, owner_site: Path) -> None:
    folder = owner_site / find_salon(chain, "north")
    packed = parse(folder / "ru" / "sessions.html").find_rows("sessions")
    place = packed["names"].index("session_id")
    assert packed["dialogs"] == DIALOGS_A_FILE < len(packed["rows"])
    with_messages = set(read_dialogs(folder))
    assert len(with_messages) == COUNT
    for number, row in enumerate(packed["rows"]):
        if row[place] in with_messages:
            assert row[place] in (folder / "dialogs" / f"{number // DIALOGS_A_FILE}.js").read_text(encoding="utf-8")


@pytest.mark.server
@pytest.mark.parametrize("audience", ["owner", "analyst"])
def test_every_link_of_every_page_leads_to_a_file_that_is_there(request: pytest.FixtureRequest, audience: str) -> None:
    site: Path = request.getfixturevalue(f"{audience}_site")
    pages = list_pages(site)
    wanted = len(LANGUAGES) * (3 * len(SALON_PAGES) + len(CHAIN_PAGES)) + 1 + 3
    assert len(pages) == wanted
    for page in pages:
        parsed = parse(page)
        anchors = {attributes["id"] for _, attributes in parsed.tags if attributes.get("id")}
        targets = [
            attributes.get(name)
            for tag, name in (("a", "href"), ("link", "href"), ("script", "src"), ("img", "src"))
            for attributes in parsed.find(tag)
            if name in attributes
        ]
        assert targets
        for target in targets:
            assert target is not None
            parts = urlsplit(target)
            if target == "data:," or target.removeprefix("tel:+").isdigit():
                continue
            assert (parts.scheme, parts.netloc) == ("", ""), (page, target)
            if parts.path:
                found = (page.parent / unquote(parts.path)).resolve()
                assert found.is_file(), (page, target)
                assert site.resolve() in found.parents
            else:
                assert parts.fragment in anchors, (page, target)


def test_a_slug_cannot_lead_out_of_the_site(chain: Workshop, owner_site: Path) -> None:
    assert {path.name for path in owner_site.iterdir()} == {
        ".lock", "site.json", "assets", "salons", "ru", "en", "files", "index.html",
    }  # fmt: skip
    assert {f"salons/{path.name}" for path in (owner_site / "salons").iterdir()} == {
        find_salon(chain, salon) for salon in ("north", "far", "west")
    }
    assert not [path for path in owner_site.rglob("*") if path.is_symlink() or ".." in path.name]


def test_salons_of_one_name_are_told_apart(chain: Workshop, owner_site: Path) -> None:
    said = parse(owner_site / "ru" / "index.html")
    for salon in ("north", "west"):
        folder = find_salon(chain, salon)
        assert f"Студия ({folder.removeprefix('salons/')})" in said.text
        assert f"../{folder}/ru/index.html" in [link["href"] for link in said.find("a")]


def test_what_people_are_called_and_wrote_is_in_no_file_of_the_analysts(
    chain: Workshop, owner_site: Path, analyst_site: Path
) -> None:
    words = ("Ёлкина", "7916", "+7 916")
    salons = [find_salon(chain, salon) for salon in ("north", "far")]

    def search(site: Path) -> set[str]:
        texts = [str(read_tab(site / salon / "files" / "tables.xlsx", "clients")) for salon in salons]
        for path in (path for path in site.rglob("*") if path.suffix in (".html", ".csv", ".js", ".json")):
            if path.parent.name != "assets":
                texts.append(path.read_text(encoding="utf-8"))
        return {word for word in words if any(word in text for text in texts)}

    assert search(owner_site) == set(words)
    assert search(analyst_site) == set()
    assert not list(analyst_site.rglob("dialogs"))
    for salon in salons:
        for path in (analyst_site / salon / "files").glob("*.csv"):
            assert not set(read_csv(path).columns) & {"phone", "summary", "wish_comment"}, path
        codes = read_csv(analyst_site / salon / "files" / "clients.csv")["client_name"]
        assert codes.str.fullmatch(r"#[0-9a-f]{8}").all()


def test_a_salon_takes_as_many_queries_whatever_its_rows(
    chain: Workshop, owner_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    execute = psycopg.Connection.execute

    def count(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        asked.append(str(query))
        return execute(self, query, *arguments, **options)

    assets = json.loads((owner_site / "site.json").read_text(encoding="utf-8"))["assets"]
    monkeypatch.setattr(psycopg.Connection, "execute", count)
    found = {}
    for salon in ("north", "west"):
        with reading.open_snapshot(chain.url) as (connection, _):
            [chosen] = reading.read_salons(connection, (str(make_id(salon)),))
            asked.clear()
            write_salon(
                connection, chosen, tmp_path / salon, veil=Veil(Audience.OWNER),
                assets=Assets(**assets), has_chain=True,
            )  # fmt: skip
        found[salon] = len([query for query in asked if "set_config" not in query])
    rows = chain.execute("select count(*) as n from dashboard.sessions where tenant_id = %s", [make_id("north")])
    files = -(-rows[0]["n"] // DIALOGS_A_FILE)
    assert files == 2
    assert found == {"north": len(SALON) + files, "west": len(SALON)}


def test_a_site_shows_one_moment_though_the_marts_change_while_it_is_written(
    small: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    select = reading.sign_salons

    def change_first(*arguments: Any) -> Any:
        small.execute("delete from dashboard.sessions where tenant_id = %s", [make_id("north")])
        small.execute("delete from dashboard.dialogs where tenant_id = %s", [make_id("north")])
        return select(*arguments)

    monkeypatch.setattr("reports.site.sign_salons", change_first)
    write_site(small.url, tmp_path / "site", audience=Audience.OWNER, processes=1)
    folder = tmp_path / "site" / find_salon(small, "north")
    sessions = parse(folder / "ru" / "sessions.html").find_rows("sessions")["rows"]
    assert len(sessions) > 0
    monkeypatch.undo()
    # What was deleted meanwhile is another state of the marts, and the next write shows it.
    report = write_site(small.url, tmp_path / "site", audience=Audience.OWNER, processes=1)
    assert report.rendered == 1
    assert not parse(folder / "ru" / "sessions.html").data


def test_equal_marts_make_equal_files(chain: Workshop, owner_site: Path, tmp_path: Path) -> None:
    west = find_salon(chain, "west")
    write_site(chain.url, tmp_path / "site", audience=Audience.OWNER, tenants=("west",), processes=1)

    def read(site: Path) -> dict[str, bytes]:
        return {name: data for name, (_, data) in snap(site / west / "files").items() if name.endswith(".csv")}

    assert read(tmp_path / "site") == read(owner_site)
    assert len(read(owner_site)) > 10


def test_numbers_and_days_that_no_page_has_words_for_are_read_as_nothing(chain: Workshop) -> None:
    with reading.open_snapshot(chain.url) as (connection, _):
        row = connection.execute(
            "select 'NaN'::numeric, 'Infinity'::numeric, '-Infinity'::numeric, '20261-03-05'::date, 'infinity'::date, "
            "'20261-03-05'::timestamptz, 1.50::numeric, '2026-03-05'::date"
        ).fetchone()
    assert row == (None, None, None, None, None, None, Decimal("1.50"), date(2026, 3, 5))
