"""What `agentp run`, `backfill`, `dev` and `alert` show: jobs of the scheduler in this process, and the scheduler."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from agentp.checking import show_verdict
from agentp.children import run_to_the_end
from agentp.console import Steps, notes, show_marts, show_scores, show_steps
from agentp.database import resolve_url
from agentp.errors import AgentpError, SetupError
from agentp.gatekeeper import Gatekeeper, open_gatekeeper
from agentp.pipeline import read_last_changes
from agentp.present import require_reached
from agentp.redaction import scrub
from agentp.server import is_port_free
from agentp.settings import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from expectations.verdicts import Verdict
    from orchestration.partitions import Days
    from orchestration.targets import Listener


def run_with_progress(
    screen: Console, settings: Settings, *, as_of: str | None, is_migrated: bool, accept_removals: bool = False,
    is_forced: bool = False,
) -> None:  # fmt: skip
    """Run the daily job in this process, show each step as it goes, and what came of it, also where it failed."""
    require_reached(as_of, is_forced=is_forced)
    # What is imported stays: looking through it for garbage again and again takes a second of a run without changes.
    gc.set_threshold(100_000, 50, 100)
    with open_gatekeeper() as gatekeeper, show_steps("Starting") as steps:
        target = resolve_url(settings)
        from orchestration.runs import run_daily

        listener = _listen(steps, gatekeeper)
        try:
            run_daily(
                settings, as_of=as_of, is_migrated=is_migrated, listener=listener, accept_removals=accept_removals,
                is_forced=is_forced,
            )  # fmt: skip
        finally:
            steps.progress.stop()
            _show_results(screen, listener, target)
            _send_alerts(settings, target)


def backfill_with_progress(
    screen: Console, settings: Settings, days: Days, *, chunk_days: int, accept_removals: bool = False
) -> None:
    """Compute days anew, chunk after chunk; those that an earlier attempt at it finished are passed over."""
    from orchestration.backfills import run_backfill

    target = resolve_url(settings)
    with show_steps("Starting") as steps:
        report = run_backfill(
            settings, target, days, chunk_days=chunk_days, listener=_listen(steps), accept_removals=accept_removals
        )
    show_marts(list(report.changes), target)
    screen.print(
        f"{days.first} to {days.last}: {report.computed} chunks computed anew as of {report.as_of}"
        + (f", {report.passed_over} were done already." if report.passed_over else "."), soft_wrap=True,
    )  # fmt: skip


def read_days(first_day: str, last_day: str) -> Days:
    """Return the days that a command names, or say what is wrong with them."""
    from orchestration.partitions import Days

    found = []
    for text in (first_day, last_day):
        try:
            found.append(date.fromisoformat(text))
        except ValueError as error:
            raise SetupError(f"'{text}' is no day.", cure="Write days as 2026-01-31.") from error
    return Days(*found)


def open_dagster(screen: Console, settings: Settings, *, port: int) -> None:
    """Run Dagster's web server and daemon on this machine until they are told to stop; state stays in the home."""
    from orchestration.manifest import prepare_manifest

    if not is_port_free(port):
        raise SetupError(
            f"Port {port} of this machine is taken.",
            cure="End what listens there (another `agentp dev`?), or name another: agentp dev --port N.",
        )
    target = resolve_url(settings)
    with show_steps("Preparing") as steps:
        steps.note("dbt's manifest")
        prepare_manifest(settings)
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT_ROOT / "orchestration" / "dev.yaml", home / "dagster.yaml")
    screen.print(f"Dagster: http://127.0.0.1:{port} (Ctrl-C ends it; schedules and sensors run as long as it does)")
    environment = {
        **os.environ, "DAGSTER_HOME": str(home), "AGENTP_DATABASE_URL": target, "DAGSTER_DISABLE_TELEMETRY": "1",
    }  # fmt: skip
    command = [
        sys.executable, "-m", "dagster", "dev", "--module-name", "orchestration.definitions",
        "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    code = run_to_the_end(command, environment=environment, folder=PROJECT_ROOT, kin="dagster")
    if code not in (0, -2, 130):
        raise AgentpError(f"Dagster ended with code {code}.", cure="Its last lines above say why; is the port free?")


def alert_with_report(screen: Console, settings: Settings) -> None:
    """Tell of problems and of their end, and say how many of each."""
    from orchestration.alerts import send_alerts

    report = send_alerts(resolve_url(settings), settings)
    screen.print(f"{report.told} problems told of, {report.ends_told} ends of problems.")


def _listen(steps: Steps, gatekeeper: Gatekeeper | None = None) -> Listener:
    from orchestration.targets import Listener

    class Progress(Listener):
        def note(self, text: str) -> None:
            steps.note(escape(text))

        def check(self, settings: Settings, url: str, *, as_of: str) -> Verdict:
            if gatekeeper is None:
                return super().check(settings, url, as_of=as_of)
            return gatekeeper.check(settings, url, as_of=as_of)

    return Progress()


def _show_results(screen: Console, listener: Listener, target: str) -> None:
    verdict = listener.results.get("verdict")
    if verdict is not None:
        show_verdict(screen, verdict)
    tests = listener.results.get("tests")
    if tests is None:
        return
    show_marts(read_last_changes(target), target)
    if "scores" in listener.results:
        show_scores(listener.results["scores"])
    screen.print(f"{sum(test.has_passed for test in tests)} data tests passed.")
    site = listener.results.get("site")
    if site is not None and site.salons:
        screen.print(
            f"Reports: {site.rendered} of {site.salons} salons rendered anew; open {site.index}",
            soft_wrap=True, highlight=False,
        )  # fmt: skip


def _send_alerts(settings: Settings, target: str) -> None:
    """No scheduler watches a run by the command line: it tells of problems itself, where somebody is named."""
    if not settings.alerts.get_secret_value():
        return
    from orchestration.alerts import send_alerts

    try:
        send_alerts(target, settings)
    except AgentpError as error:
        notes.print(f"Alerts were not sent: {scrub(str(error))}", style="yellow", markup=False, soft_wrap=True)
