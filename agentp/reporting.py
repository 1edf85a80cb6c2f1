"""What `agentp report` does and says."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from agentp.brake import require_whole
from agentp.console import show_steps
from agentp.database import resolve_url
from agentp.errors import SetupError
from agentp.settings import Settings


def find_folder(settings: Settings) -> Path:
    """Return where runs write the site."""
    return settings.report_folder or settings.home / "report"


def report_with_progress(
    screen: Console, settings: Settings, *, folder: Path | None, audience: str | None, tenants: list[str]
) -> None:
    """Write the site or bring it up to date, and say where it opens."""
    from reports.audiences import Audience
    from reports.site import write_site

    chosen = audience or settings.report_audience
    if chosen not in set(Audience):
        raise SetupError(f"--audience is '{chosen}'.", cure="Write --audience owner or --audience analyst.")
    target = resolve_url(settings)
    require_whole(target, settings, what="the reports")
    with show_steps("Rendering reports") as steps:
        found = write_site(
            target, (folder or find_folder(settings)).expanduser().resolve(), audience=Audience(chosen),
            tenants=tenants, processes=settings.threads,
            report=lambda done, total: steps.note(f"{done} of {total} salons"),
        )  # fmt: skip
    if not found.salons:
        screen.print("No salon is active, so there is nothing to report.")
        return
    screen.print(
        f"{found.salons} salons, {found.rendered} of them rendered anew, for the {chosen}: open {found.index}",
        soft_wrap=True, highlight=False,
    )  # fmt: skip
