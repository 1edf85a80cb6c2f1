"""The data sets, as the frames that scoring takes. Licences: scoring/evaluation/data/README.md."""

from __future__ import annotations

from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from agentp.errors import SetupError


def load_cdnow() -> pd.DataFrame:
    """Return CDNOW's purchases: ``client_id`` int64, ``visit_at`` (days), ``amount`` in dollars.

    Raises `SetupError` where the package `lifetimes`, which carries them, is not installed.
    """
    # The package itself is never imported: only its file is needed.
    spec = find_spec("lifetimes")
    if spec is None or spec.origin is None:
        raise SetupError("The package `lifetimes`, which carries CDNOW, is not installed.", cure="Run `make install`.")
    path = Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"
    rows = pd.read_csv(path, sep=r"\s+", skiprows=1, names=["client_id", "day", "pieces", "amount"])
    rows["visit_at"] = pd.to_datetime(rows["day"].astype(str))
    return rows[["client_id", "visit_at", "amount"]]


def load_complete_journey() -> pd.DataFrame:
    """Return the households' shopping trips: ``client_id`` str, ``visit_at``, ``amount`` in dollars."""
    rows = _read("complete_journey.parquet")
    return rows.rename(columns={"customer_id": "client_id", "ts": "visit_at", "sales_value": "amount"})


def load_hotel_bookings() -> pd.DataFrame:
    """Return the bookings by arrival, as `scoring.booking_risk` takes them, a hotel being a tenant.

    ``lead_time_days``, ``cancel_rate`` and ``is_new_client`` are ready-made; there is no client to compute them from.
    """
    rows = _read("hotel_bookings.parquet").sort_values("arrival_date", kind="stable")
    fell_through = np.where(rows["reservation_status"] == "No-Show", "missed", "cancelled")
    return pd.DataFrame({
        "tenant_id": rows["hotel"], "booking_id": rows["booking_id"], "booked_at": rows["booked_date"],
        "visit_at": rows["arrival_date"], "outcome": np.where(rows["is_canceled"] == 1, fell_through, "kept"),
        "outcome_at": pd.to_datetime(rows["reservation_status_date"]), "lead_time_days": rows["lead_time_days"],
        "cancel_rate": rows["cancel_rate"], "is_new_client": rows["is_new_client"],
    }).reset_index(drop=True)  # fmt: skip


def _read(name: str) -> pd.DataFrame:
    """One of the files that the package carries."""
    with (files("scoring.evaluation") / "data" / name).open("rb") as file:
        return pd.read_parquet(file)
