"""Simulated salons whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

START = pd.Timestamp("2024-01-01")


def simulate_visits(clients: int = 1500, *, days: int = 300, seed: int = 0, rate: float = 1 / 25) -> pd.DataFrame:
    """Return visits at random times, ``rate`` a day on average, of clients that leave for good by chance."""
    chance = np.random.default_rng(seed)
    own = chance.gamma(2.0, rate / 2, clients)
    rows = []
    for client in range(clients):
        at, life = chance.uniform(0, days), chance.exponential(200)
        end = min(at + life, days)
        while at < end:
            rows.append((client, at, float(chance.lognormal(3, 0.5))))
            at += max(chance.exponential(1 / own[client]), 1.0)
    frame = pd.DataFrame(rows, columns=["client_id", "at", "amount"])
    frame["visit_at"] = START + pd.to_timedelta(frame.pop("at").round(3), unit="D")
    return frame


def simulate_bookings(
    size: int = 3000, *, seed: int = 0, base: float = -2.0, slope: float = 0.6, days: int = 300
) -> pd.DataFrame:
    """Return bookings whose log odds to fall through are ``base`` + ``slope`` × log(1 + lead days)."""
    chance = np.random.default_rng(seed)
    lead = chance.exponential(10, size)
    visit = chance.uniform(0, days, size)
    odds = base + slope * np.log1p(np.floor(lead))
    is_miss = chance.random(size) < 1 / (1 + np.exp(-odds))
    known = np.where(is_miss, visit - chance.random(size) * lead, visit)
    return pd.DataFrame({
        "booking_id": np.arange(size),
        "client_id": chance.integers(0, max(size // 4, 1), size),
        "booked_at": START + pd.to_timedelta((visit - lead).round(3), unit="D"),
        "visit_at": START + pd.to_timedelta(visit.round(3), unit="D"),
        "outcome": np.where(is_miss, "cancelled", "kept"),
        "outcome_at": START + pd.to_timedelta(known.round(3), unit="D"),
    })  # fmt: skip
