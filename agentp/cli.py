"""The front door: every command of the README is one of these."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agentp.errors import FULL_DISK, FULL_DISK_CURE, HELD_CURE, AgentpError
from agentp.settings import PRIVATE, Settings, read_settings

app = typer.Typer(
    name="agentp",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=(
        "Analytics for bots that book and sell: raw tables in, trusted marts out.\n\n"
        "Without AGENTP_DATABASE_URL the project runs a Postgres of its own in AGENTP_HOME (.agentp).\n\n"
        "Exit codes: 0 done, 1 the work failed (bad data, failed build), "
        "2 it could not start (settings, server, rights)."
    ),
)
repairs = typer.Typer(no_args_is_help=True, help="Mend raw rows; each change is logged and can be taken back.")
app.add_typer(repairs, name="repair")
screen = Console()
notes = Console(stderr=True)

AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="DAY|INSTANT",
        help="What counts as the present: 2026-01-31 (end of that local day everywhere) or an instant with its offset. "
        "Default: now.",
    ),
]  # fmt: skip


Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Take an --as-of that lies ahead; nothing of it is kept in figures_shown, models and outbox."
    ),
]  # fmt: skip
AcceptRemovals = Annotated[
    bool,
    typer.Option(
        "--accept-removals", help="Let marts lose more rows, salons or clients than AGENTP_BRAKE_SHARE lets go, once."
    ),
]  # fmt: skip


def main() -> None:
    """Run the command line; a failure is one sentence with its cure, never a stack trace."""
    import psycopg

    from agentp.redaction import scrub, scrub_error

    # Nobody else reads what is written: names, phones and passwords are in it.
    os.umask(PRIVATE)
    # dbt leaves a lock to the end of the process, which Python's tracker would complain of on everybody's screen.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    try:
        app()
    except AgentpError as error:
        notes.print(f"[bold red]✗[/] {_escape(scrub(error.message))}", soft_wrap=True, highlight=False)
        notes.print(f"  {_escape(scrub(error.cure))}", soft_wrap=True, highlight=False)
        sys.exit(error.exit_code)
    except psycopg.Error as error:
        first_line = scrub_error(str(error)) or type(error).__name__
        notes.print(f"[bold red]✗[/] The database refused: {_escape(first_line)}", soft_wrap=True, highlight=False)
        cure = "Nothing was half done; `agentp doctor` shows what is set up."
        if FULL_DISK in str(error):
            cure = FULL_DISK_CURE
        elif isinstance(error, psycopg.errors.LockNotAvailable):
            cure = HELD_CURE
        notes.print(f"  {cure}", soft_wrap=True, highlight=False)
        sys.exit(1)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        notes.print(f"[bold red]✗[/] {_escape(str(error))}", soft_wrap=True, highlight=False)
        notes.print(f"  {FULL_DISK_CURE}", soft_wrap=True, highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        notes.print("Interrupted. Nothing is half done: run the same command again.")
        sys.exit(130)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"agentp {version('agentp-analytics')}")
        raise typer.Exit


@app.callback()
def begin(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Options of every command."""


@app.command()
def up() -> None:
    """Start the embedded Postgres (or check the one that AGENTP_DATABASE_URL names)."""
    from agentp.console import show_steps
    from agentp.database import describe_target, open_connection, resolve_url

    settings = read_settings()
    with show_steps("Starting Postgres"):
        url = resolve_url(settings)
    with open_connection(url, reads_marts=False) as connection:
        version = connection.info.parameter_status("server_version")
    screen.print(
        f"Postgres {version} answers at {describe_target(url)}. `agentp url` prints the URL with its password."
    )


@app.command()
def url() -> None:
    """Print one line: the libpq URL of the database, for psql and BI tools. Starts the embedded server when it must."""
    from agentp.database import resolve_url

    typer.echo(resolve_url(read_settings()))


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def dbt(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="ARGS", help="dbt's own, such as ls.")] = None,
    as_of: AsOf = None,
) -> None:
    """Run dbt on the project as its users know it: agentp dbt -- ls. Its exit code is this command's.

    Results are in dbt_project/target. What builds waits for other builds, and is refused where `agentp build` is.
    """
    from agentp.database import resolve_url
    from agentp.dbt_by_hand import run_dbt_by_hand
    from agentp.present import require_reached

    require_reached(as_of, is_forced=False)
    settings = read_settings()
    raise typer.Exit(run_dbt_by_hand(settings, resolve_url(settings), arguments or [], as_of=as_of))


