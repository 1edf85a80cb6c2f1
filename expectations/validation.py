"""Running the suites with Great Expectations: an ephemeral context, the raw tables as assets, data docs if wanted."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import great_expectations as gx
from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.base import ProgressBarsConfig
from sqlalchemy import event
from sqlalchemy.engine import URL

import expectations.metrics  # noqa: F401  (registers what the rules ask Great Expectations for)
from agentp.database import SET_LIMITS
from agentp.errors import AgentpError
from agentp.redaction import scrub_error
from agentp.settings import read_limits
from agentp.transport import parse_url, secure_url
from expectations.data_docs import make_self_contained
from expectations.looks import looking_for
from expectations.rules import ExpectTableShape
from expectations.standard import build_suites, copy_suite
from systems.registry import find_labelled


class CheckError(AgentpError):
    """The gate could not run; how things stood before still stands."""

    exit_code = 2


def validate_tables(
    url: str,
    *,
    tables: Iterable[str],
    run_id: int,
    only_shapes: Collection[str] = (),
    docs: Path | None = None,
    announce: Callable[[str], None] = lambda table: None,
) -> dict[str, ExpectationSuiteValidationResult]:
    """Run the suites of the tables; return Great Expectations' results by table.

    ``run_id`` names them in data docs. ``only_shapes`` are tables to leave out the rules about rows for, because
    their shape is one that no such rule can be trusted on.
    ``docs`` is a folder to render the results into, as a site. Raises `CheckError` where a rule could not be run.
    """
    with warnings.catch_warnings():
        # The generic data source is meant: it takes any libpq URL. The schema is ours to name.
        warnings.filterwarnings("ignore", module="great_expectations")
        with looking_for(run_id):
            return _validate(url, tables=tables, run_id=run_id, only_shapes=only_shapes, docs=docs, announce=announce)


def _validate(
    url: str,
    *,
    tables: Iterable[str],
    run_id: int,
    only_shapes: Collection[str],
    docs: Path | None,
    announce: Callable[[str], None],
) -> dict[str, ExpectationSuiteValidationResult]:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    if docs is not None:
        context.add_data_docs_site("standard", _describe_site(docs))
    source = context.data_sources.add_sql(name="raw tables", connection_string=_write_connection_string(url))
    event.listen(source.get_engine(), "checkout", _set_limits)
    results = {}
    for table in build_suites():
        if table not in tables:
            continue
        announce(table)
        system, named = find_labelled(table)
        batch = source.add_table_asset(
            name=table, table_name=named.name, schema_name=system.raw_schema
        ).add_batch_definition_whole_table("all rows")
        suite = copy_suite(table)
        if table in only_shapes:
            suite.expectations = [rule for rule in suite.expectations if isinstance(rule, ExpectTableShape)]
        if docs is None:
            # What nobody renders is not stored either, which would be as much work again.
            results[table] = batch.get_batch().validate(suite, result_format="BASIC")
        else:
            definition = gx.ValidationDefinition(name=table, data=batch, suite=context.suites.add(suite))
            run = RunIdentifier(run_name=f"run {run_id}")
            results[table] = context.validation_definitions.add(definition).run(result_format="BASIC", run_id=run)
        _raise_on_exception(results[table])
    if docs is not None:
        context.build_data_docs(site_names=["standard"])
        make_self_contained(docs, results)
    return results


def _raise_on_exception(result: ExpectationSuiteValidationResult) -> None:
    for found in result.results:
        details: Any = found.exception_info or {}
        for info in [details, *(value for value in details.values() if isinstance(value, dict))]:
            if info.get("raised_exception"):
                rule = found.expectation_config.kwargs["rule_id"] if found.expectation_config else "a rule"
                first_line = scrub_error(str(info.get("exception_message", "")))
                raise CheckError(
                    f"{rule} could not be checked: {first_line}.",
                    cure="Mend the cause and run `agentp check` again; what stood before still stands.",
                )


def _write_connection_string(url: str) -> str:
    """The URL as SQLAlchemy spells it; every setting of libpq's goes along."""
    parts = {name: str(value) for name, value in parse_url(secure_url(url)).items() if value not in (None, "")}
    # Parts as query keep sockets, several hosts and odd passwords as libpq understands them.
    return URL.create("postgresql+psycopg", query=parts).render_as_string(hide_password=False)


def _set_limits(connection: Any, record: object, proxy: object) -> None:
    """As `open_connection` does; each time, because the pool takes back what a connection was told."""
    limits = read_limits()
    with connection.cursor() as cursor:
        cursor.execute(SET_LIMITS, (limits.statement_timeout, limits.lock_timeout))


def _describe_site(folder: Path) -> Any:
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.resolve())},
    }
