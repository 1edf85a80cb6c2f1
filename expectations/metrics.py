"""The two metrics that the standard's expectations ask Great Expectations for.

Every expectation of a suite asks for the same metric with the same arguments, and Great Expectations computes
a metric once for a batch: that is how all rules of a table share one look at it.
"""

from __future__ import annotations

from typing import Any

import psycopg
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

from expectations.looks import look_at_table
from expectations.shapes import find_shape_faults, read_shape


class TableRuleVerdicts(TableMetricProvider):
    """Verdicts of all row rules of one raw table: rule id → rows seen, rows failed, examples by key."""

    metric_name = "table.rule_verdicts"
    value_keys = ("table_name",)

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls: Any, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: dict[str, Any],  # noqa: N805
        metrics: Any, runtime_configuration: Any,
    ) -> dict[str, dict[str, Any]]:  # fmt: skip
        with execution_engine.engine.begin() as connection:
            return look_at_table(_find_driver_connection(connection), table=metric_value_kwargs["table_name"])


class TableShapeFaults(TableMetricProvider):
    """What is wrong with one raw table's columns and keys: aspect → one sentence a fault."""

    metric_name = "table.shape_faults"
    value_keys = ("table_name",)

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls: Any, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: dict[str, Any],  # noqa: N805
        metrics: Any, runtime_configuration: Any,
    ) -> dict[str, list[str]]:  # fmt: skip
        with execution_engine.engine.begin() as connection:
            shape = read_shape(_find_driver_connection(connection))
        return find_shape_faults(metric_value_kwargs["table_name"], shape)


def _find_driver_connection(connection: Any) -> psycopg.Connection[Any]:
    """The psycopg connection below SQLAlchemy's, for COPY-safe quoting and named types."""
    return connection.connection.driver_connection  # type: ignore[no-any-return]