@app.command()
def env(as_of: AsOf = None) -> None:
    """Print what dbt reads of the environment, for editors and shells: eval "$(agentp env)". It holds the password."""
    from agentp.database import resolve_url
    from agentp.dbt_by_hand import describe_environment_by_hand, write_exports

    settings = read_settings()
    typer.echo(write_exports(describe_environment_by_hand(settings, resolve_url(settings), as_of=as_of)))


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def psql(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="ARGS", help="psql's own, such as -c QUERY.")] = None,
) -> None:
    """Open psql on the database; no other user of the machine sees the password. Its exit code is this command's."""
    from agentp.database import resolve_url
    from agentp.psql import run_psql

    raise typer.Exit(run_psql(resolve_url(read_settings()), arguments or []))


@app.command()
def stop(
    remove: Annotated[bool, typer.Option("--remove", help="Remove its data, too: everything in it is gone.")] = False,
) -> None:
    """Stop the embedded Postgres; its data stays."""
    from agentp.server import remove_server, stop_server

    settings = read_settings()
    if not settings.is_embedded:
        screen.print(
            "AGENTP_DATABASE_URL names a server that is not ours to stop; the embedded one, if any, is stopped."
        )
    stopped = (remove_server if remove else stop_server)(home=settings.home)
    screen.print("Stopped." if stopped else "No embedded server was running.")


@app.command()
def migrate(
    to: Annotated[
        str,
        typer.Option(help="`standard` for the data standard's shape, `legacy` for the bots' shape of today."),
    ] = "standard",
    change_tracking: Annotated[
        bool,
        typer.Option(help="Whether raw tables may have the triggers and indexes that make later builds quick."),
    ] = True,
    create: Annotated[
        bool, typer.Option("--create", help="Make the raw tables in a database that has none of them.")
    ] = False,
) -> None:
    """Bring the raw tables to the data standard. Safe to run any number of times, on live data.

    A database without a single raw table may be the wrong one, and is left as it is, unless --create says otherwise.
    """
    from agentp.console import show_steps
    from agentp.database import open_connection, resolve_url
    from agentp.errors import SetupError
    from agentp.pipeline import migrate as apply
    from sources.raw_tables import require_raw_types

    if to not in ("standard", "legacy"):
        raise SetupError(f"--to is '{to}'.", cure="Write --to standard or --to legacy.")
    settings = read_settings()
    with show_steps("Migrating") as steps:
        warnings = apply(
            resolve_url(settings), is_oldest=to == "legacy",
            with_change_tracking=change_tracking, report=steps.note, is_creating=create,
        )  # fmt: skip
    for warning in warnings:
        screen.print(f"[yellow]![/] {_escape(warning)}", soft_wrap=True)
    with open_connection(resolve_url(settings), reads_marts=False) as connection:
        require_raw_types(connection)
    screen.print(f"The raw tables have the {to} shape.")


@app.command()
def load(
    path: Annotated[Path, typer.Argument(help="A folder with <table>.csv, .csv.gz, .jsonl or .jsonl.gz.")],
) -> None:
    """Load a folder of table exports: all of it or nothing. Loading it again changes nothing.

    A database without any raw table gets them first; one with some of them is left in its shape.
    """
    from agentp.console import load_with_progress, show_steps
    from agentp.database import open_connection, resolve_url
    from agentp.pipeline import migrate as apply
    from sources.raw_tables import has_no_raw_tables
    from systems.registry import list_systems

    settings = read_settings()
    target = resolve_url(settings)
    with open_connection(target, reads_marts=False) as connection:
        is_unused = any(has_no_raw_tables(connection, system) for system in list_systems())
    if is_unused:
        with show_steps("Making the raw tables") as steps:
            apply(target, with_change_tracking=True, report=steps.note)
    load_with_progress(target, path)


