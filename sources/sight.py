"""Whether a login sees every row of the raw tables: what marts are built of, and what is written back, hangs on it.

Postgres leaves out the rows that row level security hides without a word, so that a build that sees no row publishes
empty marts and takes every client for gone. `row_security_active` does not tell: it is true for a role that a policy
shows everything to, and it knows the current role alone, while live views read with the rights of who owns the staging
views. So the catalog is asked, by the rules of `check_enable_rls` and `get_row_security_policies` in Postgres itself.

A table shows everything to a role when its row security is off, when the role is above it (superuser, BYPASSRLS, or the
owner where it is not forced), or when, for every command that is needed, some permissive policy for the role (or for
public) says `using (true)` and no restrictive one says anything else. The builder's own policy is such a one. A
condition that happens to hold for every row of today is none: nobody can say that it will tomorrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from agentp.database import open_connection
from agentp.errors import RawTablesError
from agentp.locks import hold_build_lock
from sources.foreign_code import BUILDER
from sources.raw_tables import read_raw_columns, require_some_raw_table
from systems.registry import list_systems

READ, WRITTEN = ("r",), ("r", "w", "d")
"""The commands, as the catalog writes them, that policies must let through: an update or a delete sees less as well."""

HIDDEN = """
select tables.relname::text, roles.rolname::text
from pg_class as tables
inner join pg_roles as roles
    on (roles.rolname = current_user and not %(through_views)s)
    or roles.oid in (
        select views.relowner from pg_class as views
        where views.relnamespace = to_regnamespace('staging') and views.relkind = 'v'
    )
where
    tables.relnamespace = to_regnamespace(%(schema)s) and tables.relkind in ('r', 'p')
    and tables.relname = any(%(tables)s)
    and tables.relrowsecurity
    and not (roles.rolsuper or roles.rolbypassrls)
    and (tables.relforcerowsecurity or not pg_has_role(roles.oid, tables.relowner, 'usage'))
    and exists (
        select 1
        from unnest(%(commands)s::"char"[]) as wanted (command)
        left join lateral (
            select
                policies.polpermissive,
                coalesce(pg_get_expr(policies.polqual, policies.polrelid), '') = 'true' as shows_everything
            from pg_policy as policies
            where
                policies.polrelid = tables.oid
                and policies.polcmd in ('*', wanted.command)
                and exists (
                    select 1 from unnest(policies.polroles) as grantee
                    where grantee = 0 or pg_has_role(roles.oid, grantee, 'usage')
                )
        ) as applied on true
        -- Views only read.
        where wanted.command = 'r' or roles.rolname = current_user
        group by wanted.command
        having
            not coalesce(bool_or(applied.polpermissive and applied.shows_everything), false)
            or coalesce(bool_or(not applied.polpermissive and not applied.shows_everything), false)
    )
order by 1, 2
"""


@dataclass(frozen=True, kw_only=True)
class HiddenTable:
    """A raw table of which row level security may hide rows from a role that builds, or that live views read as."""

    schema: str
    table: str
    role: str

    @property
    def cure(self) -> str:
        """What the tables' owner does about it."""
        bring = (
            "let the grant bring its policies: agentp grant LOGIN --as builder; by hand: "
            if self.role == BUILDER
            else "show it every row: "
        )
        name = '"' + self.role.replace('"', '""') + '"'
        return (
            f"As the tables' owner, {bring}create policy agentp_sees_all on {self.schema}.{self.table} to {name} "
            f"using (true) with check (true), likewise on each table; or: alter role {name} bypassrls."
        )


def find_hidden_tables(
    connection: psycopg.Connection[Any], *, is_written: bool = False, through_views: bool = False
) -> list[HiddenTable]:
    """Return the raw tables that may hide rows from the current role or from the owners of the staging views.

    ``is_written`` asks for updates and deletes too, which pass over hidden rows just as silently; ``through_views`` is
    for who reads no raw table but what live views show, with those owners' rights.
    """
    return [
        HiddenTable(schema=system.raw_schema, table=table, role=role)
        for system in list_systems()
        for table, role in connection.execute(
            HIDDEN,
            {
                "schema": system.raw_schema, "tables": list(system.by_name),
                "commands": list(WRITTEN if is_written else READ), "through_views": through_views,
            },
        ).fetchall()
    ]  # fmt: skip


def require_sight(
    connection: psycopg.Connection[Any], *, is_written: bool = False, through_views: bool = False
) -> None:
    """Refuse to work on a database without a single raw table, and by a login that does not see every row of them.

    The arguments are those of `find_hidden_tables`. Raises `RawTablesError`; nothing has been written by then.
    """
    require_some_raw_table(connection)
    hidden = find_hidden_tables(connection, is_written=is_written, through_views=through_views)
    if hidden:
        tables = ", ".join(dict.fromkeys(f"{found.schema}.{found.table}" for found in hidden))
        roles = ", ".join(dict.fromkeys(found.role for found in hidden))
        raise RawTablesError(
            f"Row security may hide rows of {tables} from {roles}: marts would lose what it does not see.",
            cure=hidden[0].cure,
        )


def enable_row_security(connection: psycopg.Connection[Any]) -> None:
    """Switch row security on on the raw tables that there are, as hosts demand it; commits. Makes no policy."""
    for system in list_systems():
        for table in read_raw_columns(connection, system.raw_schema).keys() & system.by_name.keys():
            name = sql.Identifier(system.raw_schema, table)
            connection.execute(sql.SQL("alter table {} enable row level security").format(name))
    connection.commit()


@contextmanager
def hold_marts(
    url: str, *, purpose: str = "build", announce: Callable[[str], None] = lambda line: None, is_written: bool = False
) -> Iterator[None]:
    """Hold the build lock on a database whose raw tables this login sees in full: whoever reads them does it in here.

    ``purpose`` is what the holder does, for whoever waits; ``is_written`` is for who changes raw rows. Raises what
    `require_sight` does.
    """
    # Before the lock, too: who cannot work should not wait to hear of it.
    with open_connection(url) as connection:
        require_sight(connection, is_written=is_written)
    with hold_build_lock(url, purpose=purpose, announce=announce):
        yield
