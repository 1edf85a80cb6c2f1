"""What `agentp grant`, `agentp revoke` and `agentp roles` show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agentp.database import open_connection, resolve_url
from agentp.settings import Settings

if TYPE_CHECKING:
    from access.grants import Standing


def grant_with_report(
    screen: Console, settings: Settings, login: str, *, role: str | None, tenants: Sequence[str], is_chain: bool
) -> None:
    """Let a login read, and say what it may do now."""
    from access.grants import grant_access
    from agentp.errors import SetupError

    if is_chain and (role is not None or tenants):
        raise SetupError("--every-tenant is for readers, and names every salon.", cure="Leave --as and --tenant out.")
    with open_connection(resolve_url(settings), reads_marts=False) as connection:
        standing = grant_access(connection, login, role="chain" if is_chain else role or "reader", tenants=tenants)
    _show(screen, [standing])


def revoke_with_report(screen: Console, settings: Settings, login: str, *, tenants: Sequence[str]) -> None:
    """Take rights away from a login, and say what it may still do."""
    from access.grants import revoke_access

    with open_connection(resolve_url(settings), reads_marts=False) as connection:
        standing = revoke_access(connection, login, tenants=tenants)
    if standing.roles:
        _show(screen, [standing])
    else:
        screen.print(f"{escape(login)} reads nothing any more. The login itself stays; `drop role` takes it away.")


def show_logins(screen: Console, settings: Settings) -> None:
    """Show every login that may read, and what."""
    from access.grants import read_standings
    from access.schema import prepare_access

    with open_connection(resolve_url(settings), reads_marts=False) as connection:
        prepare_access(connection)
        standings = read_standings(connection)
    if standings:
        _show(screen, standings)
    else:
        screen.print(
            "Nobody but the owner reads the marts. Let a login read a salon: agentp grant LOGIN --tenant SALON"
        )


def drop_with_report(screen: Console, settings: Settings) -> None:
    """Take every role and every right away, and say what stays."""
    from access.grants import drop_roles
    from access.schema import prepare_access

    with open_connection(resolve_url(settings), reads_marts=False) as connection:
        prepare_access(connection)
        left = drop_roles(connection)
    screen.print(
        "Nobody but the owner reads the marts of this database any more. `agentp migrate` makes the roles again."
    )
    for line in left:
        screen.print(f"[yellow]![/] Stays on the server: {escape(line)}", soft_wrap=True, highlight=False)


def _show(screen: Console, standings: Sequence[Standing]) -> None:
    table = Table("login", "is", "salons")
    for standing in standings:
        every = {"chain", "admin", "analyst", "builder"} & set(standing.roles)
        salons = "every" if every else ", ".join(standing.tenants) or "none"
        table.add_row(escape(standing.login), ", ".join(standing.roles) or "nothing", escape(salons))
    screen.print(table)
