"""Settings: read once from the environment (`AGENTP_…`) or a `.env` file beside the project."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Literal, TypeVar
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agentp.errors import SetupError

PROJECT_ROOT = Path(__file__).resolve().parents[1]
"""The checkout, or the folder of packages that a wheel was installed into."""
DBT_PROJECT = Path(os.environ.get("AGENTP_DBT_PROJECT") or PROJECT_ROOT / "dbt_project")
"""The dbt project: that of the checkout, or a copy with further systems."""
STATE_ROOT = PROJECT_ROOT if (PROJECT_ROOT / "pyproject.toml").is_file() else Path.cwd()
"""Where `.env` and the home are: the checkout, or whatever folder an installed program is started in."""
PRIVATE = 0o077
"""The umask of everything that writes: files are their owner's alone, whoever may look into the folder."""


class _Environment(BaseSettings):
    """Where settings come from."""

    model_config = SettingsConfigDict(
        env_prefix="AGENTP_", env_file=STATE_ROOT / ".env", extra="ignore", hide_input_in_errors=True
    )


class Limits(_Environment):
    """How much a session of ours may hold up others on the bots' database (issue 7).

    ``statement_timeout_minutes`` is the longest that one statement may take, 0 for no end;
    ``lock_timeout_seconds`` the longest that one may wait for a lock, 0 likewise: while it waits, everybody who comes
    later waits behind it. ``batch_messages`` is about how many messages a full build or check reads in one statement (a
    client's are read together). They hold for the whole process, so they are the environment's alone.
    """

    statement_timeout_minutes: float = Field(default=30, ge=0, le=10_080)
    lock_timeout_seconds: float = Field(default=10, ge=0, le=3600)
    batch_messages: int = Field(default=200_000, ge=1, le=1_000_000_000)

    @property
    def statement_timeout(self) -> str:
        """As Postgres takes it."""
        return f"{round(self.statement_timeout_minutes * 60_000)}ms"

    @property
    def lock_timeout(self) -> str:
        """As Postgres takes it."""
        return f"{round(self.lock_timeout_seconds * 1000)}ms"


class Systems(_Environment):
    """Which source systems are on: ``systems``, names divided by commas; the first is what a bare name means.

    ``raw_schemas`` says where their bots write, as `system=schema`, divided by commas; else it is as they declare.
    """

    systems: str = Field(default="agent_p", pattern=r"^\s*[a-z_][a-z0-9_.]*(\s*,\s*[a-z_][a-z0-9_.]*)*\s*$")
    raw_schemas: str = Field(default="", pattern=r"^\s*([a-z_][a-z0-9_]*=[A-Za-z_][A-Za-z0-9_]*\s*(,\s*|$))*$")


class Settings(Limits, Systems):
    """What a deployment may set.

    ``home`` holds all state (embedded server, dbt artefacts); ``database_url`` points everything at
    another Postgres; ``session_gap_minutes`` is the idle time after which stray messages open a new
    session (METRICS, "Session"; 30 minutes by default); ``default_timezone`` holds for tenants whose
    `metadata.settings.timezone` is absent or unknown (REQUIREMENTS C6).

    ``brake_share`` is the share of a mart's rows, or of a salon's rows or clients in it, that one build may take away
    without being told to (1: all of it); ``brake_rows`` so many rows, or a fifth as many clients, may go whatever their
    share.

    For runs: ``schedule_timezone`` is where the daily run starts at 01:00 (by default ``default_timezone``);
    ``first_day`` the first day that may be built anew by itself; ``activation`` whether runs write memories and
    queue messages (REQUIREMENTS C13, "when asked for"); ``blocking_rules`` rules of the data standard, by id, whose
    failure keeps from being built what reads the table, beside those that always do; ``retries`` how often a step is
    tried again after a fault that passes, the first time after ``retry_seconds``, then after twice as long each time;
    ``stale_after_hours`` without a daily run that ended well are a problem; ``alerts`` whom to tell, URLs as apprise
    writes them, divided by spaces; ``digests`` where the digests of salons go, such URLs with ``{admin_chat_id}``,
    ``{slug}`` and ``{tenant_id}`` in the place of the salon's own (issue 6).

    ``report`` says whether the daily run renews the site of reports, ``report_folder`` where (default: `report` in the
    home), ``report_audience`` for whom: an analyst's edition shows nobody's name, phone or words (issue 6).
    """

    home: Path = STATE_ROOT / ".agentp"
    database_url: str | None = None
    port: int = Field(default=54390, ge=1024, le=65535)
    session_gap_minutes: int = Field(default=30, ge=1, le=10_080)
    default_timezone: str = "Europe/Moscow"
    threads: int = Field(default=2, ge=1, le=64)
    schedule_timezone: str | None = None
    first_day: date = date(2015, 1, 1)
    activation: bool = False
    blocking_rules: str = ""
    brake_share: float = Field(default=0.2, ge=0, le=1)
    brake_rows: int = Field(default=100, ge=0, le=1_000_000_000)
    retries: int = Field(default=3, ge=0, le=20)
    retry_seconds: float = Field(default=10, ge=0, le=3600)
    stale_after_hours: float = Field(default=26, gt=0, le=8760)
    alerts: SecretStr = SecretStr("")
    digests: SecretStr = SecretStr("")
    report: bool = True
    report_folder: Path | None = None
    report_audience: Literal["owner", "analyst"] = "owner"

    @field_validator("default_timezone", "schedule_timezone")
    @classmethod
    def _know_timezone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError(f"'{name}' is no IANA time zone such as Europe/Moscow")
        return name

    @field_validator("report_folder", mode="before")
    @classmethod
    def _take_nothing_for_nothing(cls, folder: object) -> object:
        # An empty variable would name the folder that one happens to be in.
        return folder or None

    @property
    def is_embedded(self) -> bool:
        """Whether the project runs its own Postgres."""
        return not self.database_url


Kind = TypeVar("Kind", bound=BaseSettings)


def read_settings() -> Settings:
    """Return the settings, or say in one sentence which variable is wrong and what it should be."""
    settings = _read(Settings)
    return settings.model_copy(update={"home": settings.home.expanduser().resolve()})


def read_limits() -> Limits:
    """Return the limits of connections; errors are those of `read_settings`."""
    return _read(Limits)


def read_systems() -> tuple[str, ...]:
    """Return the names of the source systems that are on; errors are those of `read_settings`."""
    return tuple(dict.fromkeys(name.strip() for name in _read(Systems).systems.split(",")))


def read_raw_schemas() -> dict[str, str]:
    """Return the schemas of raw tables that differ from what systems declare, by system; errors are those above."""
    pairs = (pair.strip().partition("=") for pair in _read(Systems).raw_schemas.split(",") if pair.strip())
    return {system: schema for system, _, schema in pairs}


def _read(kind: type[Kind]) -> Kind:
    try:
        return kind()
    except ValidationError as error:
        first = error.errors()[0]
        name = "AGENTP_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SetupError(
            f"The setting {name} is not valid: {first['msg']}.",
            cure=f"Correct {name} in the environment or in the file .env, or unset it to use the default.",
        ) from error