@app.command()
def demo(
    sessions: Annotated[
        int, typer.Option(min=1, help="How many archived sessions; 90000 make a million messages.")
    ] = 4000,
    seed: Annotated[int, typer.Option(help="Another seed makes another chain.")] = 7,
    run: Annotated[
        bool, typer.Option("--run/--no-run", help="Go the whole way afterwards, as of the demo's last day.")
    ] = False,
    row_security: Annotated[
        bool,
        typer.Option("--row-security", help="Switch row security on on the raw tables, as Supabase's linter asks."),
    ] = False,
) -> None:
    """Write the demo: a chain of salons with a year of dialogues, bookings and every discomfort of real data."""
    from agentp.console import load_with_progress, show_steps
    from agentp.database import open_connection, resolve_url
    from agentp.pipeline import migrate as apply
    from sources.sight import enable_row_security
    from systems.agent_p.demo import write_demo

    settings = read_settings()
    target = resolve_url(settings)
    folder = settings.home / "demo" / f"sessions-{sessions}-seed-{seed}"
    with show_steps("Preparing the raw tables") as steps:
        apply(target, with_change_tracking=True, report=steps.note)
    with show_steps("Writing the demo salons", total=sessions) as steps:
        summary = write_demo(folder, sessions=sessions, seed=seed, progress=steps.reach)
    load_with_progress(target, folder)
    if row_security:
        with open_connection(target, reads_marts=False) as connection:
            enable_row_security(connection)
    if run:
        # Where the clock is before the demo's last day, the demo's clock counts.
        run_everything(settings, as_of=summary.last_day.isoformat(), migrate_first=False, is_forced=True)
    else:
        screen.print(f"Next: agentp run --as-of {summary.last_day.isoformat()}")


@app.command()
def check(
    as_of: AsOf = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Look at every row. Default: at what changed, where that is known.")
    ] = False,
    docs: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Render the results as a Great Expectations site into DIR.")
    ] = None,
    lang: Annotated[str, typer.Option(help="Language of the rules' meanings: en or ru.")] = "en",
    force: Force = False,
) -> None:
    """Check the raw tables against the data standard. Exit code 1: a critical rule fails; 2: it could not run."""
    from agentp.checking import show_verdict
    from agentp.console import judge_with_progress
    from agentp.database import resolve_url
    from agentp.errors import SetupError
    from agentp.present import require_reached

    if lang not in ("en", "ru"):
        raise SetupError(f"--lang is '{lang}'.", cure="Write --lang en or --lang ru.")
    require_reached(as_of, is_forced=force)
    settings = read_settings()
    verdict = judge_with_progress(settings, resolve_url(settings), as_of=as_of, is_full=everything, docs=docs)
    show_verdict(screen, verdict, language=lang)
    if docs is not None:
        screen.print(f"The site: {docs / 'index.html'}", soft_wrap=True, highlight=False)
    raise typer.Exit(verdict.exit_code)


@repairs.command("sessions")
def repair_sessions_command(
    apply: Annotated[
        bool, typer.Option("--apply/--dry-run", help="Whether to change anything. Default: only show what would be.")
    ] = False,
    undo: Annotated[int | None, typer.Option(metavar="N", help="Take repair N back.")] = None,
) -> None:
    """Write the session that a message was matched to back to recent_history_v2; logged, and undoable."""
    from agentp.checking import show_repair
    from agentp.console import show_steps
    from agentp.database import resolve_url
    from systems.agent_p.repairs import plan_session_repair, repair_sessions, undo_repair

    target = resolve_url(read_settings())
    if undo is not None:
        undone, left = undo_repair(target, undo)
        screen.print(f"{undone:,} messages have no session again; {left:,} were changed since and are left.")
    elif apply:
        with show_steps("Repairing") as steps:
            report = repair_sessions(target, announce=steps.reach)
        show_repair(screen, report)
    else:
        show_repair(screen, plan_session_repair(target))


@app.command()
def build(
    as_of: AsOf = None,
    full_refresh: Annotated[
        bool,
        typer.Option("--full-refresh", help="Compute everything anew. Marts keep their identity and are never empty."),
    ] = False,
    select: Annotated[str | None, typer.Option(help="dbt node selection, such as `sessions+`.")] = None,
    accept_removals: AcceptRemovals = False,
    force: Force = False,
) -> None:
    """Build the marts from the raw tables: what changed since the last build, or everything."""
    from agentp.console import build_with_progress, show_marts
    from agentp.database import resolve_url
    from agentp.present import require_reached

    require_reached(as_of, is_forced=force)
    settings = read_settings()
    target = resolve_url(settings)
    changes = build_with_progress(
        settings, target, as_of=as_of, full_refresh=full_refresh, select=select, accept_removals=accept_removals
    )
    show_marts(changes, target)


@app.command()
def score(as_of: AsOf = None, force: Force = False) -> None:
    """Score every client (churn) and every booking ahead (risk of falling through), as of the last build.

    A model that is worse than the one before, or than the base rate, on time it has not seen is not put in place.
    """
    from agentp.brake import require_whole
    from agentp.console import score_with_progress, show_scores
    from agentp.database import resolve_url
    from agentp.present import require_reached

    require_reached(as_of, is_forced=force)
    settings = read_settings()
    target = resolve_url(settings)
    require_whole(target, settings, what="the scores")
    show_scores(score_with_progress(target, as_of=as_of))


