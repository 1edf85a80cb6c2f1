"""Pages as HTML: whatever clients are called and write, a page stays what it is; analysts read nobody's name."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import openpyxl
import pandas as pd
import pytest

from reports.audiences import Veil
from reports.blocks import Frames, Page
from reports.formats import NOTHING, get_formats, write_phone
from reports.pages.context import to_number
from reports.rendering import DIALOGS_A_FILE, WORKBOOK, render_page, write_files, write_json
from reports.selections import CHAIN, MOST_ROWS, SALON, Selection
from reports.tables import Column, Table, make_sheet, write_cells
from reports.texts import LANGUAGES, read_texts
from tests.reports.chain_frames import CHAIN_FRAMES, NAMES, make_chain
from tests.reports.editions import ASSETS, EDITIONS, PAGES, Site, build_page, make_context, name_edition, render
from tests.reports.pages_read import read_page
from tests.reports.salon_frames import (
    ANALYST,
    ANNA,
    OWNER,
    PHONES,
    SALON_FRAMES,
    SUMMARIES,
    make_salon,
    veil_frames,
)  # fmt: skip
from tests.reports.salon_frames import (
    NAMES as CLIENT_NAMES,
)
from tests.support.hostile import HOSTILE

HARMLESS = tuple(f"text {number}" for number in range(len(HOSTILE)))
WRITTEN = (
    "client_name", "phone", "summary", "intent", "channel", "service_title", "staff_name", "service_id", "staff_id",
    "favourite_staff_id", "booking_currency", "time_preference", "wish_comment", "reason", "reason_en", "status",
    "drop_off_stage", "lifecycle", "booking_id", "waiting_client_name", "waiting_phone", "booked_client_name",
    "value_currency", "spend_currency", "slot_currency", "currency", "error", "job", "as_of", "outcome", "title",
    "detail", "kind", "problem", "table_name", "severity", "action", "meaning_en", "meaning_ru",
)  # fmt: skip
"""Columns in which a text stands that a client, a bot or a log wrote, or could."""
COMMENTS = [str(text) for text in SALON_FRAMES["waitlist"]["wish_comment"].tolist() if text]
"""What clients added to wishes, which no page shows to anybody."""
SECRETS = [*(name for name in CLIENT_NAMES.values() if name), *SUMMARIES, *COMMENTS]


def infest(frames: dict[str, pd.DataFrame], texts: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Make the rows as many as the texts, each with one of them wherever somebody could have written it.

    The figures of `kpis` stay: its currencies are codes, and its rows one a measure.
    """
    found = {}
    for name, frame in frames.items():
        if name == "kpis" or frame.empty:
            found[name] = frame
            continue
        rows = pd.concat([frame] * (len(texts) // len(frame) + 1), ignore_index=True).iloc[: len(texts)]
        written = {column: pd.Series(texts, dtype=object) for column in WRITTEN if column in rows}
        found[name] = rows.astype(object).assign(**written)
    return found


def infest_site(site: Site, texts: tuple[str, ...], veil: Veil = OWNER) -> Frames:
    frames: tuple[dict[str, pd.DataFrame], dict[str, Selection]] = (
        (SALON_FRAMES, SALON) if site == "salon" else (CHAIN_FRAMES, CHAIN)
    )
    return veil_frames(infest(frames[0], texts), frames[1], veil)


def render_infested(site: Site, name: str, language: str, texts: tuple[str, ...]) -> tuple[Page, str]:
    """A page of frames full of the texts; the salon, the menu and the salons of the chain are called so too."""
    names = {tenant: texts[place] for place, tenant in enumerate(NAMES)}
    page = build_page(site, name, language, OWNER, frames=infest_site(site, texts), names=names)
    links = dict.fromkeys(names, "../salons/x/index.html") if site == "chain" else None
    return page, render(page, language, OWNER, heading=texts[3], menu=[(name, texts[1])], links=links)


@pytest.fixture(scope="module")
def pages() -> dict[tuple[Site, str], tuple[Page, str]]:
    """Every page of the hostile frames, rendered once; languages by turns."""
    return {
        (site, name): render_infested(site, name, LANGUAGES[place % 2], HOSTILE)
        for place, (site, name) in enumerate(PAGES)
    }


Infested = dict[tuple[Site, str], tuple[Page, str]]


def find_nameless(name: str) -> str:
    """What stands for a client without a name in the language in which the page of the salon was rendered."""
    return read_texts(LANGUAGES[PAGES.index(("salon", name)) % 2]).get("site.nameless")


@pytest.mark.parametrize(("site", "name"), PAGES)
def test_hostile_text_makes_no_element_and_no_attribute(pages: Infested, site: Site, name: str) -> None:
    language = LANGUAGES[PAGES.index((site, name)) % 2]
    hostile = read_page(pages[site, name][1])
    harmless = read_page(render_infested(site, name, language, HARMLESS)[1])
    # A text that happens to be a phone is one, and dials nothing but digits.
    dials = [element for element in hostile.elements if element[0] == "a" and "tel:" in str(element[1])]
    assert all(re.search(r"'tel:\+\d+'", str(attributes)) for _, attributes in dials)
    assert [element for element in hostile.elements if element not in dials] == harmless.elements
    assert not hostile.comments
    assert not hostile.unbalanced
    assert not hostile.open_tags
    assert not [attribute for attribute in hostile.attributes if attribute.startswith("on")]
    assert not {"img", "iframe", "svg", "base", "style", "object"} & {tag for tag, _ in hostile.elements}


@pytest.mark.parametrize(("site", "name"), PAGES)
def test_no_text_ends_a_script_or_begins_another(pages: Infested, site: Site, name: str) -> None:
    html = pages[site, name][1]
    scripts = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert all(not re.search("[<>&\u2028\u2029]", script) for script in scripts)
    assert len(re.findall("<script", html)) == len(read_page(html).scripts)


@pytest.mark.parametrize(("site", "name"), PAGES)
def test_data_in_a_page_reads_back_as_it_was(pages: Infested, site: Site, name: str) -> None:
    page, html = pages[site, name]
    read = read_page(html)
    language = LANGUAGES[PAGES.index((site, name)) % 2]
    context = make_context(Frames(), language, OWNER)
    packed = [data for data in read.data if isinstance(data, dict)]
    long = [table for table in page.list_tables() if table.is_long]
    for table, data in zip(long, packed, strict=True):
        cells = write_cells(table, context.texts, context.formats)
        assert data["names"] == [column.name for column in table.on_page]
        assert [[cell if isinstance(cell, str) else cell[0] for cell in row] for row in data["rows"]] == [
            [cell.text for cell in row] for row in cells
        ]
        assert len(data["rows"]) == len(table.frame)


def test_names_and_words_of_clients_stand_in_the_list_as_they_were_written(pages: Infested) -> None:
    data = next(data for data in read_page(pages["salon", "sessions"][1]).data if isinstance(data, dict))
    shown = {name: [row[place] for row in data["rows"]] for place, name in enumerate(data["names"])}
    assert shown["summary"] == [text or NOTHING for text in HOSTILE]
    assert shown["client_name"] == [text or find_nameless("sessions") for text in HOSTILE]
    clients = next(data for data in read_page(pages["salon", "clients"][1]).data if isinstance(data, dict))
    place = clients["names"].index("phone")
    phones = [row[place] if isinstance(row[place], str) else row[place][0] for row in clients["rows"]]
    assert phones == [write_phone(text) for text in HOSTILE]


def test_names_stand_in_the_cells_of_short_tables_as_they_were_written(pages: Infested) -> None:
    page, html = pages["salon", "win-back"]
    cells = read_page(html).cells
    for table in page.list_tables():
        names = [row[0] for row in cells[f"table-{table.name}"]]
        assert names == [text or find_nameless("win-back") for text in table.frame["client_name"].tolist()]
        assert set(HOSTILE) & set(names)


def test_names_of_salons_stand_in_charts_and_links_as_they_are(pages: Infested) -> None:
    page, html = pages["chain", "index"]
    read = read_page(html)
    assert read.data[0][0]["salon"] == HOSTILE[0]
    assert [row[0] for row in read.cells["table-leaderboard"]] == list(HOSTILE[:3])
    assert html.count('<a href="../salons/x/index.html">') == 3
    assert page.list_tables()[0].name == "leaderboard"


def test_json_in_a_script_reads_back_and_cannot_end_it() -> None:
    for text in HOSTILE:
        written = write_json({"rows": [[text, [text, 1.5]]], text: None})
        assert json.loads(written) == {"rows": [[text, [text, 1.5]]], text: None}
        assert not set(written) & set("<>&\u2028\u2029")


@pytest.mark.parametrize(("language", "veil"), EDITIONS, ids=[name_edition(*edition) for edition in EDITIONS])
@pytest.mark.parametrize(("site", "name"), PAGES)
def test_every_page_is_whole_html_with_every_id_once(site: Site, name: str, language: str, veil: Veil) -> None:
    read = read_page(render(build_page(site, name, language, veil), language, veil))
    assert not read.unbalanced
    assert not read.open_tags
    assert len(read.ids) == len(set(read.ids))
    assert [tag for tag, _ in read.elements].count("h1") == 1
    assert ("html", (("lang", ""),)) in read.elements


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("site", "name"), PAGES)
def test_no_page_of_an_analyst_holds_anything_of_a_client(site: Site, name: str, language: str) -> None:
    html = render(build_page(site, name, language, ANALYST), language, ANALYST)
    assert find_secrets(html) == []
    assert read_texts(language).get("site.analyst") in html


def test_no_file_of_an_analyst_holds_anything_of_a_client(tmp_path: Path) -> None:
    found = {}
    for veil in (OWNER, ANALYST):
        folder = tmp_path / veil.audience
        folder.mkdir()
        salon = [build_page("salon", name, "ru", veil) for site, name in PAGES if site == "salon"]
        write_files(salon, folder, texts=read_texts("ru"))
        book = openpyxl.load_workbook(folder / WORKBOOK, read_only=True)
        cells = [str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell]
        found[veil] = find_secrets("\n".join(cells))
        found[veil] += [secret for path in folder.glob("*.csv") for secret in find_secrets(path.read_text("utf-8-sig"))]
        assert {path.stem for path in folder.glob("*.csv")} == {
            table.name for page in salon for table in page.list_tables()
        }
    assert found[ANALYST] == []
    assert len(set(found[OWNER])) > 8


def find_secrets(text: str) -> list[str]:
    """Names, phones in any spelling, and words of clients that stand in a text, also escaped or quoted."""
    escaped = [text, *(re.sub(r"\\u([0-9a-f]{4})", lambda sign: chr(int(sign[1], 16)), text).split("\0"))]
    plain = "\n".join(escaped).replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace("&#x27;", "'")
    plain = plain.replace("&#34;", '"').replace("&quot;", '"').replace('""', '"').replace('\\"', '"')
    digits = re.sub(r"[^\d\n]", "", re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", plain))
    phones = [phone for phone in PHONES.values() if phone and len(re.sub(r"\D", "", phone)) > 5]
    found = [secret for secret in SECRETS if secret in plain]
    return found + [phone for phone in phones if re.sub(r"\D", "", phone)[1:] in digits]


def test_the_search_for_secrets_finds_them_on_pages_of_owners() -> None:
    found: set[str] = set()
    for name in ("sessions", "clients", "win-back", "waitlist", "index"):
        found |= set(find_secrets(render(build_page("salon", name, "ru", OWNER), "ru", OWNER)))
    phones = {phone for phone in PHONES.values() if phone and phone != "доб. 12"}
    assert found >= (set(SECRETS) - set(COMMENTS)) | phones


def test_dialogs_open_only_where_they_may_be_read() -> None:
    for veil in (OWNER, ANALYST):
        read = read_page(render(build_page("salon", "sessions", "ru", veil), "ru", veil))
        assert read.data[0]["dialogs"] == (DIALOGS_A_FILE if veil.shows_people else None)


def test_searched_columns_travel_hidden_and_last() -> None:
    data = read_page(render(build_page("salon", "clients", "ru", OWNER), "ru", OWNER)).data[0]
    assert [data["names"][place] for place in data["hidden"]] == ["person_id", "digits"] == data["names"][-2:]
    anna = next(row for row in data["rows"] if row[0] == CLIENT_NAMES[ANNA])
    assert anna[-1] == "79160000001 89160000001"
    page = build_page("salon", "clients", "ru", OWNER)
    assert "digits" not in [column.title for column in make_sheet(page.list_tables()[0]).columns]


def test_cells_are_sorted_by_what_they_mean() -> None:
    data = read_page(render(build_page("salon", "sessions", "ru", OWNER), "ru", OWNER)).data[0]
    row = dict(zip(data["names"], data["rows"][1], strict=True))
    assert row["started_at"] == ["31 окт. 2026, 10:05", "2026-10-31T10:05:00"]
    assert row["booking_amount"][1] == 1500.5
    assert row["first_response_ms"] == ["0,9\u00a0с", 900.0]
    assert row["result"] == "запись"
    silent = dict(zip(data["names"], data["rows"][0], strict=True))
    assert silent["first_response_ms"] == [NOTHING, ""]


def make_page(table: Table) -> Page:
    page = build_page("salon", "changes", "en", OWNER)
    block = type(page.sections[0].blocks[0])(table=table)
    section = type(page.sections[0])(anchor="list", title="List", blocks=(block,))
    return Page(name="changes", title="T", lead="L", sections=(section,))


@pytest.mark.parametrize(("count", "is_said"), [(0, False), (MOST_ROWS - 1, False), (MOST_ROWS, True)])
def test_a_table_that_may_have_been_cut_says_so(count: int, is_said: bool) -> None:
    frame = pd.DataFrame({"measure": pd.Series(["x"] * count, dtype=object)})
    table = Table(name="changes", frame=frame, columns=(Column(name="measure"),), is_long=True, empty="changes.none")
    html = render(make_page(table), "en", OWNER)
    assert ("The latest 20,000 are shown" in html) is is_said
    assert ("No figure changed after it was shown." in html) is (count == 0)


def test_an_unknown_name_in_a_template_is_an_error() -> None:
    page = build_page("salon", "changes", "en", OWNER)
    texts = read_texts("en")
    broken = type(texts)(texts.language, {key: text for key, text in texts.entries.items() if key != "site.skip"})
    call: Callable[..., str] = render_page
    context = make_context(make_salon(), "en", OWNER)
    options = {
        "formats": context.formats, "assets": ASSETS, "root": "../", "heading": "", "stamp": "", "menu": (),
        "languages": (), "chain_link": None, "is_veiled": False,
    }  # fmt: skip
    assert call(page, texts=texts, **options)
    with pytest.raises(KeyError):
        call(page, texts=broken, **options)


def test_csv_is_for_programs_and_its_columns_are_those_of_the_marts(tmp_path: Path) -> None:
    write_files([build_page("salon", "clients", "ru", OWNER)], tmp_path, texts=read_texts("ru"))
    with (tmp_path / "clients.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["client_name"] == CLIENT_NAMES[ANNA]
    assert rows[0]["spend_amount"] == "9800.50"
    assert rows[0]["person_id"] == str(ANNA)
    assert rows[0]["spend_currency"] == "RUB"
    sheet = openpyxl.load_workbook(tmp_path / WORKBOOK).worksheets[0]
    assert (sheet["A1"].value, sheet["A2"].value) == ("Клиент", CLIENT_NAMES[ANNA])


def test_rows_of_the_leaderboard_lead_to_their_salons() -> None:
    links: dict[UUID, str] = {tenant: f"../salons/{number}/index.html" for number, tenant in enumerate(NAMES)}
    html = render(build_page("chain", "index", "ru", OWNER, frames=make_chain()), "ru", OWNER, links=links)
    assert [html.count(f'<a href="{link}">{NAMES[tenant]}</a>') for tenant, link in links.items()] == [1, 1, 1]


def test_json_of_a_page_holds_no_number_that_json_does_not_have() -> None:
    vast = pd.DataFrame({"amount": [Decimal("1e400"), Decimal("-1e400")], "currency": ["RUB", "RUB"]}, dtype=object)
    table = Table(name="t", frame=vast, columns=(Column(name="amount", kind="money", currency="currency"),))
    assert [row[0].order for row in write_cells(table, read_texts("en"), get_formats("en"))] == [1e300, -1e300]
    assert [to_number(Decimal(text)) for text in ("1e400", "-1e400", "2.5")] == [None, None, 2.5]
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json({"amount": float("inf")})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phone_that_can_be_dialled_is_dialled_from_its_cell_and_found_by_its_digits(language: str) -> None:
    for name in ("waitlist", "win-back"):
        html = render(build_page("salon", name, language, OWNER), language, OWNER)
        # Vera's, of ten digits and no plus, and one that is an extension.
        assert '<a href="tel:+79160000004">+7 916 000-00-04</a>' in html
        assert 'data-search="+7 916 000-00-04 79160000004 89160000004"' in html
    data = read_page(render(build_page("salon", "clients", language, OWNER), language, OWNER)).data[0]
    place = data["names"].index("phone")
    assert ["+7 916 000-00-04", "+7 916 000-00-04", "tel:+79160000004"] in [row[place] for row in data["rows"]]
    assert "доб. 12" in [row[place] for row in data["rows"]]


@pytest.mark.parametrize("name", ["waitlist", "win-back"])
def test_rows_of_people_say_what_each_value_is_where_they_are_cards(name: str) -> None:
    html = render(build_page("salon", name, "ru", OWNER), "ru", OWNER)
    tables = re.findall(r'<table class="searchable people".*?</table>', html, re.DOTALL)
    assert len(tables) == 2
    for table in tables:
        titles = re.findall(r"<th [^>]*>([^<]*)</th>", table)
        labels = re.findall(r'data-label="([^"]*)"', table)
        assert labels == titles * (len(labels) // len(titles))
        assert len(labels) > len(titles) > 4
    assert 'data-label=""' not in html
