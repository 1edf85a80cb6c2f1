"""`agentp dbt` and `agentp env`: dbt as its users know it, with what profile and project read of the environment.

Its results (manifest, run results, catalog) are in `dbt_project/target`, where dbt's tools look, apart from those of
`agentp run`. What builds does it under the lock of builds, with the raw tables looked at first, as `agentp build` does.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from agentp.brake import require_roots
from agentp.database import open_connection
from agentp.errors import SetupError
from agentp.pipeline import open_build
from agentp.project import check_as_of, describe_environment, describe_variables
from agentp.settings import DBT_PROJECT, Settings

BUILDING = ("run", "build", "retry", "clone")
"""What writes marts."""
OFFLINE = ("--version", "--help", "-h", "clean", "deps", "init", "list", "ls", "parse")
"""What needs no database."""
OF_A_RUN = ("AGENTP_DEFINITION", "AGENTP_DAYS", "AGENTP_ACCEPT_REMOVALS")
"""What is right for one run alone: a definition that stayed in a shell would vouch for models edited since."""
WITHOUT_VARIABLES = ("--version", "--help", "-h", "clean", "deps", "init", "debug", "retry")


def run_dbt_by_hand(settings: Settings, url: str, arguments: Sequence[str], *, as_of: str | None = None) -> int:
    """Run dbt's own command line with the arguments and return its exit code.

    Raises `SetupError` without a subcommand, and what `agentp build` raises where nothing right can be built.
    """
    check_as_of(as_of)
    if not arguments:
        raise SetupError(
            "dbt wants a subcommand.", cure="Say which: agentp dbt ls, or agentp dbt -- run --select visits."
        )
    words = list(arguments)
    command = next((word for word in words if not word.startswith("-")), words[0])
    if command not in WITHOUT_VARIABLES:
        words = _add_variables(words, describe_variables(settings))
    is_building = command in BUILDING
    with open_build(url) if is_building else nullcontext():
        if command not in OFFLINE:
            # Refused where somebody else's code would run with an owner's rights.
            with open_connection(url) as connection:
                if is_building:
                    require_roots(connection, settings)
        return subprocess.run(
            [str(Path(sys.executable).with_name("dbt")), *words], cwd=DBT_PROJECT, check=False,
            env=os.environ | describe_environment_by_hand(settings, url, as_of=as_of),
        ).returncode  # fmt: skip


def _add_variables(words: list[str], variables: Mapping[str, object]) -> list[str]:
    """Hand over the settings that models depend on; what the user says of a variable counts."""
    import yaml

    given: object = {}
    if "--vars" in words[:-1]:
        place = words.index("--vars")
        given = yaml.safe_load(words[place + 1])
        words = words[:place] + words[place + 2 :]
    return [*words, "--vars", json.dumps({**variables, **(given if isinstance(given, dict) else {})}, default=str)]


def describe_environment_by_hand(settings: Settings, url: str, *, as_of: str | None = None) -> dict[str, str]:
    """Return the environment of dbt by hand: its artefacts and logs where dbt's tools look for them."""
    return describe_environment(settings, url, as_of=as_of) | {
        "DBT_TARGET_PATH": str(DBT_PROJECT / "target"),
        "DBT_LOG_PATH": str(DBT_PROJECT / "logs"),
    }


def write_exports(environment: Mapping[str, str]) -> str:
    """Return lines for a shell, `eval "$(agentp env)"`, without what is right for one run alone."""
    return "\n".join(
        f"export {name}={shlex.quote(value)}" for name, value in environment.items() if name not in OF_A_RUN
    )
