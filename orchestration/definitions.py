"""The table of contents: what Dagster loads. Needs dbt's project and the settings, and no database."""

from __future__ import annotations

import dagster as dg

from agentp.settings import read_settings
from orchestration.loading import load_definitions

defs: dg.Definitions = load_definitions(read_settings())
