"""Writes everything that belongs to one salon: pages in each language, files, dialogs."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from uuid import UUID

from reports.assets import Assets
from reports.audiences import Veil
from reports.blocks import Frames
from reports.books import CHAIN_PAGES, CHAIN_TEXTS, LANGUAGE_NAMES, SALON_PAGES
from reports.dialogs import write_dialogs
from reports.formats import get_formats
from reports.pages.context import Context
from reports.placement import write_aside
from reports.reading import Connection, Salon, read_chain, read_salon
from reports.rendering import render_page, write_files
from reports.texts import LANGUAGES, read_texts

FORWARD = (
    '<!doctype html>\n<meta charset="utf-8">\n<meta http-equiv="refresh" content="0; url={language}/index.html">\n'
    '<title>Agent P</title>\n<p><a href="ru/index.html" lang="ru">Русский</a> · '
    '<a href="en/index.html" lang="en">English</a></p>\n'
)
"""What a folder opens with: on to the language that is first there."""


def write_salon(
    connection: Connection, salon: Salon, folder: Path, *, veil: Veil, assets: Assets, has_chain: bool
) -> None:
    """Write the salon's folder anew, aside, and put it in place whole: a reader never sees half of it."""
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    frames = read_salon(connection, salon, veil)
    _write_pages(salon, frames, aside, veil=veil, assets=assets, has_chain=has_chain)
    if veil.shows_people:
        write_dialogs(connection, salon, frames["sessions"]["session_id"].tolist(), aside / "dialogs")
    _put_in_place(aside, folder)


def write_chain(connection: Connection, salons: list[Salon], folder: Path, *, veil: Veil, assets: Assets) -> None:
    """Write the pages across salons, each file put in place whole."""
    frames = read_chain(connection, salons, veil)
    names = name_apart(salons)
    days = [salon.last_day for salon in salons if salon.last_day]
    for language in LANGUAGES:
        texts = read_texts(language)
        context = Context(
            frames=frames, veil=veil, texts=texts, formats=get_formats(language), last_day=max(days) if days else None
        )
        menu = [(name, texts.get(f"page.{CHAIN_TEXTS.get(name, name)}.menu")) for name in CHAIN_PAGES]
        pages = {name: build(context, names) for name, build in CHAIN_PAGES.items()}
        for name, page in pages.items():
            html = render_page(
                page, texts=texts, formats=context.formats, assets=assets, root="../",
                heading=texts.get("site.chain"), stamp=_stamp(context, texts.get("site.utc_time")), menu=menu,
                languages=LANGUAGE_NAMES, chain_link=None, is_veiled=not veil.shows_people,
                links={
                    salon.tenant_id: f"../salons/{salon.folder}/{language}/index.html" for salon in salons
                },
            )  # fmt: skip
            _write(folder / language / f"{name}.html", html)
        if language == LANGUAGES[0]:
            write_files(list(pages.values()), folder / "files", texts=texts)
    _write(folder / "index.html", FORWARD.format(language=LANGUAGES[0]))


def name_apart(salons: list[Salon]) -> dict[UUID, str]:
    """Return the salons' names; where several have the same, with what tells them apart."""
    counts = Counter(salon.name for salon in salons)
    return {
        salon.tenant_id: salon.name if counts[salon.name] == 1 else f"{salon.name} ({salon.folder})" for salon in salons
    }


def write_forward(folder: Path, target: str) -> None:
    """Make the folder open with what lies at ``target``."""
    _write(folder / "index.html", FORWARD.replace('"ru/', f'"{target}/ru/').replace('"en/', f'"{target}/en/').format(
        language=f"{target}/{LANGUAGES[0]}"
    ))  # fmt: skip


def _write_pages(salon: Salon, frames: Frames, folder: Path, *, veil: Veil, assets: Assets, has_chain: bool) -> None:
    for language in LANGUAGES:
        texts = read_texts(language)
        context = Context(
            frames=frames, veil=veil, texts=texts, formats=get_formats(language, salon.phone_region),
            last_day=salon.last_day,
        )  # fmt: skip
        menu = [(name, texts.get(f"page.{name}.menu")) for name in SALON_PAGES]
        pages = {name: build(context) for name, build in SALON_PAGES.items()}
        for name, page in pages.items():
            html = render_page(
                page, texts=texts, formats=context.formats, assets=assets, root="../../../", heading=salon.name,
                stamp=_stamp(context, texts.get("site.local_time", timezone=salon.timezone)), menu=menu,
                languages=LANGUAGE_NAMES, chain_link=f"../../../{language}/index.html" if has_chain else None,
                is_veiled=not veil.shows_people, has_dialogs=veil.shows_people,
            )  # fmt: skip
            _write(folder / language / f"{name}.html", html)
        if language == salon_language(salon):
            write_files(list(pages.values()), folder / "files", texts=texts)
    _write(folder / "index.html", FORWARD.format(language=salon_language(salon)))


def salon_language(salon: Salon) -> str:
    """The language that the salon asked for; Russian where it asked for none that there is."""
    return salon.language if salon.language in LANGUAGES else LANGUAGES[0]


def _stamp(context: Context, zone: str) -> str:
    as_of = context.texts.get("site.as_of", as_of=context.formats.write_day(context.last_day))
    return f"{as_of}. {zone}"


def _write(path: Path, text: str) -> None:
    with write_aside(path) as aside:
        # Half a pair of characters, which JSON may hold and UTF-8 may not, is shown as a question mark.
        aside.write_text(text, encoding="utf-8", errors="replace")


def _put_in_place(aside: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    aside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
