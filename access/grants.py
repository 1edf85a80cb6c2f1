"""Letting logins read, and no longer: `agentp grant` and `agentp revoke` (issue 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql

from access.marts import secure_marts
from access.salons import find_tenants
from access.schema import prepare_roles
from agentp.errors import SetupError

ROLES = {
    "reader": "agentp_reader", "chain": "agentp_chain", "analyst": "agentp_analyst", "admin": "agentp_admin",
    "builder": "agentp_builder", "bot": "agentp_bot",
}  # fmt: skip
"""What a login may be, and the role that it is then a member of."""

BY_TENANT = ("reader", "bot")
"""What one is for salons that are named."""

APPLICATION = "agentp_app"
ALL_ROLES = (*ROLES.values(), APPLICATION)
RESERVED = ("authenticator", "anon", "authenticated", "service_role")
"""Roles of Supabase: whose salons those see, tokens say."""
SERVICE = "service_role"
"""Who a server with Supabase's secret key is: above row level security, so a bot of every salon or nothing."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a login may do now: the roles it is a member of, as in `ROLES`, and the slugs or ids of its salons."""

    login: str
    roles: tuple[str, ...]
    tenants: tuple[str, ...]


def grant_access(connection: psycopg.Connection[Any], login: str, *, role: str, tenants: Sequence[str]) -> Standing:
    """Make the login a member of the role, for salons by slug or id where the role is by salon; commits.

    Raise `SetupError` where the login is not known, is above row level security or the database's owner, or would see
    more by two roles than by either.
    """
    if role not in ROLES:
        raise SetupError(f"--as is '{role}'.", cure=f"Write one of {', '.join(ROLES)}.")
    if login == SERVICE:
        return _grant_service(connection, role=role, tenants=tenants)
    if (role in BY_TENANT) != bool(tenants):
        raise SetupError(
            f"A login that is {role} {'needs salons' if role in BY_TENANT else 'has no salons of its own'}.",
            cure="Name them: --tenant SALON, several times for several."
            if role in BY_TENANT
            else f"Leave --tenant out, or make it a reader: agentp grant {login} --tenant SALON.",
        )
    warnings = prepare_roles(connection)
    if warnings:
        raise SetupError(warnings[0], cure="Connect as a login that may create roles, such as the database's owner.")
    _require_login(connection, login)
    standing = read_standing(connection, login)
    both = {role, *standing.roles}
    if "analyst" in both and both & {"reader", "chain", "admin"}:
        raise SetupError(
            f"{login} is {' and '.join(standing.roles)}; as {role} as well it would see every salon's rows or none.",
            cure=f"Give it a second login, or take the first role away: agentp revoke {login}.",
        )
    ids = find_tenants(connection, tenants)
    with connection.transaction():
        if role == "builder":
            connection.execute(files("access").joinpath("builder.sql").read_text(encoding="utf-8").encode())
            secure_marts(connection)
            # What it makes belongs to the role, whichever login made it.
            connection.execute(
                sql.SQL("alter role {} in database {} set role = 'agentp_builder'").format(
                    sql.Identifier(login), sql.Identifier(connection.info.dbname)
                )
            )
        connection.execute(
            sql.SQL("grant {} to {} {}").format(
                sql.Identifier(ROLES[role]), sql.Identifier(login),
                # Postgres 15 has it by role alone, and `_require_login` has looked.
                sql.SQL("with inherit true" if connection.info.server_version >= 160_000 else ""),
            )
        )  # fmt: skip
        for tenant_id in ids:
            connection.execute(
                "insert into access.logins (tenant_id, login) values (%s, %s) on conflict do nothing",
                (tenant_id, login),
            )
    connection.commit()
    return read_standing(connection, login)


def revoke_access(connection: psycopg.Connection[Any], login: str, *, tenants: Sequence[str]) -> Standing:
    """Take salons away from the login, by default everything; commits. A login that is gone leaves nothing behind.

    The login itself stays: who made it may drop it.
    """
    from access.schema import prepare_access

    prepare_access(connection)
    if login == SERVICE:
        if _reads_outbox(connection):
            connection.execute(
                "revoke all on dashboard.outbox from service_role; "
                "revoke update (status, sent_at) on dashboard.outbox from service_role"
            )
        connection.commit()
        return read_standing(connection, login)
    ids = find_tenants(connection, tenants, with_unknown=True)
    with connection.transaction():
        if tenants:
            connection.execute("delete from access.logins where login = %s and tenant_id = any(%s)", (login, ids))
        else:
            connection.execute("delete from access.logins where login = %s", (login,))
        standing = read_standing(connection, login)
        kept = standing.roles if tenants and standing.tenants else ()
        for role in standing.roles:
            if role not in kept and (not tenants or role in BY_TENANT):
                connection.execute(
                    sql.SQL("revoke {} from {}").format(sql.Identifier(ROLES[role]), sql.Identifier(login))
                )
        if "builder" in standing.roles and not tenants:
            connection.execute(
                sql.SQL("alter role {} in database {} reset role").format(
                    sql.Identifier(login), sql.Identifier(connection.info.dbname)
                )
            )
    connection.commit()
    return read_standing(connection, login)


