"""The site of files: what changed is rendered again, by several processes, from one snapshot of the marts (issue 6)."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agentp.database import describe_target
from agentp.locks import hold_file_lock
from reports.assets import Assets, write_assets
from reports.audiences import Audience, Veil
from reports.errors import ReportError
from reports.placement import write_aside
from reports.reading import open_snapshot, read_edition, read_salons, sign_salons
from reports.salon_pages import write_chain, write_forward
from reports.workers import Work, render_salons
from sources.sight import require_sight

STATE = "site.json"
"""What the site was made from; a folder that holds it is ours to write in."""
LIBRARIES = ("altair", "babel", "itables", "jinja2", "pandas", "vl-convert-python", "xlsxwriter")
HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class SiteReport:
    """What came of it: where the site opens, how many salons it holds and how many of them were rendered now."""

    index: Path
    salons: int
    rendered: int
    removed: int


def write_site(
    url: str, folder: Path, *, audience: Audience, tenants: Sequence[str] = (), processes: int = 2,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> SiteReport:  # fmt: skip
    """Write the site, or bring the one that is there up to date; return what was done.

    A salon is rendered again when any of its rows in the marts, the audience or the program changed. With ``tenants``
    (slugs, ids or names) the site holds these alone, and no page tells of others. What is not wanted any more is
    removed. A killed run leaves whole pages, and the next one goes on. A salon whose pages cannot be made keeps those
    that it has, and no other one waits for it.

    Without a salon there is nothing to report: nothing is written, and a site that is there stays.

    Raises `ReportError` for a folder that holds something else, for a site that no salon is left of, and in the end for
    salons whose pages could not be made; `SetupError` for a salon that there is not.
    """
    with _hold(folder), open_snapshot(url) as (connection, snapshot):
        require_sight(connection, through_views=True)
        state = _read_state(folder)
        read_edition(connection)
        salons = read_salons(connection, tuple(tenants))
        if not salons:
            _keep_site(folder, url)
            return SiteReport(index=folder / "index.html", salons=0, rendered=0, removed=0)
        if state.get("audience") != audience:
            # Before anything else: what the new audience must not see may not outlive a run that dies.
            _remove_pages(folder)
            _write_state(folder, {"audience": audience})
        identity = identify_program(audience)
        is_same = state.get("program") == identity
        assets = _keep_assets(folder, state if is_same else {})
        signatures = sign_salons(connection, salons)
        has_chain = not tenants
        salons = [
            replace(salon, signature=_digest(signatures[salon.tenant_id], str(asdict(salon)), str(has_chain)))
            for salon in salons
        ]
        known = state.get("salons", {}) if is_same else {}
        changed = [
            salon
            for salon in salons
            if known.get(salon.folder) != salon.signature or not (folder / "salons" / salon.folder).exists()
        ]
        done = {salon.folder: salon.signature for salon in salons if salon not in changed}
        work = [
            Work(
                url=url, snapshot=snapshot, salon=salon, folder=folder / "salons" / salon.folder, audience=audience,
                assets=assets, has_chain=has_chain,
            )
            for salon in changed
        ]  # fmt: skip
        removed = _remove_others(folder, state, keep={salon.folder for salon in salons}, has_chain=has_chain)
        found = {
            "program": identity, "audience": audience, "assets": asdict(assets), "salons": done, "chain": has_chain,
        }  # fmt: skip
        # Before and after: who is killed between the two renders again what it had rendered, and nothing is mistaken.
        _write_state(folder, found)
        failed: dict[str, str] = {}
        try:
            outcomes = render_salons(work, connection=connection, processes=processes)
            for count, (salon, failure) in enumerate(outcomes, start=1):
                if failure is None:
                    done[salon.folder] = salon.signature
                else:
                    failed[salon.folder] = failure
                report(count, len(work))
        finally:
            # What was rendered stays known, also where another salon failed.
            _write_state(folder, found)
        if has_chain:
            write_chain(connection, salons, folder, veil=Veil(audience), assets=assets)
        elif salons:
            write_forward(folder, f"salons/{salons[0].folder}")
        if not failed:
            # The pages of before, which stay where new ones failed, need the files of before.
            _remove_old_assets(folder, assets)
    _raise_failures(failed, len(salons))
    return SiteReport(index=folder / "index.html", salons=len(salons), rendered=len(changed), removed=removed)


def identify_program(audience: Audience) -> str:
    """Return a hash of all that pages depend on beside the marts: this room, its libraries, the audience."""
    digest = hashlib.sha256(audience.encode())
    for library in LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    for path in sorted(path for path in HERE.rglob("*") if path.suffix in (".py", ".toml", ".html", ".css", ".js")):
        digest.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _keep_site(folder: Path, url: str) -> None:
    """Refuse to take a site for that of a database without a salon: its salons are not gone, they are elsewhere."""
    if (folder / STATE).exists():
        raise ReportError(
            f"No salon is active in {describe_target(url)}; the site in {folder} is left as it is.",
            cure="Correct AGENTP_DATABASE_URL, or the salons' is_active; a site that nobody wants is removed by hand.",
        )


def _raise_failures(failed: dict[str, str], salons: int) -> None:
    if failed:
        name, failure = next(iter(failed.items()))
        raise ReportError(
            f"The pages of {len(failed)} of {salons} salons could not be made; first, of '{name}': {failure}.",
            cure="They keep the pages that they had, and those of the others are new. Look at the salon's rows there.",
        )


@contextmanager
def _hold(folder: Path) -> Iterator[None]:
    """One process at a time writes a site; a folder that holds anything else is left alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_locked = (folder / ".lock").exists()
        with hold_file_lock(folder / ".lock"):
            others = [
                path.name
                for path in folder.iterdir()
                if path.name != ".lock" and not path.name.startswith(f".{STATE}.")
            ]
            if others and STATE not in others:
                if not is_locked:
                    (folder / ".lock").unlink()
                raise ReportError(
                    f"The folder {folder} holds something else ({sorted(others)[0]}).",
                    cure="Name a folder of its own for the site, new or empty.",
                )
            yield
    except OSError as error:
        raise ReportError(
            f"The site cannot be written to {folder}: {error.strerror or error}.",
            cure="Name a folder that you may write to, on a disk with room.",
        ) from error


