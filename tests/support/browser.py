"""A real Chromium, and pages in it that are watched: what they say, what they ask of the network, what they pop up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Route, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
LOCAL = ("file:", "data:", "blob:", "about:")
WIDE, PHONE = 1280, 390
"""CSS pixels: a laptop, and a telephone (issue 6)."""
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


class MissingBrowserError(RuntimeError):
    """No Chromium on this machine: what is to be tested in one is not known to work."""


def find_browser() -> str:
    """Return the path of a Chromium; raise where there is none, so that no test passes by being left out."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    raise MissingBrowserError(f"None of {', '.join(NAMES)} is on the PATH. Run `sh scripts/get_browser.sh`.")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Yield a headless Chromium that asks nothing of the network by itself."""
    path = find_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS), headless=True)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page, and what it did that no page of ours may do."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """Warnings and errors on the console, and errors that nobody caught."""
    requests: list[str] = field(default_factory=list)
    """Addresses beyond the file system that were asked for; none of them was answered."""
    popups: list[str] = field(default_factory=list)

    def visit(self, path: Path) -> Page:
        """Open a file and wait until its charts and tables are drawn."""
        self.page.goto(path.resolve().as_uri())
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until every chart that is shown or failed has come to its end."""
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.chart')].every(place => place.querySelector('svg')"
            " || !place.parentElement.querySelector('.failed').hidden)"
        )

    def clear(self) -> None:
        """Leave the page that is open, and forget what it and those before it did."""
        self.page.goto("about:blank")
        self.page.emulate_media(media="null", color_scheme="light")
        self.page.mouse.move(0, 0)
        for noted in (self.complaints, self.requests, self.popups):
            noted.clear()

    def expect_peace(self) -> None:
        """Fail when the page did any of it."""
        assert (self.complaints, self.requests, self.popups) == ([], [], [])


@contextmanager
def watch(
    browser: Browser, *, width: int = WIDE, scheme: Scheme = "light", has_script: bool = True, **options: Any
) -> Iterator[Watched]:
    """Yield a page of its own in a context without a network.

    The clock of the browser is that of Honolulu: no page may show a day by the clock of whoever looks.
    """
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, java_script_enabled=has_script,
        locale="de-DE", timezone_id="Pacific/Honolulu", **options,
    )  # fmt: skip
    context.set_default_timeout(20_000)
    watched = Watched(context.new_page())

    def decide(route: Route) -> None:
        if route.request.url.startswith(LOCAL):
            route.continue_()
        else:
            watched.requests.append(route.request.url)
            route.abort()

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            watched.complaints.append(f"{message.type}: {message.text}")

    def dismiss(dialog: Dialog) -> None:
        watched.popups.append(dialog.message)
        dialog.dismiss()

    context.route("**/*", decide)
    page = watched.page
    page.on("console", hear)
    page.on("pageerror", lambda error: watched.complaints.append(f"uncaught: {error}"))
    page.on("request", lambda request: _note(watched, request.url))
    page.on("dialog", dismiss)
    try:
        yield watched
    finally:
        context.close()


def _note(watched: Watched, address: str) -> None:
    if not address.startswith(LOCAL) and address not in watched.requests:
        watched.requests.append(address)
