"""What a run of the suite can be told: how many random examples, from which seed, and whose the databases are."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = 100
SERVERS = frozenset(
    {"superuser_url", "server_home", "known_home", "closed_home", "browser", "server", "eavesdropper", "tiny_checkout"}
)
"""Fixtures that stand for a process beside the tests: who asks for one, directly or not, needs a server."""


@dataclass(frozen=True)
class Examples:
    """How many random examples a property takes, and the seed that all of them come from."""

    count: int
    seed: int


def add_options(parser: pytest.Parser) -> None:
    """Add `--examples`, `--seed`, `--owner` and `--without-servers` to pytest."""
    group = parser.getgroup("properties")
    group.addoption("--examples", type=int, default=EXAMPLES, help="random examples a property (default: %(default)s)")
    group.addoption(
        "--owner", choices=("superuser", "createrole"), default="superuser",
        help="whose the databases are: a superuser's, or a login's that makes roles and is none (default: %(default)s)",
    )  # fmt: skip
    group.addoption("--without-servers", action="store_true", help="only tests that start no server and no browser")
    group.addoption(
        "--seed", type=int, default=None, help="the seed of all random examples (default: another each run)"
    )


def configure(config: pytest.Config) -> None:
    """Draw the seed where none is given, the same for all workers, and have hypothesis use it."""
    told: dict[str, int] = getattr(config, "workerinput", {})
    if "seed" in told:
        config.option.seed, config.option.examples = told["seed"], told["examples"]
    if config.option.seed is None:
        config.option.seed = secrets.randbelow(2**32)
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(config.option.seed)
    settings.register_profile(
        "suite",
        max_examples=config.option.examples,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("suite")


def leave_out_servers(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what needs a server, a browser or a process of its own, where only the rest is asked for."""
    if not config.option.without_servers:
        return
    # What a test asks `request` for is known only when it runs: those say so by a mark.
    left_out = [
        item
        for item in items
        if SERVERS & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("server") is not None
    ]
    kept = [item for item in items if item not in set(left_out)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def describe(config: pytest.Config) -> str:
    """Return the line that says how to have the same examples again."""
    return f"examples: {config.option.examples} a property, --seed {config.option.seed}"


def read_examples(config: pytest.Config) -> Examples:
    """Return what the options say."""
    return Examples(config.option.examples, config.option.seed)
