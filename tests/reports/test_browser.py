"""Pages as people use them, in a real Chromium without a network, in both languages, on a laptop and on a phone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from reports.texts import read_texts
from tests.reports.chain_filled import COUNT, phone
from tests.reports.site_reading import find_salon, parse, read_dialogs
from tests.support.browser import MissingBrowserError, Watched, find_browser, watch
from tests.support.marts import Workshop, make_id


@pytest.fixture(scope="module")
def north(chain: Workshop, owner_site: Path) -> Path:
    """The folder of the harmless salon."""
    return owner_site / find_salon(chain, "north")


@pytest.mark.server
@pytest.mark.parametrize("audience", ["owner", "analyst"])
def test_a_site_opens_with_the_page_of_the_chain(
    request: pytest.FixtureRequest, watched: Watched, audience: str
) -> None:
    site: Path = request.getfixturevalue(f"{audience}_site")
    page = watched.page
    page.goto((site / "index.html").resolve().as_uri())
    page.wait_for_url("**/ru/index.html")
    watched.settle()
    expect(page.locator("h1")).to_have_text(read_texts("ru").get("page.leaderboard.title"))
    assert page.locator("td.who a").count() == 3


def test_analysts_pages_open_in_peace(watched: Watched, chain: Workshop, analyst_site: Path) -> None:
    folder = analyst_site / find_salon(chain, "north") / "ru"
    for name in ("index", "sessions", "clients", "waitlist"):
        page = watched.visit(folder / f"{name}.html")
        assert page.locator("#content .stamp strong").count() == 1
    page = watched.visit(folder / "sessions.html")
    expect(page.locator("tbody tr").first).to_be_visible()
    assert page.locator(".opener").count() == 0


def test_the_other_language_is_the_same_page(watched: Watched, north: Path) -> None:
    page = watched.visit(north / "ru" / "waitlist.html")
    for language in ("en", "ru"):
        page.locator(f".languages a[lang={language}]").click()
        page.wait_for_url(f"**/{language}/waitlist.html")
        expect(page.locator("h1")).to_have_text(read_texts(language).get("page.waitlist.title"))


DIGITS = phone(36).removeprefix("+7")


PARTS = ("ёлкина 36", "ЁЛКИНА 36", "лкина 20", "36 анна", "nobody", "")
WRITTEN = (
    f"8 ({DIGITS[:3]}) {DIGITS[3:6]}-{DIGITS[6:8]}-{DIGITS[8:]}", f"+7 {DIGITS[:3]} {DIGITS[3:6]} {DIGITS[6:]}",
    f"+7{DIGITS}", f"8{DIGITS}", f"7{DIGITS}", DIGITS, f"{DIGITS[3:6]}-{DIGITS[6:8]}-{DIGITS[8:]}",
    f"8-{DIGITS[:3]}-{DIGITS[3:]}", f" +7({DIGITS[:3]}){DIGITS[3:]} ", f"{DIGITS} анна",
)  # fmt: skip


def test_clients_are_found_by_parts_of_their_names_in_any_case(watched: Watched, north: Path) -> None:
    packed = parse(north / "ru" / "clients.html").find_rows("clients")
    rows = [" ".join(str(cell if isinstance(cell, str) else cell[0]) for cell in row).lower() for row in packed["rows"]]
    expected = {part: sum(all(word in row for word in part.lower().split()) for row in rows) for part in PARTS}
    assert (expected["nobody"], expected[""]) == (0, COUNT)
    page = watched.visit(north / "ru" / "clients.html")
    assert {part: count_found(find(page, part)) for part in PARTS} == expected


def test_a_client_is_found_by_phone_however_it_is_written(watched: Watched, north: Path) -> None:
    page = watched.visit(north / "ru" / "clients.html")
    for written in WRITTEN:
        find(page, written)
        expect(page.locator("tbody td.who")).to_have_text(["Анна Ёлкина 36"])
        assert count_found(page) == 1, written


def find(page: Page, wanted: str) -> Page:
    """Type as people do, letter by letter, after what was looked for before is gone."""
    page.locator(".dt-search input").fill("")
    page.locator(".dt-search input").press_sequentially(wanted)
    page.wait_for_timeout(100)
    return page


def count_found(page: Page) -> int:
    """Return how many rows are said to be found."""
    said = page.locator(".dt-info").inner_text()
    found = re.search(r"(?:из|of)\s(\d+)", said)
    return int(found[1]) if found else 0


def test_sessions_are_filtered_by_what_became_of_them(watched: Watched, chain: Workshop, north: Path) -> None:
    page = watched.visit(north / "ru" / "sessions.html")
    texts = read_texts("ru")
    [counts] = chain.execute(
        "select count(*) as all, count(*) filter (where is_booking_cancelled) as cancelled, "
        "count(*) filter (where is_booking_cancelled and channel = 'telegram') as both "
        "from dashboard.sessions where tenant_id = %s",
        [make_id("north")],
    )
    assert 0 < counts["both"] < counts["cancelled"] < counts["all"]
    result = page.get_by_label(texts.get("table.filter", column=find_title("result")))
    result.select_option(label=texts.get("result.cancelled"))
    assert count_found(page) == counts["cancelled"]
    channel = page.get_by_label(texts.get("table.filter", column=find_title("channel")))
    channel.select_option(label=texts.get("channel.telegram"))
    assert count_found(page) == counts["both"]
    result.select_option(index=0)
    channel.select_option(index=0)
    assert count_found(page) == counts["all"]


def find_title(column: str) -> str:
    """Return what a column of the sessions is called."""
    texts = read_texts("ru")
    return texts.find(f"column.sessions.{column}", texts.find(f"column.{column}", ""))


@pytest.mark.parametrize("means", ["mouse", "Enter", " "])
def test_choosing_a_session_opens_its_messages_and_escape_closes_them(
    watched: Watched, north: Path, means: str
) -> None:
    page = watched.visit(north / "ru" / "sessions.html")
    # One of the last page: its dialog lies in the second file.
    page.locator(".dt-paging-button").get_by_text("»", exact=True).click()
    packed = parse(north / "ru" / "sessions.html").find_rows("sessions")
    dialogs = read_dialogs(north)
    first = len(packed["rows"]) // 25 * 25
    place = packed["names"].index("session_id")
    with_messages = [row[place] in dialogs for row in packed["rows"]]
    number = next(number for number in range(first, len(with_messages)) if not with_messages[number])
    check_dialog(page, number - first, means, [])
    for row in (packed["rows"][0], next(row for row in packed["rows"][200:] if row[place] in dialogs)):
        page.locator(".dt-search input").fill(row[place])
        check_dialog(page, 0, means, dialogs.get(row[place], []))


def check_dialog(page: Page, line: int, means: str, messages: list[list[str]]) -> None:
    """Open the session of a line and close it again."""
    opener = page.locator("tbody tr").nth(line).locator(".opener")
    if means == "mouse":
        page.locator("tbody tr").nth(line).locator("td").nth(3).click()
    else:
        opener.focus()
        page.keyboard.press(means)
    box = page.locator("dialog[open]")
    expect(box).to_have_count(1)
    expect(box.locator("h2")).to_contain_text("Анна Ёлкина")
    lines = box.locator(".messages:not([aria-busy]) li")
    expect(lines).to_have_count(max(1, len(messages)))
    words = read_texts("ru").entries
    if messages:
        expect(box.locator(".messages small").first).to_be_visible()
    shown = lines.evaluate_all("found => found.map(line => [line.querySelector('small')?.textContent, "
                               "line.querySelector('small')?.nextSibling.data])")  # fmt: skip
    expected: list[list[str | None]] = [
        [f"{words[f'dialog.{role}']}, {moment}", text] for role, moment, text in messages
    ]
    assert shown == (expected or [[None, None]])
    if not messages:
        expect(lines).to_have_text(words["dialog.missing"])
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    if means != "mouse":
        expect(opener).to_be_focused()


@pytest.mark.parametrize(("text", "is_explained"), [("Мой номер [phone]", True), ("[1] мой номер 12", False)])
def test_a_dialog_with_something_hidden_says_so(watched: Watched, north: Path, text: str, is_explained: bool) -> None:
    page = watched.visit(north / "ru" / "sessions.html")
    packed = parse(north / "ru" / "sessions.html").find_rows("sessions")
    session = packed["rows"][0][packed["names"].index("session_id")]
    page.evaluate("found => window.agentpDialogs(found)", {session: [["user", "10:00", text]]})
    page.locator(".opener").first.click()
    box = page.locator("dialog[open]")
    expect(box.locator(".messages:not([aria-busy]) li")).to_have_count(1)
    words = read_texts("ru").entries
    assert box.locator(".marks").all_text_contents() == ([words["dialog.marks"]] if is_explained else [])


def test_the_close_button_closes_and_focus_stays_within_the_dialog(watched: Watched, north: Path) -> None:
    page = watched.visit(north / "ru" / "sessions.html")
    page.locator(".opener").first.click()
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate("!document.activeElement || document.activeElement === document.body"
                             " || !!document.activeElement.closest('dialog')")  # fmt: skip
    page.locator("dialog .close").click()
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".opener").first).to_be_focused()


def test_the_keyboard_changes_the_period_and_opens_a_definition(watched: Watched, north: Path) -> None:
    page = watched.visit(north / "ru" / "index.html")
    expect(page.locator(".period-30")).to_be_visible()
    page.locator("#period-30").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".period-90")).to_be_visible()
    expect(page.locator(".period-30")).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".period-7")).to_be_visible()
    card = page.locator(".period-7 .card").first
    expect(card.locator("details p")).to_be_hidden()
    card.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(card.locator("details p")).to_have_text(read_texts("ru").get("kpi.dialogs.definition"))


def test_charts_draw_a_mark_for_every_value(watched: Watched, north: Path) -> None:
    days, revenue, _ = parse(north / "ru" / "index.html").find_values()
    page = watched.visit(north / "ru" / "index.html")
    bars = page.locator("[data-chart=sessions] svg .mark-rect.role-mark path")
    assert bars.count() == len(days) == 59
    assert page.locator("[data-chart=revenue] svg .mark-rect.role-mark path").count() == len(revenue) > 0
    page = watched.visit(north / "ru" / "funnel.html")
    assert page.locator("[data-chart=heat_map] svg .mark-rect.role-mark path").count() == 168
    assert page.locator("[data-chart=funnel] svg .mark-rect.role-mark path").count() == 5


def test_a_mark_tells_its_day_and_figures_wherever_the_reader_is(watched: Watched, north: Path) -> None:
    days = parse(north / "en" / "index.html").find_values()[0]
    booked = [number for number, day in enumerate(days) if day["bookings"]]
    page = watched.visit(north / "en" / "index.html")
    bars = page.locator("[data-chart=sessions] svg .mark-rect.role-mark path")
    for number in (booked[0], booked[-1]):
        bars.nth(number).hover()
        for name in ("day_text", "sessions_text", "bookings_text"):
            expect(page.locator("#vg-tooltip-element")).to_contain_text(days[number][name])
    # What Vega took for the day, by the reader's clock, is the day that the page says.
    for label in bars.evaluate_all("found => found.map(bar => bar.getAttribute('aria-label'))"):
        assert re.search(r"\(year-month-date\): (\d+ \w+);.*Day: \1 2026;", label), label


def test_print_shows_every_figure_and_no_menu(watched: Watched, north: Path) -> None:
    page = watched.visit(north / "ru" / "index.html")
    figures = page.locator(".period-30 .value").all_inner_texts()
    page.emulate_media(media="print")
    for hidden in (".menu", ".languages", ".files", ".periods > label"):
        expect(page.locator(hidden).first).to_be_hidden()
    assert page.locator(".period-30 .value:visible").all_inner_texts() == figures
    assert len(figures) > 5
    assert page.locator(".chart svg:visible").count() == 3
    assert page.pdf()[:5] == b"%PDF-"
    page = watched.visit(north / "ru" / "sessions.html")
    page.emulate_media(media="print")
    for hidden in (".dt-search", ".dt-paging", ".filters"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("tbody tr").first).to_be_visible()


def test_without_scripts_the_figures_and_the_short_tables_are_there(browser: Browser, north: Path) -> None:
    note = read_texts("ru").get("site.no_script")
    with watch(browser, has_script=False) as watched:
        for name, table in (
            ("index", "days"),
            ("waitlist", "wishes"),
            ("funnel", "funnel"),
            ("win-back", "win-back-regular"),
        ):
            page = watched.page
            page.goto((north / "ru" / f"{name}.html").resolve().as_uri())
            expect(page.locator(".note.warning").first).to_have_text(note)
            expect(page.locator(".note.warning").first).to_be_visible()
            assert page.locator(f"#table-{table} tbody tr").count() > 4
        page.goto((north / "ru" / "index.html").resolve().as_uri())
        assert page.locator(".period-30 .value:visible").count() > 5
        page.locator("label[for=period-7]").click()
        expect(page.locator(".period-7")).to_be_visible()
        watched.expect_peace()


def test_a_machine_without_a_browser_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingBrowserError, match=re.escape("sh scripts/get_browser.sh")):
        find_browser()
    script = Path(__file__).parents[2] / "scripts" / "get_browser.sh"
    assert script.exists()
