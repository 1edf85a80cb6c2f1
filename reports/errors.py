"""What can go wrong with reports, told to the reader."""

from __future__ import annotations

from agentp.errors import AgentpError


class ReportError(AgentpError):
    """Something could not be rendered or written; what was there before is still there."""
