"""Settings: read once from the environment (`AGENTP_…`) or a `.env` file in the project's root."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import available_timezones

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agentp.errors import SetupError

PROJECT_ROOT = Path(__file__).resolve().parents[1]
DBT_PROJECT = PROJECT_ROOT / "dbt_project"


class Settings(BaseSettings):
    """What a deployment may set.

    ``home`` holds all state (embedded server, dbt artefacts); ``database_url`` points everything at
    another Postgres; ``session_gap_minutes`` is the idle time after which stray messages open a new
    session (METRICS, "Session"; 30 minutes by default); ``default_timezone`` holds for tenants whose
    `metadata.settings.timezone` is absent or unknown (REQUIREMENTS C6).
    """

    model_config = SettingsConfigDict(
        env_prefix="AGENTP_", env_file=PROJECT_ROOT / ".env", extra="ignore", hide_input_in_errors=True
    )

    home: Path = PROJECT_ROOT / ".agentp"
    database_url: str | None = None
    port: int = Field(default=54390, ge=1024, le=65535)
    session_gap_minutes: int = Field(default=30, ge=1, le=10_080)
    default_timezone: str = "Europe/Moscow"
    threads: int = Field(default=2, ge=1, le=64)

    @field_validator("default_timezone")
    @classmethod
    def _know_timezone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"'{name}' is no IANA time zone such as Europe/Moscow")
        return name

    @property
    def is_embedded(self) -> bool:
        """Whether the project runs its own Postgres."""
        return not self.database_url


def read_settings() -> Settings:
    """Return the settings, or say in one sentence which variable is wrong and what it should be."""
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "AGENTP_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SetupError(
            f"The setting {name} is not valid: {first['msg']}.",
            cure=f"Correct {name} in the environment or in the file .env, or unset it to use the default.",
        ) from error
    return settings.model_copy(update={"home": settings.home.expanduser().resolve()})
