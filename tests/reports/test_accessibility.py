"""Pages are usable with a keyboard and with a screen reader, judged by axe-core in Chromium (WCAG 2.1 A and AA)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from reports.books import CHAIN_PAGES, SALON_PAGES
from tests.reports.site_reading import find_salon
from tests.support.browser import PHONE, SCHEMES, WIDE, Watched, watch
from tests.support.marts import Workshop

RULES: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
}
COLOURS: dict[str, Any] = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
"""What may differ between the light and the dark theme: markup is the same in both."""
GRAVE = ("serious", "critical")


def find_violations(page: Page, rules: dict[str, Any] = RULES) -> list[str]:
    """Return what axe-core calls serious or critical: rule, and the first places."""
    found = Axe().run(page, options=rules).response["violations"]
    return [
        f"{rule['id']}: {place['html'][:160]} {place.get('failureSummary', '')[:300]}"
        for rule in found
        if rule["impact"] in GRAVE
        for place in rule["nodes"][:3]
    ]


def find_nameless(page: Page) -> list[str]:
    """Return the controls without a name, those included that axe-core lets pass."""
    return [
        f"no name: {control}"
        for control in page.evaluate(
            "() => [...document.querySelectorAll('input, select, button, textarea, summary, a')]"
            ".filter(control => ![...control.labels ?? []].some(label => label.textContent.trim())"
            " && !control.getAttribute('aria-label') && !control.textContent.trim())"
            ".map(control => control.outerHTML.slice(0, 120))"
        )
    ]


def find_headings(page: Page) -> list[int]:
    """Return the levels of a page's headings, in order."""
    levels: list[int] = page.evaluate(
        "() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(heading => +heading.localName[1])"
    )
    return levels


def list_all(chain: Workshop, site: Path) -> list[Path]:
    return [site / "ru" / f"{name}.html" for name in CHAIN_PAGES] + [
        site / find_salon(chain, "north") / "ru" / f"{name}.html" for name in SALON_PAGES
    ]


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_every_page_suits_axe_names_its_controls_and_orders_its_headings(
    browser: Browser, chain: Workshop, owner_site: Path, width: int
) -> None:
    found = {}
    # The policy of the pages keeps axe itself out.
    with watch(browser, width=width, bypass_csp=True) as watched:
        for path in list_all(chain, owner_site):
            page = watched.visit(path)
            violations = find_violations(page) + find_nameless(page)
            levels = find_headings(page)
            assert (levels[0], levels.count(1)) == (1, 1)
            steps = [after - before for before, after in pairwise(levels)]
            assert max(steps, default=0) <= 1, (path.name, levels)
            page.emulate_media(color_scheme="dark")
            watched.settle()
            violations += find_violations(page, COLOURS)
            page.emulate_media(color_scheme="light")
            if violations:
                found[str(path.relative_to(owner_site))] = violations
    assert found == {}


def test_axe_finds_nothing_grave_in_an_open_dialog_nor_in_open_details(
    browser: Browser, chain: Workshop, owner_site: Path
) -> None:
    folder = owner_site / find_salon(chain, "north") / "ru"
    for scheme in SCHEMES:
        with watch(browser, scheme=scheme, bypass_csp=True) as watched:
            page = watched.visit(folder / "sessions.html")
            page.locator(".dt-search input").fill("Ёлкина 36")
            page.locator(".opener").first.click()
            expect(page.locator("dialog .messages small").first).to_be_visible()
            assert find_violations(page) == []
            page = watched.visit(folder / "index.html")
            page.locator("details").evaluate_all("found => found.forEach(box => { box.open = true; })")
            assert find_violations(page) == []


def test_everything_that_takes_focus_shows_it(browser: Browser, chain: Workshop, owner_site: Path) -> None:
    folder = owner_site / find_salon(chain, "north") / "ru"
    for scheme in SCHEMES:
        with watch(browser, scheme=scheme) as watched:
            for name in ("index", "sessions", "waitlist"):
                check_focus(watched, folder / f"{name}.html")


def check_focus(watched: Watched, path: Path) -> None:
    """Go through a page by Tab; fail where focus cannot be seen or is out of sight."""
    page = watched.visit(path)
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "() => { const at = document.activeElement; if (!at || at === document.body) return null;"
            " const shown = at.type === 'radio' ? at.nextElementSibling : at;"
            " const style = getComputedStyle(shown); const box = shown.getBoundingClientRect();"
            " return [at.outerHTML.slice(0, 100), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2"
            " || style.boxShadow !== 'none', box.width > 0 && box.right > 0 && box.left < innerWidth]; }"
        )
        if found is None:
            break
        seen.append(found)
    assert len(seen) > 10
    assert [place for place, is_shown, is_in_sight in seen if not (is_shown and is_in_sight)] == []


def test_the_first_tab_leads_past_the_menu(browser: Browser, chain: Workshop, owner_site: Path) -> None:
    with watch(browser) as watched:
        page = watched.visit(owner_site / find_salon(chain, "north") / "ru" / "index.html")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#content")).to_be_focused()
        page.keyboard.press("Tab")
        assert page.evaluate("!!document.activeElement.closest('main')") is True