@app.command()
def activate(
    as_of: AsOf = None,
    apply: Annotated[
        bool, typer.Option("--apply/--dry-run", help="Whether to write anything. Default: only show what would be.")
    ] = False,
    force: Force = False,
) -> None:
    """Write churn figures to the bot's memory and queue win-back and slot-offer messages, each once."""
    from activation.runs import activate as activate_marts
    from agentp.activating import read_present, show_activation
    from agentp.brake import require_whole
    from agentp.console import show_steps
    from agentp.database import resolve_url
    from agentp.present import require_reached

    present = read_present(require_reached(as_of, is_forced=force))
    settings = read_settings()
    target = resolve_url(settings)
    require_whole(target, settings, what="the activation")
    with show_steps("Activating") as steps:
        report = activate_marts(
            target, as_of=present, is_applied=apply, announce=lambda line: notes.print(line), report=steps.reach
        )
    show_activation(screen, report)


@app.command()
def run(
    as_of: AsOf = None,
    migrations: Annotated[
        bool, typer.Option(help="Whether to migrate first; not on a database that may not be altered.")
    ] = True,
    accept_removals: AcceptRemovals = False,
    force: Force = False,
) -> None:
    """Go the whole way: migrate, check, build, test, score. Died half-way? Run it again.

    Failing rules do not stop it, as long as the marts can be right without the rows concerned; a missing column stops
    what is built of that table, and a data test what is downstream of its mart.
    """
    run_everything(
        read_settings(), as_of=as_of, migrate_first=migrations, accept_removals=accept_removals, is_forced=force
    )


@app.command()
def backfill(
    first_day: Annotated[str, typer.Argument(metavar="FIRST", help="The first day, as 2026-01-01.")],
    last_day: Annotated[str, typer.Argument(metavar="LAST", help="The last day, as 2026-01-31.")],
    chunk: Annotated[int, typer.Option(min=1, max=3660, help="How many days to compute in one go.")] = 31,
    accept_removals: AcceptRemovals = False,
) -> None:
    """Compute past days anew, from the conversations up, in chunks. Died half-way? Run it again, and it goes on."""
    from agentp.running import backfill_with_progress, read_days

    backfill_with_progress(
        screen, read_settings(), read_days(first_day, last_day), chunk_days=chunk, accept_removals=accept_removals
    )


@app.command()
def dev(
    port: Annotated[int, typer.Option(min=1024, max=65535, help="Where the browser finds it, on this machine.")] = 3000,
) -> None:
    """Open Dagster: the graph, the runs, the checks, with schedules and sensors at work, until Ctrl-C."""
    from agentp.running import open_dagster

    open_dagster(screen, read_settings(), port=port)


@app.command()
def prepare() -> None:
    """Parse the dbt project and keep its manifest, so that what starts later starts quickly. Needs no database."""
    from orchestration.manifest import prepare_manifest

    screen.print(f"The manifest: {prepare_manifest(read_settings())}", soft_wrap=True, highlight=False)


@app.command()
def alert() -> None:
    """Look for problems, and tell of what is new and of what is over, once each: a cron line beside `agentp run`."""
    from agentp.running import alert_with_report

    alert_with_report(screen, read_settings())


