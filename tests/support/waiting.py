"""Waiting for what another process does, by looking at the database."""

from __future__ import annotations

import threading

from tests.support.marts import Workshop


def wait_until(workshop: Workshop, query: str, parameters: list[object]) -> None:
    """Look again until the query finds something; whoever waits in vain fails by the test's own end."""
    signalled = threading.Event()
    for _ in range(600):
        if next(iter(workshop.execute(query, parameters)[0].values())):
            return
        signalled.wait(0.1)
    raise AssertionError(f"never happened: {query}")
