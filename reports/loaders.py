"""Values of Postgres that a page has no words for: nothing there, rather than an error that keeps all pages away."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.adapt import Loader
from psycopg.types.datetime import DateLoader, TimestamptzLoader
from psycopg.types.numeric import NumericLoader


class _FiniteLoader(Loader):
    """Before a loader of psycopg: what Python cannot hold is none."""

    def load(self, data: Any) -> Any:
        """Return the value, or None."""
        try:
            return super().load(data)  # type: ignore[safe-super]
        except psycopg.DataError:
            return None


class FiniteTimestamptzLoader(_FiniteLoader, TimestamptzLoader):
    """Loads moments; infinity and years past 9999 are none."""


class FiniteDateLoader(_FiniteLoader, DateLoader):
    """Loads days likewise: a bot that wrote the year 20261 keeps nobody's page from being made."""


class FiniteNumericLoader(NumericLoader):
    """Loads numbers; NaN and the infinities, which a bot's price may be and then is every sum with it, are none."""

    def load(self, data: Any) -> Any:
        """Return the number, or None."""
        number = super().load(data)
        return number if number.is_finite() else None


def load_infinity_as_nothing(connection: psycopg.Connection[Any]) -> None:
    """Make the connection load moments, days and numbers without end as None."""
    connection.adapters.register_loader("timestamptz", FiniteTimestamptzLoader)
    connection.adapters.register_loader("date", FiniteDateLoader)
    connection.adapters.register_loader("numeric", FiniteNumericLoader)
