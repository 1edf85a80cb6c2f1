"""Errors about the frames that scoring is given."""

from __future__ import annotations

from agentp.errors import AgentpError


class FrameError(AgentpError):
    """A frame lacks a column or has one of the wrong kind; nothing was scored."""


class ModelError(AgentpError):
    """A stored model cannot be read: another version, or not a model of this kind."""
