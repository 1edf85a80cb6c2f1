"""What `agentp forget` does and says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from agentp.console import notes, show_steps
from agentp.database import open_connection, resolve_url
from agentp.errors import SetupError
from agentp.reporting import find_folder
from agentp.settings import Settings

if TYPE_CHECKING:
    from access.people import Person
    from access.receipts import Receipt


@dataclass(frozen=True, kw_only=True)
class ReportSite:
    """The site that runs write, if there is one; ``processes`` render it."""

    folder: Path
    url: str
    processes: int

    def count(self, person: Person) -> int:
        """Return how many of its files name the person."""
        from access.files import count_files

        return count_files(self.folder, person) if self._read_state() else 0

    def renew(self) -> None:
        """Bring it up to date for the audience and the salons that it is for."""
        from reports.audiences import Audience
        from reports.reading import read_salons
        from reports.site import write_site

        state = self._read_state()
        if not state:
            return
        tenants: list[str] = []
        if not state.get("chain"):
            with open_connection(self.url) as connection:
                rows = connection.execute("select tenant_id::text from dashboard.tenant_settings").fetchall()
                salons = read_salons(connection, tuple(row[0] for row in rows))
            tenants = [str(salon.tenant_id) for salon in salons if salon.folder in state.get("salons", {})]
        write_site(
            self.url, self.folder, audience=Audience(state["audience"]), tenants=tenants, processes=self.processes
        )

    def _read_state(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.folder / "site.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if "audience" in found else {}


def forget_with_receipt(
    screen: Console, settings: Settings, *, client: str | None, tenant: str | None, is_dry: bool
) -> None:
    """Forget a client and show the receipt, or what there is to forget; without a client finish what was begun."""
    from access.forgetting import Listener, forget, plan_forgetting

    client_id = _read_id(client)
    url = resolve_url(settings)
    site = ReportSite(folder=find_folder(settings).expanduser().resolve(), url=url, processes=settings.threads)
    with show_steps("Forgetting") as steps:
        listener = Listener(announce=lambda line: notes.print(line), note=steps.note)
        if is_dry:
            if client_id is None:
                raise SetupError("--dry-run is about nobody.", cure="Name somebody: --client ID.")
            receipts = plan_forgetting(url, client_id=client_id, tenant=tenant, site=site, listener=listener)
        else:
            receipts = forget(settings, url, client_id=client_id, tenant=tenant, site=site, listener=listener)
    for receipt in receipts:
        show_receipt(screen, receipt)


def show_receipt(screen: Console, receipt: Receipt) -> None:
    """Show the rows that named a person, before and after, and that the totals are what they were."""
    is_done = receipt.receipt_id is not None
    title = f"Receipt {receipt.receipt_id}" if is_done else "What there is to forget"
    table = Table("relation", "rows before", "rows after", title=title, box=SIMPLE)
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    # JSON keeps no order.
    for place, count in sorted(receipt.rows_before.items(), key=lambda row: (not row[0].startswith("public."), row[0])):
        table.add_row(place, f"{count:,}", f"{receipt.rows_after.get(place, 0):,}" if is_done else "—")
    screen.print(table)
    for name, before in sorted(receipt.totals_before.items(), key=lambda total: (total[0].isupper(), total[0])):
        after = receipt.totals_after.get(name, "0") if is_done else before
        change = "as before" if after == before else f"{before} before: other rows came or went meanwhile"
        screen.print(f"{name}: {after}" + (f" ({change})" if is_done else ""), highlight=False)
    if receipt.shared:
        screen.print(
            f"Others of the salon share the {', '.join(receipt.shared)}: where it stands alone, nobody can say whose "
            "it is, and it was left.", soft_wrap=True,
        )  # fmt: skip
    screen.print(
        "Ids of bookings stay: they are the salon's. So do copies made elsewhere: sites and exports in other folders, "
        "docs of checks, backups." if is_done else "Nothing was changed: without --dry-run it is.", soft_wrap=True,
    )  # fmt: skip


def _read_id(client: str | None) -> UUID | None:
    if client is None:
        return None
    try:
        return UUID(client)
    except ValueError as error:
        raise SetupError(
            f"--client is '{client}', which is no id.", cure="Write the client's clients_v2.id."
        ) from error
