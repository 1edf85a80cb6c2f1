"""Every page opens in peace, fits its screen in either theme, leads to its other language and suits axe-core.

Opening a page costs more than looking at it, so each is opened once a language and screen, and looked at for all of it.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from reports.books import CHAIN_PAGES, SALON_PAGES
from reports.texts import read_texts
from tests.reports.site_reading import LANGUAGES, find_salon
from tests.reports.violations import find_headings, find_nameless, find_violations
from tests.support.browser import PHONE, WIDE, Scheme, watch
from tests.support.marts import Workshop

IS_WIDER = "document.documentElement.scrollWidth > innerWidth"
GROUND = "getComputedStyle(document.body).backgroundColor"
LINKS = "() => [...document.querySelectorAll('.languages a')].map(link => [link.lang, link.href])"
CURRENT = "() => [...document.querySelectorAll('.menu a[aria-current=page]')].map(link => link.href)"


def list_all(chain: Workshop, site: Path, language: str, *others: str) -> list[Path]:
    """Return the pages of the chain, of the harmless salon and of others."""
    return [site / language / f"{name}.html" for name in CHAIN_PAGES] + [
        site / find_salon(chain, salon) / language / f"{name}.html"
        for salon in ("north", *others)
        for name in SALON_PAGES
    ]


@pytest.mark.parametrize(
    ("width", "scheme", "other", "salon"), [(WIDE, "light", "dark", "west"), (PHONE, "dark", "light", "far")]
)
def test_every_page_opens_in_peace_fits_its_screen_and_suits_axe(
    browser: Browser, chain: Workshop, owner_site: Path, width: int, scheme: Scheme, other: Scheme, salon: str
) -> None:
    """The hostile salon's on a phone alone: on a laptop `test_hostile_pages` looks at them.

    No colour depends on the width: those of one theme are judged on a laptop, those of the other on a phone.
    """
    judged = set(list_all(chain, owner_site, "ru"))
    with watch(browser, width=width, scheme=scheme) as watched:
        for path in list_all(chain, owner_site, "ru", salon):
            page = watched.visit(path)
            assert page.evaluate(IS_WIDER) is False, path
            expect_language(page, path, "ru")
            if path in judged:
                expect_usable(page, path)
            grounds = [page.evaluate(GROUND)]
            page.emulate_media(color_scheme=other)
            watched.settle()
            assert page.evaluate(GROUND) not in grounds, path
            assert page.evaluate(IS_WIDER) is False, path
            assert (path, watched.complaints) == (path, [])
            page.emulate_media(color_scheme=scheme)
        watched.expect_peace()


def test_every_page_in_english_fits_a_phone_and_a_screen_that_grows(
    browser: Browser, chain: Workshop, owner_site: Path
) -> None:
    with watch(browser, width=PHONE) as watched:
        for path in list_all(chain, owner_site, "en"):
            watched.page.set_viewport_size({"width": PHONE, "height": 900})
            page = watched.visit(path)
            expect_language(page, path, "en")
            assert page.evaluate(IS_WIDER) is False, path
            page.set_viewport_size({"width": WIDE, "height": 900})
            watched.settle()
            assert page.evaluate(IS_WIDER) is False, path
            assert (path, watched.complaints) == (path, [])
        watched.expect_peace()


def expect_language(page: Page, path: Path, language: str) -> None:
    """Fail where a page is not called as in its language, or leads to another page than itself in any language."""
    kind = "leaderboard" if "salons" not in path.parts and path.stem == "index" else path.stem
    assert page.locator("h1").inner_text() == read_texts(language).get(f"page.{kind}.title")
    addresses = {code: (path.parents[1] / code / path.name).resolve().as_uri() for code in LANGUAGES}
    assert dict(page.evaluate(LINKS)) == addresses
    assert page.evaluate(CURRENT) == [addresses[language]]


def expect_usable(page: Page, path: Path) -> None:
    """Fail where axe-core finds something grave, a control has no name or a heading is left out."""
    assert (path, find_violations(page), find_nameless(page)) == (path, [], [])
    levels = find_headings(page)
    assert (levels[0], levels.count(1)) == (1, 1)
    assert max((after - before for before, after in pairwise(levels)), default=0) <= 1, (path, levels)
