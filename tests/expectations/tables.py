"""Raw tables by what the ids of their rules begin with."""

from __future__ import annotations

from systems.agent_p import SYSTEM

TABLES = {table.prefix: table.name for table in SYSTEM.tables}
