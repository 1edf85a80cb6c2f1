"""Which Python the two commands take, and that everything says the same of it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from dagster._core.workspace.load_target import PyProjectFileTarget

from agentp.settings import PROJECT_ROOT
from orchestration import definitions

SCRIPT = PROJECT_ROOT / "scripts" / "find_python.sh"
SUITABLE, OTHER = "exit 0", "exit 1"


def find_python(folder: Path, programs: dict[str, str], *, named: str = "") -> subprocess.CompletedProcess[str]:
    """Look for a Python on a PATH that has these programs alone; what each answers is whether its version suits."""
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(SCRIPT)],
        env={"PATH": str(folder), "PYTHON": named},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("programs", "found"),
    [
        ({"python3": SUITABLE, "python3.12": SUITABLE, "python3.13": SUITABLE}, "python3.13"),
        ({"python3": SUITABLE, "python3.11": SUITABLE, "python3.13": "exit 127"}, "python3.11"),
        ({"python3": SUITABLE, "python3.14": SUITABLE}, "python3"),
    ],
)
def test_the_newest_suitable_python_on_the_path_is_taken(tmp_path: Path, programs: dict[str, str], found: str) -> None:
    assert find_python(tmp_path, programs).stdout == f"{found}\n"


@pytest.mark.parametrize("named", ["", "python3.14"])
def test_where_none_is_suitable_one_sentence_says_which_are_and_how_to_get_one(tmp_path: Path, named: str) -> None:
    programs = {"python3": OTHER, "python3.14": OTHER} | ({"python3.13": SUITABLE} if named else {})
    answer = find_python(tmp_path, programs, named=named)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("Python 3.11, 3.12 or 3.13 is needed")
    assert "install" in answer.stderr
    assert (named or "none on the PATH") in answer.stderr


def test_every_place_names_the_same_pythons() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups()  # type: ignore[union-attr]
    *first, last = [f"3.{minor}" for minor in range(int(low), int(high))]
    said = f"Python {', '.join(first)} or {last}"
    for name in ("README.md", "docs/deploy.md", "scripts/find_python.sh"):
        assert said in (PROJECT_ROOT / name).read_text(encoding="utf-8"), name
    assert f"Python {first[0]} to {last}" in (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    script = SCRIPT.read_text(encoding="utf-8")
    assert f"(3, {low}) <= sys.version_info[:2] <= (3, {int(high) - 1})" in script
    assert " ".join(f"python{name}" for name in (last, *reversed(first))) in script


def test_the_licence_and_the_version_are_those_of_the_package() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "MIT"
    assert (PROJECT_ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert f"## {project['version']}" in (PROJECT_ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_dagster_finds_the_definitions_from_the_root() -> None:
    tools = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (origin,) = PyProjectFileTarget(str(PROJECT_ROOT / "pyproject.toml")).create_origins()
    assert origin.loadable_target_origin.module_name == definitions.__name__ == "orchestration.definitions"
    assert f"{tools['dg']['project']['root_module']}.definitions" == definitions.__name__