@app.command()
def digest(
    send: Annotated[
        bool, typer.Option("--send/--dry-run", help="Whether to send what is due. Default: only show the last ones.")
    ] = False,
    tenant: Annotated[
        str | None,
        typer.Option(metavar="SALON", help="This salon alone, by slug, id or name; shown also where not asked for."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write the pictures into DIR.")] = None,
    as_of: AsOf = None,
    force: Force = False,
) -> None:
    """Show the digests of salons that asked for them, or send what is due and was not sent: a cron line, every hour."""
    from agentp.digesting import send_with_report, show_digests
    from agentp.present import require_reached

    require_reached(as_of, is_forced=force)
    settings = read_settings()
    if send:
        send_with_report(screen, settings, tenant=tenant, is_present=out is None and as_of is None)
    else:
        show_digests(screen, settings, tenant=tenant, out=out, as_of=as_of)


@app.command()
def export(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go: one a mart, and manifest.json.")],
    file_format: Annotated[str, typer.Option("--format", help="parquet, csv or xlsx.")] = "csv",
    mart: Annotated[list[str] | None, typer.Option(help="This mart; may be given several times. Default: all.")] = None,
    tenant: Annotated[
        list[str] | None,
        typer.Option(metavar="SLUG_OR_ID", help="This tenant; may be given several times. Default: all."),
    ] = None,
    audience: Annotated[
        str, typer.Option(help="analyst (no names, phones or words of people) or owner (all but secrets).")
    ] = "analyst",
) -> None:
    """Write the marts to files, all of one moment. Text that a spreadsheet would take for a formula is made text."""
    from agentp.exporting import export_with_progress

    export_with_progress(
        screen, read_settings(),
        folder=out, file_format=file_format, marts=mart or (), tenants=tenant or (), audience=audience,
    )  # fmt: skip


@app.command()
def report(
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write the site. Default: where `agentp run` does.")
    ] = None,
    audience: Annotated[
        str | None, typer.Option(help="owner: with names, phones and dialogs; analyst: figures alone.")
    ] = None,
    tenant: Annotated[
        list[str] | None,
        typer.Option(metavar="SALON", help="This salon alone, by slug, id or name; may be said several times."),
    ] = None,
) -> None:
    """Write the reports as a site that opens from the file system; what did not change is left as it is."""
    from agentp.reporting import report_with_progress

    report_with_progress(screen, read_settings(), folder=out, audience=audience, tenants=tenant or [])


@app.command()
def grant(
    login: Annotated[str, typer.Argument(help="A login of the server (`create role … login`).")],
    tenant: Annotated[
        list[str] | None,
        typer.Option(metavar="SALON", help="This salon, by slug, id or name; may be said several times."),
    ] = None,
    role: Annotated[
        str | None,
        typer.Option("--as", metavar="ROLE", help="reader (default), analyst, admin, builder or bot."),
    ] = None,
    every_tenant: Annotated[
        bool, typer.Option("--every-tenant", help="A reader of the whole chain, also of salons to come.")
    ] = False,
) -> None:
    """Let a login read the marts of its salons; analysts see every salon, and nobody's name, phone or words."""
    from agentp.granting import grant_with_report

    grant_with_report(screen, read_settings(), login, role=role, tenants=tenant or [], is_chain=every_tenant)


@app.command()
def revoke(
    login: Annotated[str, typer.Argument(help="The login; it stays, without its rights.")],
    tenant: Annotated[
        list[str] | None,
        typer.Option(metavar="SALON", help="This salon alone; may be said several times. Default: everything."),
    ] = None,
) -> None:
    """Take salons, or everything, away from a login."""
    from agentp.granting import revoke_with_report

    revoke_with_report(screen, read_settings(), login, tenants=tenant or [])


@app.command()
def logins(
    drop_roles: Annotated[
        bool, typer.Option("--drop-roles", help="Take every role and right away from this database.")
    ] = False,
) -> None:
    """Show which logins may read what."""
    from agentp.granting import drop_with_report, show_logins

    if drop_roles:
        drop_with_report(screen, read_settings())
    else:
        show_logins(screen, read_settings())


@app.command()
def forget(
    client: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The client's clients_v2.id. Default: finish what was begun and interrupted."),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(metavar="SALON", help="The salon, where several have a client of this id.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show where the client is named.")] = False,
) -> None:
    """Forget a person: out of raw rows, marts, examples, snapshots and reports, while totals stay. Prints a receipt.

    Their rows become nobody's, texts are removed, and every column is searched in the end. Died half-way? Run it again.
    """
    from agentp.forgetting import forget_with_receipt

    forget_with_receipt(screen, read_settings(), client=client, tenant=tenant, is_dry=dry_run)


@app.command()
def doctor() -> None:
    """Say what is set up, what is missing and how to mend it. Exit code 2 when something is missing."""
    from agentp.doctor import examine
    from agentp.redaction import redact

    findings = examine()
    for finding in findings:
        mark = "[green]✓[/]" if finding.is_well else "[bold red]✗[/]"
        screen.print(f"{mark} {_escape(redact(finding.text))}", soft_wrap=True, highlight=False)
        if finding.cure:
            screen.print(f"  {_escape(redact(finding.cure))}", soft_wrap=True, highlight=False)
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(2)


def run_everything(
    settings: Settings, *, as_of: str | None, migrate_first: bool, accept_removals: bool = False,
    is_forced: bool = False,
) -> None:  # fmt: skip
    """The whole way as the scheduler's daily job, in this process; what failed stops what is downstream of it."""
    from agentp.running import run_with_progress

    run_with_progress(
        screen, settings, as_of=as_of, is_migrated=migrate_first, accept_removals=accept_removals,
        is_forced=is_forced,
    )  # fmt: skip


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
