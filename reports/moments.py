"""Moments and days that Python has no value for."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types.datetime import DateLoader, TimestamptzLoader


class FiniteTimestamptzLoader(TimestamptzLoader):
    """Loads moments; what Python cannot hold (infinity, years past 9999) is none rather than an error."""

    def load(self, data: Any) -> Any:
        """Return the moment, or None."""
        try:
            return super().load(data)
        except psycopg.DataError:
            return None


class FiniteDateLoader(DateLoader):
    """Loads days likewise: a bot that wrote the year 20261 keeps nobody's page from being made."""

    def load(self, data: Any) -> Any:
        """Return the day, or None."""
        try:
            return super().load(data)
        except psycopg.DataError:
            return None


def load_infinity_as_nothing(connection: psycopg.Connection[Any]) -> None:
    """Make the connection load moments and days without end as None."""
    connection.adapters.register_loader("timestamptz", FiniteTimestamptzLoader)
    connection.adapters.register_loader("date", FiniteDateLoader)
