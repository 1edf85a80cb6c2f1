"""How many examples: few on every run, ten times as many with HYPOTHESIS_PROFILE=thorough, never fewer."""

from __future__ import annotations

import os


def take_examples(usual: int) -> int:
    """Return how many examples a property takes."""
    return usual * 10 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else usual