def _keep_assets(folder: Path, state: dict[str, Any]) -> Assets:
    """The shared files that are there, or new ones: making them imports what draws charts."""
    if state.get("assets"):
        kept = Assets(**state["assets"])
        if all((folder / "assets" / name).exists() for name in _list_assets(kept)):
            return kept
    return write_assets(folder / "assets")


def _list_assets(assets: Assets) -> list[str]:
    found = asdict(assets)
    words = found.pop("words_js")
    return [*found.values(), *words.values()]


def _remove_old_assets(folder: Path, assets: Assets) -> None:
    for path in (folder / "assets").iterdir():
        if path.name not in _list_assets(assets):
            path.unlink()


def _remove_others(folder: Path, state: dict[str, Any], *, keep: set[str], has_chain: bool) -> int:
    """Remove salons that are not wanted any more; what an audience must not see goes before anything is written."""
    gone = 0
    places = (folder / "salons").iterdir() if (folder / "salons").exists() else iter(())
    for path in list(places):
        if path.name not in keep:
            shutil.rmtree(path)
            gone += not path.name.startswith(".")
    if state.get("chain") and not has_chain:
        for name in ("ru", "en", "files"):
            shutil.rmtree(folder / name, ignore_errors=True)
    return gone


def _remove_pages(folder: Path) -> None:
    for name in ("salons", "ru", "en", "files"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _read_state(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _write_state(folder: Path, state: dict[str, Any]) -> None:
    with write_aside(folder / STATE) as aside:
        aside.write_text(json.dumps(state, indent=1), encoding="utf-8")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
