"""Who may be talked to in the clear: this machine alone (issue 7, "The connection").

Everything that connects passes here: `open_connection`, what dbt is handed, Great Expectations and `agentp url`.
"""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from typing import Any

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from agentp.errors import SetupError

ENCRYPTED = ("require", "verify-ca", "verify-full")
"""Values of `sslmode` with which libpq never sends anything in the clear."""


def parse_url(url: str) -> dict[str, Any]:
    """Return the URL's parts by libpq name; a malformed one is a `SetupError` that never shows a password.

    So is one whose password has an unescaped @, / or ?: libpq takes a part of it for host, port or database, which are
    shown and sent to name servers.
    """
    scheme, divider, rest = url.partition("://")
    before_host = rest[: max(rest.rfind("@"), 0)]
    if divider and scheme.strip().lower() in ("postgresql", "postgres") and re.search("[@/?]", before_host):
        raise SetupError(
            "AGENTP_DATABASE_URL has an @, / or ? before its last @, so that nobody can tell where the password ends.",
            cure="Percent-encode them: %40 for @, %2F for /, %3F for ?, %25 for %, wherever the URL means the sign.",
        )
    try:
        return conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Not as its cause: libpq quotes what it could not read, which may be the password.
        raise SetupError(
            "AGENTP_DATABASE_URL is not a Postgres connection URL.",
            cure="Write it as postgresql://user:password@host:5432/database (quote special characters as %40).",
        ) from None


def complete_parts(url: str) -> dict[str, Any]:
    """Return the URL's parts with what libpq takes from its environment (`PGHOST`, …) where the URL says nothing."""
    defaults = {option.keyword.decode(): (option.val or b"").decode() for option in pq.Conninfo.get_defaults()}
    given = {name: value for name, value in parse_url(url).items() if value not in (None, "")}
    return {**{name: value for name, value in defaults.items() if value}, **given}


def secure_url(url: str) -> str:
    """Return the URL as it may be connected to: one that leaves this machine asks for TLS.

    Where neither the URL nor `PGSSLMODE` says anything, `sslmode=require` is added; a mode that sends, or may send, a
    password in the clear is a `SetupError`. Loopback addresses, `localhost` and sockets are left as they are.
    """
    parts = parse_url(url)
    hosts = find_remote_hosts(parts)
    if not hosts:
        return url
    mode, origin = parts.get("sslmode"), "AGENTP_DATABASE_URL"
    if not mode:
        mode, origin = os.environ.get("PGSSLMODE") or "require", "PGSSLMODE"
        is_url = url.startswith(("postgresql://", "postgres://"))
        url += f"{('&' if '?' in url else '?') if is_url else ' '}sslmode={mode}"
    if mode not in ENCRYPTED:
        raise SetupError(
            f"{origin} says sslmode={mode} for {', '.join(hosts)}: passwords and data could go out in the clear.",
            cure="Write sslmode=require or, with the server's certificate authority in sslrootcert, verify-full; a "
            "server without TLS is reached through a tunnel that ends on 127.0.0.1.",
        )
    return url


def find_remote_hosts(parts: dict[str, Any]) -> list[str]:
    """Return those of a connection's hosts that are not this machine; none for a socket or loopback."""
    named = [parts.get(name) or os.environ.get(f"PG{name.upper()}") or "" for name in ("hostaddr", "host")]
    hosts = [host for names in named for host in str(names).split(",") if not _is_local(host.strip())]
    service = parts.get("service") or os.environ.get("PGSERVICE")
    # A service's file may name any host.
    return hosts or ([f"service {service}"] if service and not any(named) else [])


def _is_local(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
