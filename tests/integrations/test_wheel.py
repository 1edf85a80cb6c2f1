"""A wheel of the project is whole: it loads a demo and builds every mart, away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from agentp.settings import PROJECT_ROOT


def run(*words: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command of the project as it is installed there; return what it wrote."""
    found = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def test_a_wheel_has_all_that_commands_read_and_keeps_its_state_where_it_is_started(tmp_path: Path) -> None:
    checkout, packages, place = tmp_path / "checkout", tmp_path / "packages", tmp_path / "place"
    subprocess.run(["git", "clone", "--quiet", str(PROJECT_ROOT), str(checkout)], check=True)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(checkout)]
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(packages)
    place.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENTP_")}
    environment = kept | {"PYTHONPATH": str(packages)}
    program = ("-c", "import agentp.cli; agentp.cli.main()")
    try:
        run(*program, "demo", "--sessions", "20", folder=place, environment=environment)
        assert "dashboard.visits" in run(*program, "build", folder=place, environment=environment)
        assert (place / ".agentp" / "postgres").is_dir()
        assert not (packages / ".agentp").exists()
    finally:
        run(*program, "stop", "--remove", folder=place, environment=environment)
