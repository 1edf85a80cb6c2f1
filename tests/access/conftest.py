"""A small chain with every mart filled, whose rows name their salon and whose people have one name of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from access.grants import grant_access
from activation.runs import activate
from agentp import pipeline
from agentp.settings import Settings
from sources.exports import load_exports
from systems.agent_p.demo import DEMO_LAST_DAY, write_demo
from tests.support.marts import Workshop
from tests.support.readers import Login, drop_login, make_login

PERSON = "Zarathustra"
"""Stands in every name, phone, comment and message of the raw tables, before the salon's id."""


@dataclass
class Chain:
    """The chain's workshop and last day, its salons' ids, and logins by what they are."""

    workshop: Workshop
    as_of: str
    tenants: list[str]
    logins: dict[str, Login]

    @property
    def url(self) -> str:
        """The database, as its owner."""
        return self.workshop.url


@pytest.fixture(scope="session")
def chain(
    make_database: Callable[[str | None], str],
    built_template: str,
    home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Chain]:
    """The demo chain, built, scored and activated, and a login of each kind."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))
    folder = tmp_path_factory.mktemp("chain")
    write_demo(folder, sessions=400)
    with psycopg.connect(url) as connection:
        load_exports(connection, folder)
    _name_everybody(workshop)
    as_of = DEMO_LAST_DAY.isoformat()
    workshop.check(as_of=as_of)
    workshop.build(as_of=as_of)
    pipeline.score(url, as_of=as_of)
    activate(url, as_of=DEMO_LAST_DAY, is_applied=True)
    # The first is one that messages wait in, whose bookings ahead were scored, and where a time came free.
    tenants = [
        str(row["id"])
        for row in workshop.execute(
            "select id from tenants_v2 as salons order by "
            "exists (select 1 from dashboard.predictions where tenant_id = salons.id)::int + "
            "exists (select 1 from dashboard.freed_slots where tenant_id = salons.id)::int desc, "
            "(select count(*) from dashboard.outbox where tenant_id = salons.id) desc, id"
        )
    ]
    with psycopg.connect(url, autocommit=True) as connection:
        logins = make_logins(connection, tenants)
    yield Chain(workshop, as_of, tenants, logins)
    with psycopg.connect(url, autocommit=True) as connection:
        for login in logins.values():
            # The others are roles of the server's, which other tests have too.
            if login.name.startswith("login_"):
                drop_login(connection, login)


def make_logins(connection: psycopg.Connection[object], tenants: list[str]) -> dict[str, Login]:
    """Return a login of each kind; readers read the first salon, the owner of two the first two."""
    for role in ("authenticator", "authenticated"):
        if connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone() is None:
            connection.execute(sql.SQL("create role {} noinherit").format(sql.Identifier(role)))
    connection.execute("grant authenticated to authenticator")
    logins = {name: make_login(connection) for name in ("nobody", "reader", "pair", "chain", "analyst", "admin", "bot")}
    grant_access(connection, logins["reader"].name, role="reader", tenants=tenants[:1])
    grant_access(connection, logins["pair"].name, role="reader", tenants=tenants[:2])
    grant_access(connection, logins["bot"].name, role="bot", tenants=tenants[:1])
    for role in ("chain", "analyst", "admin"):
        grant_access(connection, logins[role].name, role=role, tenants=[])
    logins["app"] = make_login(connection, "agentp_app")
    logins["app"].settings = {"app.tenant_ids": tenants[0]}
    logins["token"] = make_login(connection, "authenticator")
    logins["token"].role = "authenticated"
    logins["token"].settings = {"request.jwt.claims": f'{{"app_metadata": {{"tenant_ids": ["{tenants[0]}"]}}}}'}
    return logins


def _name_everybody(workshop: Workshop) -> None:
    """Make whatever tells of a person tell of the salon too, so that a row of another's is known by its words."""
    workshop.execute(
        f"update clients_v2 set full_name = '{PERSON} ' || tenant_id || ' ' || right(id::text, 4), "
        "phone = '+7' || (9160000000 + abs(hashtext(id::text)) % 9999999)::text"
    )
    workshop.execute(f"update recent_history_v2 set message = '{PERSON} ' || tenant_id || ' ' || message")
    workshop.execute(f"update conversation_sessions_v2 set final_summary = '{PERSON} ' || tenant_id")
    workshop.execute(
        f"update wishlist_v2 set comment = '{PERSON} ' || tenant_id, meta = meta || jsonb_build_object("
        f"'client_name', '{PERSON} ' || tenant_id, 'staff_name', '{PERSON} of the staff')"
    )
    workshop.execute(
        "update tenants_v2 set slug = id::text, "
        "metadata = jsonb_set(metadata, '{yclients,user_token}', '\"open sesame\"')"
    )
