"""Pages are usable with a keyboard and with a screen reader; `test_every_page` has every page judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.reports.site_reading import find_salon
from tests.reports.violations import COLOURS, RULES, find_violations
from tests.support.browser import SCHEMES, Watched
from tests.support.marts import Workshop

KEEP_FOCUSED = (
    "() => { window.focused = []; document.addEventListener('focusin', ({ target }) => window.focused.push(target)); }"
)
TELL_FOCUSED = (
    "() => window.focused.map(at => { at.focus(); const shown = at.type === 'radio' ? at.nextElementSibling : at;"
    " const style = getComputedStyle(shown); const box = shown.getBoundingClientRect();"
    " return [at.outerHTML.slice(0, 100), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2"
    " || style.boxShadow !== 'none', box.width > 0 && box.right > 0 && box.left < innerWidth]; })"
)


@pytest.fixture(scope="module")
def folder(chain: Workshop, owner_site: Path) -> Path:
    """The Russian pages of the harmless salon."""
    return owner_site / find_salon(chain, "north") / "ru"


def find_violations_in_both(watched: Watched) -> list[str]:
    """Return what is grave in the light theme, and what the dark one adds: markup is the same in both."""
    found = find_violations(watched.page, RULES)
    watched.page.emulate_media(color_scheme="dark")
    return found + find_violations(watched.page, COLOURS)


def test_axe_finds_nothing_grave_in_an_open_dialog(watched: Watched, folder: Path) -> None:
    page = watched.visit(folder / "sessions.html")
    page.locator(".dt-search input").fill("Ёлкина 36")
    page.locator(".opener").first.click()
    expect(page.locator("dialog .messages small").first).to_be_visible()
    assert find_violations_in_both(watched) == []


def test_axe_finds_nothing_grave_in_open_details(watched: Watched, folder: Path) -> None:
    page = watched.visit(folder / "index.html")
    page.locator("details").evaluate_all("found => found.forEach(box => { box.open = true; })")
    assert find_violations_in_both(watched) == []


@pytest.mark.parametrize("name", ["index", "sessions", "waitlist"])
def test_everything_that_takes_focus_shows_it(watched: Watched, folder: Path, name: str) -> None:
    page = watched.visit(folder / f"{name}.html")
    page.evaluate(KEEP_FOCUSED)
    for _ in range(40):
        page.keyboard.press("Tab")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        focused = page.evaluate(TELL_FOCUSED)
        assert len(focused) > 10
        hidden = [place for place, is_shown, is_in_sight in focused if not (is_shown and is_in_sight)]
        assert (scheme, hidden) == (scheme, [])


def test_the_first_tab_leads_past_the_menu(watched: Watched, folder: Path) -> None:
    page = watched.visit(folder / "index.html")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("!!document.activeElement.closest('main')") is True
