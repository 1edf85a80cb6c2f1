"""Begin a source system as a copy of the toy one: `python -m tools.new_system NAME` (CONTRIBUTING, "A source system").

The toy system (tests/toy) has every part that a system may have, small. Its copy goes the whole way as it is, and each
part is then made what the new system needs.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

from agentp.errors import SetupError
from agentp.settings import PROJECT_ROOT

TOY = PROJECT_ROOT / "tests" / "toy"
_SECTION = """
    {name}:
      +enabled: "{{{{ ('{name}' in var('systems', ['agent_p'])) | as_bool }}}}"
      staging: {{+schema: staging, +materialized: stable_view}}
      intermediate: {{+schema: intermediate, +materialized: ephemeral}}
      marts:
        +schema: {name}
        +materialized: published
        +contract: {{enforced: true}}
        +meta: {{distributed_by: tenant_id}}
"""
_SWITCHED = """
    {name}:
      +enabled: "{{{{ ('{name}' in var('systems', ['agent_p'])) | as_bool }}}}"
"""


def copy_system(name: str, *, root: Path = PROJECT_ROOT) -> list[Path]:
    """Copy the toy system under another name into a checkout; return the folders made.

    Raises `SetupError` for a name that is none, or is taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise SetupError(
            f"'{name}' is no name of a system.", cure="Write small letters, digits and single underscores."
        )
    package = root / "systems" / name
    if package.exists():
        raise SetupError(f"{package} is there already.", cure="Take another name, or remove it.")
    shutil.copytree(TOY, package, ignore=shutil.ignore_patterns("dbt", "__pycache__"))
    _rename(package, name)
    return [package, *copy_models(name, dbt_project=root / "dbt_project")]


def copy_models(name: str, *, dbt_project: Path) -> list[Path]:
    """Copy the toy system's models under another name into a dbt project, and switch them there; return the folders."""
    made = []
    for part in sorted((TOY / "dbt").iterdir()):
        folder = dbt_project / part.name / name
        shutil.copytree(part, folder)
        _rename(folder, name)
        made.append(folder)
    path = dbt_project / "dbt_project.yml"
    text = path.read_text(encoding="utf-8")
    for kind, section in (("models", _SECTION), ("sources", _SWITCHED), ("data_tests", _SWITCHED)):
        heading = f"\n{kind}:\n  agentp:\n"
        text = text.replace(heading, heading.rstrip("\n") + section.format(name=name), 1)
    path.write_text(text, encoding="utf-8")
    return made


def _rename(folder: Path, name: str) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file():
            path.write_text(re.sub("(?<![a-z])toy", name, path.read_text(encoding="utf-8")), encoding="utf-8")
        if "toy" in path.name:
            path.rename(path.with_name(path.name.replace("toy", name)))


def main() -> None:
    """Copy, and say what is to be done next."""
    parser = argparse.ArgumentParser(prog="python -m tools.new_system", description=__doc__)
    parser.add_argument("name")
    for folder in copy_system(parser.parse_args().name):
        print(folder.relative_to(PROJECT_ROOT))


if __name__ == "__main__":
    main()