def read_standings(connection: psycopg.Connection[Any]) -> list[Standing]:
    """Return every login that has a role or a salon, by name; not who made the roles, to give them away."""
    rows = connection.execute(
        "select login from access.logins union select pg_get_userbyid(member)::text from pg_auth_members "
        "where roleid in (select oid from pg_roles where rolname = any(%(roles)s)) "
        "and not pg_get_userbyid(member) = any(%(roles)s) "
        "and not (select rolcreaterole from pg_roles where pg_roles.oid = member) "
        "group by member, roleid having not bool_or(admin_option) union "
        "select %(service)s where coalesce(has_table_privilege(to_regrole(%(service)s), "
        "to_regclass('dashboard.outbox'), 'select'), false) order by 1",
        {"roles": list(ALL_ROLES), "service": SERVICE},
    ).fetchall()
    return [read_standing(connection, login) for (login,) in rows]


def read_standing(connection: psycopg.Connection[Any], login: str) -> Standing:
    """Return what the login may do now."""
    names = {role: name for name, role in ROLES.items()}
    roles = connection.execute(
        # Who made a role administers it, and is none of those whom it lets in.
        "select pg_get_userbyid(roleid)::text from pg_auth_members where pg_get_userbyid(member) = %s "
        "and pg_get_userbyid(roleid) = any(%s) group by roleid having not bool_or(admin_option) order by 1",
        (login, list(ROLES.values())),
    ).fetchall()
    if login == SERVICE:
        return Standing(login=login, roles=("bot",) if _reads_outbox(connection) else (), tenants=())
    tenants = connection.execute(
        "select coalesce(nullif(btrim(tenants.slug), ''), logins.tenant_id::text) from access.logins "
        "left join public.tenants_v2 as tenants on logins.tenant_id = tenants.id where logins.login = %s order by 1",
        (login,),
    ).fetchall()
    return Standing(
        login=login, roles=tuple(names[role] for (role,) in roles), tenants=tuple(tenant for (tenant,) in tenants)
    )


def drop_roles(connection: psycopg.Connection[Any]) -> list[str]:
    """Take every role and every right away from this database, and the roles from the server; return what stays.

    What the builder owns becomes the connection's own; marts stay, for their owner alone. A role that another database
    of the server still uses stays there, and is named with the reason.
    """
    with connection.transaction():
        connection.execute(files("access").joinpath("drop.sql").read_text(encoding="utf-8").encode())
        connection.execute("select access.make_pattern()")
        secure_marts(connection)
    connection.commit()
    left: list[str] = []
    for role in ALL_ROLES:
        if role == APPLICATION and left:
            # Nothing hangs on this one but its membership, which others may still need.
            left.append(f"{role}: the others are still needed")
            continue
        try:
            with connection.transaction():
                connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))
        except (psycopg.errors.DependentObjectsStillExist, psycopg.errors.InsufficientPrivilege) as error:
            left.append(f"{role}: {error.diag.message_primary}")
    connection.commit()
    return left


def _grant_service(connection: psycopg.Connection[Any], *, role: str, tenants: Sequence[str]) -> Standing:
    """Let Supabase's servers read the messages and say what became of them, in each salon: no policy holds them.

    On the table itself, because `service_role` inherits nothing from roles.
    """
    if role != "bot" or tenants:
        raise SetupError(
            f"{SERVICE} is above row level security: it can be a bot of every salon, and nothing else.",
            cure=f"agentp grant {SERVICE} --as bot, or another login for some salons.",
        )
    prepare_roles(connection)
    if connection.execute("select to_regclass('dashboard.outbox')").fetchone() == (None,):
        raise SetupError("There are no messages yet: dashboard.outbox is missing.", cure="Build first: agentp run")
    if connection.execute("select to_regrole(%s)", (SERVICE,)).fetchone() == (None,):
        raise SetupError(f"The server knows no role {SERVICE}: it is no Supabase.", cure="Name the bot's own login.")
    connection.execute(
        "grant usage on schema dashboard to service_role; grant select on dashboard.outbox to service_role; "
        "grant update (status, sent_at) on dashboard.outbox to service_role"
    )
    connection.commit()
    return read_standing(connection, SERVICE)


def _reads_outbox(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute(
        "select coalesce(has_table_privilege(to_regrole(%s), to_regclass('dashboard.outbox'), 'select'), false)",
        (SERVICE,),
    ).fetchone()
    return bool(row and row[0])


def _require_login(connection: psycopg.Connection[Any], login: str) -> None:
    if login in ALL_ROLES or login in RESERVED:
        raise SetupError(
            f"{login} is no login of a reader.", cure="Make one: create role bi login, then \\password bi."
        )
    row = connection.execute(
        "select rolsuper, rolbypassrls, pg_has_role(pg_roles.oid, datdba, 'usage'), rolinherit "
        "from pg_roles, pg_database where rolname = %s and datname = current_database()",
        (login,),
    ).fetchone()
    if row is None:
        raise SetupError(
            f"The server knows no login {login}.",
            cure="Make it in psql, where passwords are asked for and not shown: create role … login; \\password …",
        )
    if not row[3] and connection.info.server_version < 160_000:
        raise SetupError(f"{login} inherits nothing from its roles.", cure=f"Let it: alter role {login} inherit.")
    if any(row[:2]):
        raise SetupError(
            f"{login} is above row level security: it sees every salon whatever is granted.",
            cure=f"Use another login, or: alter role {login} nosuperuser nobypassrls.",
        )
    if row[2]:
        raise SetupError(
            f"{login} has the rights of the database's owner: it sees every salon whatever is granted.",
            cure="Use another login.",
        )
