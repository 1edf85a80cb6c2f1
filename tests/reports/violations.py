"""What keeps people from using a page with a keyboard or a screen reader, judged by axe-core (WCAG 2.1 A and AA)."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

RULES: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
    "preload": False,
}
"""Nothing is fetched anew: the policy of the pages keeps that out, and no rule of these needs it."""
COLOURS: dict[str, Any] = {**RULES, "runOnly": {"type": "rule", "values": ["color-contrast"]}}
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
