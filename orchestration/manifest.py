"""What the graph is drawn from: dbt's manifest and the rules of the data standard, made anew when either changed.

Both are kept as files, because parsing dbt's project and importing Great Expectations take seconds that a run without
changes would pay for again and again.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agentp.locks import hold_file_lock
from agentp.project import compute_definition, run_dbt
from agentp.settings import DBT_PROJECT, PROJECT_ROOT, Settings
from systems.registry import list_systems

NOWHERE = "postgresql://nobody@localhost:1/nowhere"
"""Parsing asks for a connection's words, and never opens it: definitions load without a database."""


@dataclass(frozen=True, kw_only=True)
class RuleCard:
    """What is shown of a rule of the data standard; the rule itself lives in `expectations/`."""

    rule_id: str
    table_name: str
    section: str
    level: str
    action: str
    meaning: str


def prepare_manifest(settings: Settings) -> Path:
    """Return the path of the manifest of the project as it is now; make it, and the rules' cards, where either changed.

    Done at the first start and after every upgrade; an image does it while it is built (docs/deploy.md).
    """
    folder = settings.home / "dbt"
    manifest, mark = folder / "manifest.json", folder / "manifest.sha256"
    wanted = _identify_project(settings)
    if _is_current(manifest, mark, wanted):
        return manifest
    # dbt writes its manifest in place: of two processes that parse at once, one could read what the other half wrote.
    with hold_file_lock(folder / "manifest.lock"):
        if not _is_current(manifest, mark, wanted):
            _make_manifest(settings, folder)
            # The mark comes last: who dies before it does all of it again.
            _replace(mark, wanted.encode())
    return manifest


def _make_manifest(settings: Settings, folder: Path) -> None:
    from expectations.standard import list_rules

    run_dbt(settings, NOWHERE, "parse")
    cards = [
        RuleCard(
            rule_id=rule.rule_id, table_name=rule.table_name, section=rule.section, level=rule.level,
            action=rule.action, meaning=rule.meaning["en"],
        )
        for rule in list_rules()
    ]  # fmt: skip
    _replace(folder / "manifest.json", (folder / "target" / "manifest.json").read_bytes())
    _replace(folder / "rules.json", json.dumps([asdict(card) for card in cards], ensure_ascii=False).encode())


def _is_current(manifest: Path, mark: Path, wanted: str) -> bool:
    return manifest.exists() and mark.exists() and mark.read_text(encoding="utf-8") == wanted


def read_manifest(settings: Settings) -> dict[str, Any]:
    """Return dbt's manifest of the project as it is now."""
    found: dict[str, Any] = json.loads(prepare_manifest(settings).read_bytes())
    return found


def read_rules(settings: Settings) -> tuple[RuleCard, ...]:
    """Return the rules of the data standard as they are now."""
    path = prepare_manifest(settings).with_name("rules.json")
    return tuple(RuleCard(**card) for card in json.loads(path.read_bytes()))


def _identify_project(settings: Settings) -> str:
    """What both depend on: what marts are computed by, the tests, and the rules."""
    digest = hashlib.sha256(compute_definition(settings).encode())
    for folder, pattern in (
        (DBT_PROJECT / "tests", "*.sql"), (DBT_PROJECT / "models", "*.yml"), (PROJECT_ROOT / "expectations", "*.py"),
        *((Path(str(system.folder)), "*.py") for system in list_systems()),
    ):  # fmt: skip
        for path in sorted(folder.rglob(pattern)):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _replace(path: Path, content: bytes) -> None:
    """Who reads meanwhile sees the old or the new, whole."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    aside.write_bytes(content)
    aside.replace(path)
