"""The table of contents: what Dagster loads. Needs dbt's project and the settings, and no database."""

from __future__ import annotations

import os

import dagster as dg

from agentp.settings import PRIVATE, read_settings
from orchestration.loading import load_definitions

# The servers that load this, and the runs that are their children, write what is nobody else's to read.
os.umask(PRIVATE)
defs: dg.Definitions = load_definitions(read_settings())
