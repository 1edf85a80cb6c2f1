"""Logins that read marts, and everything that one of them gets to see."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from access.grants import ALL_ROLES

RELATIONS = (
    "select format('%I.%I', nspname, relname), array_agg(quote_ident(attname::text) order by attnum) "
    "from pg_class join pg_namespace on relnamespace = pg_namespace.oid join pg_attribute on attrelid = pg_class.oid "
    "where relkind in ('r', 'p', 'v', 'm', 'f', 'S') and attnum > 0 and not attisdropped "
    "and (nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and nspname not like 'pg_temp%' "
    "or relname in ('pg_stats', 'pg_stats_ext', 'pg_stats_ext_exprs', 'pg_stat_activity', 'pg_statistic', 'pg_views')) "
    "group by nspname, relname order by 1"
)


@dataclass
class Login:
    """A login of the test server, and how it reads: the role that it then takes, and what it sets."""

    name: str
    password: str
    role: str | None = None
    settings: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def connect(self, url: str, **options: Any) -> Iterator[psycopg.Connection[Any]]:
        """Yield a session of the login, as PostgREST or a BI tool would open it."""
        with psycopg.connect(self.find_url(url), autocommit=True, **options) as connection:
            for name, value in self.settings.items():
                connection.execute("select set_config(%s, %s, false)", (name, value))
            if self.role:
                connection.execute(sql.SQL("set role {}").format(sql.Identifier(self.role)))
            yield connection

    def find_url(self, url: str) -> str:
        """Return the database's URL with this login's name and password."""
        return make_conninfo(url, user=self.name, password=self.password)


def make_login(connection: psycopg.Connection[Any], name: str | None = None) -> Login:
    """Make a login, or give one that is there its password: the same each time, for others may have it open."""
    login = Login(name or f"login_{secrets.token_hex(4)}", f"password of {name}" if name else secrets.token_hex(12))
    exists = connection.execute("select 1 from pg_roles where rolname = %s", (login.name,)).fetchone()
    connection.execute(
        sql.SQL("{} role {} login password {}").format(
            sql.SQL("alter" if exists else "create"), sql.Identifier(login.name), sql.Literal(login.password)
        )
    )
    return login


def drop_login(connection: psycopg.Connection[Any], login: Login) -> None:
    """Drop a login and what it owns, as the owner of the database who made it."""
    # Who makes a role may not yet drop what it owns: that takes its rights.
    connection.execute("select access.join_role(%s)", (login.name,))
    connection.execute(sql.SQL("drop owned by {0} cascade; drop role {0}").format(sql.Identifier(login.name)))


def make_owner(superuser: psycopg.Connection[Any], name: str) -> Login:
    """Make a login that makes databases and roles and is no superuser, as who owns a database at a host is."""
    owner = make_login(superuser, name)
    identifier = sql.Identifier(owner.name)
    superuser.execute(sql.SQL("alter role {} createrole createdb").format(identifier))
    # Tests copy and drop databases that others are still in.
    superuser.execute(sql.SQL("grant pg_signal_backend to {}").format(identifier))
    if superuser.info.server_version >= 160_000:
        # Who makes a role administers it, and no more. Here somebody else may have made them for another database.
        for role in ALL_ROLES:
            if superuser.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
                superuser.execute(
                    sql.SQL("grant {} to {} with admin true, inherit false, set false").format(
                        sql.Identifier(role), identifier
                    )
                )
    return owner


def list_relations(url: str) -> dict[str, list[str]]:
    """Return every relation of the database with its columns, those that nobody thought of included."""
    with psycopg.connect(url) as connection:
        return dict(connection.execute(RELATIONS).fetchall())


def read_everything(session: psycopg.Connection[Any], relations: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the rows that the session may read, as text, by relation, else by relation and column."""
    found: dict[str, list[str]] = {}
    for relation, columns in relations.items():
        rows = read_texts(session, f"select rows::text from {relation} as rows")
        if rows is not None:
            found[relation] = rows
            continue
        for column in columns:
            rows = read_texts(session, f"select {column}::text from {relation}")
            if rows is not None:
                found[f"{relation}.{column}"] = rows
    return found


def read_texts(connection: psycopg.Connection[Any], query: str) -> list[str] | None:
    """Return the first column of what a query finds, as text; None where it is refused."""
    with suppress(psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType):
        cursor = connection.execute(query.encode())
        return [str(row[0]) for row in cursor.fetchall()] if cursor.description else []
    return None
