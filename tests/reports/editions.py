"""Pages of the fixed salon and chain, in every edition: built and rendered as the site does it, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from reports.assets import Assets
from reports.audiences import Audience, Veil
from reports.blocks import Frames, Page
from reports.books import CHAIN_PAGES, LANGUAGE_NAMES, SALON_PAGES
from reports.formats import get_formats
from reports.pages.context import Context
from reports.rendering import render_page
from reports.texts import LANGUAGES, read_texts
from tests.reports.chain_frames import NAMES, make_chain
from tests.reports.salon_frames import LAST_DAY, make_salon

Site = Literal["salon", "chain"]
SITES: tuple[Site, ...] = ("salon", "chain")
EDITIONS = [(language, Veil(audience)) for language in LANGUAGES for audience in Audience]
"""Every language for every audience."""
PAGES: list[tuple[Site, str]] = [("salon", name) for name in SALON_PAGES] + [("chain", name) for name in CHAIN_PAGES]
ASSETS = Assets(
    site_css="site.css", site_js="site.js", tables_css="tables.css", tables_js="tables.js", charts_js="charts.js",
    words_js={"ru": "words-ru.js", "en": "words-en.js"},
)  # fmt: skip


def name_edition(language: str, veil: Veil) -> str:
    """Return a name such as ``ru-owner``."""
    return f"{language}-{veil.audience}"


def make_context(frames: Frames, language: str, veil: Veil, *, has_days: bool = True) -> Context:
    """Return what pages are built from; without days nothing was ever final."""
    return Context(
        frames=frames, veil=veil, texts=read_texts(language), formats=get_formats(language),
        last_day=LAST_DAY if has_days else None,
    )  # fmt: skip


def build_page(
    site: Site, name: str, language: str, veil: Veil, *, frames: Frames | None = None, has_days: bool = True,
    names: dict[UUID, str] | None = None,
) -> Page:  # fmt: skip
    """Return a page of the fixed salon or chain, or of other frames."""
    if site == "salon":
        chosen = make_salon(veil) if frames is None else frames
        return SALON_PAGES[name](make_context(chosen, language, veil, has_days=has_days))
    chosen = make_chain(veil) if frames is None else frames
    return CHAIN_PAGES[name](
        make_context(chosen, language, veil, has_days=has_days), dict(NAMES if names is None else names)
    )


def render(
    page: Page, language: str, veil: Veil, *, heading: str = "Бухта", links: dict[UUID, str] | None = None,
    menu: Sequence[tuple[str, str]] = (("index", "Обзор"),),
) -> str:  # fmt: skip
    """Return the page as HTML, as the site renders it."""
    return render_page(
        page, texts=read_texts(language), formats=get_formats(language), assets=ASSETS, root="../", heading=heading,
        stamp="31 октября", menu=menu, languages=LANGUAGE_NAMES, chain_link=None, is_veiled=not veil.shows_people,
        has_dialogs=veil.shows_people, links=links,
    )  # fmt: skip
