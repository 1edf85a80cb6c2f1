"""Forgetting beside others: two at the same moment, and the site that analysts have (issue 7)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from access.forgetting import forget
from access.receipts import Receipt
from agentp.errors import AgentpError, SetupError
from agentp.forgetting import ReportSite
from reports.audiences import Audience
from reports.site import write_site
from tests.access.test_forgetting import CANARY, find_canaries, find_files
from tests.access.test_forgetting import _filled as _filled
from tests.access.test_forgetting import salon as salon
from tests.access.test_forgetting import site as site
from tests.support.marts import Workshop, make_id


def forget_at_once(workshop: Workshop, clients: list[UUID]) -> list[Receipt | AgentpError]:
    """Forget them at the same moment; return what each was told."""
    nowhere = ReportSite(folder=Path("/nowhere"), url=workshop.url, processes=1)

    def attempt(client: UUID) -> Receipt | AgentpError:
        try:
            [receipt] = forget(workshop.settings, workshop.url, client_id=client, tenant=None, site=nowhere)
        except AgentpError as error:
            return error
        return receipt

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(attempt, clients))


def test_a_client_whom_two_forget_at_once_is_forgotten_by_one_of_them(salon: Workshop) -> None:
    told = sorted(forget_at_once(salon, [CANARY, CANARY]), key=lambda answer: isinstance(answer, AgentpError))
    assert isinstance(told[0], Receipt)
    assert told[0].totals_after == told[0].totals_before
    assert isinstance(told[1], SetupError)
    assert str(CANARY) in str(told[1])
    assert find_canaries(salon) == {}
    assert salon.execute("select count(*) as n from quality.forgettings") == [{"n": 1}]


def test_two_clients_forgotten_at_once_are_both_gone(salon: Workshop) -> None:
    told = forget_at_once(salon, [CANARY, make_id("second")])
    assert [type(answer) for answer in told] == [Receipt, Receipt]
    assert find_canaries(salon) == {}
    assert find_canaries(salon, (str(make_id("second")),)) == {}
    assert salon.execute("select count(*) as n from quality.pending_forgettings") == [{"n": 0}]


def test_the_site_of_analysts_loses_them_too_and_stays_the_analysts(salon: Workshop, tmp_path: Path) -> None:
    folder = tmp_path / "analysts"
    write_site(salon.url, folder, audience=Audience.ANALYST, processes=1)
    assert find_files(folder) != []
    [receipt] = forget(
        salon.settings, salon.url, client_id=CANARY, tenant=None,
        site=ReportSite(folder=folder, url=salon.url, processes=1),
    )  # fmt: skip
    assert find_files(folder) == []
    assert '"audience": "analyst"' in (folder / "site.json").read_text(encoding="utf-8")
    assert receipt.receipt_id is not None
