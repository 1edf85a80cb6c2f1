"""What scoring costs: a million clients and a hundred thousand future bookings, fitting included.

Aim: both, with their models selected, well under 40 s and 1.5 GB (the command `agentp score` has 60 s and 2 GB).
Run it as `python -m benchmarks.scoring [--clients N] [--bookings N]`.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scoring import booking_risk, churn_probability, select_booking_model, select_churn_model

TENANTS = 200
AS_OF = pd.Timestamp("2026-01-01")
YEARS = 2


def main() -> None:
    """Generate, score, and print seconds and the peak of memory after each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, default=1_000_000)
    parser.add_argument("--bookings", type=int, default=100_000, help="future bookings; ten times as many are past")
    options = parser.parse_args()
    visits = make_visits(options.clients)
    bookings = make_bookings(options.bookings, clients=options.clients)
    print(f"{len(visits):,} visits of {options.clients:,} clients; {len(bookings):,} bookings")
    print(f"{'(data)':24s} {'':8s} {measure_memory():6.0f} MB at most")
    clock(f"{'churn, fit and score':24s}", lambda: churn_probability(visits, AS_OF))
    clock(f"{'bookings, fit and score':24s}", lambda: booking_risk(bookings, AS_OF))
    clock(f"{'churn, selection':24s}", lambda: select_churn_model(visits, AS_OF))
    clock(f"{'bookings, selection':24s}", lambda: select_booking_model(bookings, AS_OF))


def clock(name: str, work: Callable[[], object]) -> None:
    """Print how long the work takes, and the most memory that the process has had by its end."""
    start = time.perf_counter()
    work()
    print(f"{name} {time.perf_counter() - start:6.1f} s {measure_memory():6.0f} MB at most", flush=True)


def measure_memory() -> float:
    """Return the peak of resident memory in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def make_visits(clients: int) -> pd.DataFrame:
    """Return about 4.5 visits a client: cadences around five weeks, and a chance to leave after each visit."""
    chance = np.random.default_rng(5)
    cadence = chance.lognormal(np.log(35), 0.5, clients)
    leaves = chance.beta(1.0, 4.0, clients)
    at = chance.uniform(0, YEARS * 365, clients)
    who = np.arange(clients)
    parts = []
    while len(who):
        parts.append((who, at))
        stays = chance.random(len(who)) > leaves[who]
        who, at = who[stays], at[stays]
        at = at + np.maximum(chance.gamma(4, cadence[who] / 4), 1)
        inside = at < YEARS * 365
        who, at = who[inside], at[inside]
    client = np.concatenate([part[0] for part in parts])
    days = np.concatenate([part[1] for part in parts])
    start = AS_OF - pd.Timedelta(days=YEARS * 365)
    return pd.DataFrame({
        "tenant_id": (client % TENANTS).astype(np.int32),
        "client_id": client.astype(np.int32),
        "visit_at": (start.to_datetime64() + (days * 86_400).astype("timedelta64[s]")).astype("datetime64[us]"),
        "amount": chance.lognormal(8, 0.5, len(client)).astype(np.float32),
    })  # fmt: skip


def make_bookings(future: int, *, clients: int) -> pd.DataFrame:
    """Return that many bookings to come, and ten times as many settled ones."""
    chance = np.random.default_rng(6)
    size = future * 11
    lead = chance.exponential(8, size)
    visit = np.concatenate([chance.uniform(-YEARS * 365, 0, future * 10), chance.uniform(0, 30, future)])
    lead[future * 10 :] += visit[future * 10 :]
    risk = 1 / (1 + np.exp(2.2 - 0.4 * np.log1p(lead)))
    outcome = np.where(chance.random(size) < risk, "cancelled", "kept").astype(object)
    outcome[visit > 0] = None
    known = np.where(outcome == "cancelled", visit - chance.random(size) * lead, visit)
    client = chance.integers(0, max(clients // 5, 1), size)

    def tell(days: NDArray[np.float64]) -> NDArray[np.datetime64]:
        return np.asarray(AS_OF.to_datetime64() + (days * 86_400).astype("timedelta64[s]"), dtype="datetime64[us]")

    return pd.DataFrame({
        "tenant_id": client % TENANTS, "booking_id": np.arange(size), "client_id": client,
        "booked_at": tell(visit - lead), "visit_at": tell(visit), "outcome": outcome, "outcome_at": tell(known),
    })  # fmt: skip


if __name__ == "__main__":
    main()
