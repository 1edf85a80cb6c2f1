"""Rules that every table of a salon's rows shares: whose row it is (seed 01, section 6; REQUIREMENTS B3)."""

from __future__ import annotations

from expectations.rules import StandardExpectation, expect_rows


def expect_tenant(
    prefix: str, *, section: str, foreign_key: str = "6", implies: tuple[str, ...] = ()
) -> list[StandardExpectation]:
    """The row names its salon, and the salon is there. Without that the row belongs to nobody.

    ``implies`` are rules that cannot hold for the row of a salon that is not there.
    """
    return [
        expect_rows(
            f"{prefix}.tenant_id_present", section=section, action="set_aside",
            fails_when="rows.tenant_id is null",
            en="tenant_id is filled: a row without it belongs to no salon.",
            ru="tenant_id заполнен: строка без него не принадлежит ни одному салону.",
        ),
        expect_rows(
            f"{prefix}.tenant_exists", section=foreign_key, action="set_aside",
            fails_when="rows.tenant_id is not null and tenants.id is null",
            implies=implies,
            en="tenant_id points at a row of tenants_v2.",
            ru="tenant_id указывает на строку в tenants_v2.",
        ),
    ]  # fmt: skip


def expect_client(
    prefix: str, *, section: str, foreign_key: str = "6", implies: tuple[str, ...] = ()
) -> list[StandardExpectation]:
    """The row names its client, who is there and belongs to the same salon.

    ``implies`` are rules that cannot hold for the row of a client who is not there or somebody else's.
    """
    return [
        expect_rows(
            f"{prefix}.client_id_present", section=section, action="set_aside",
            fails_when="rows.user_id is null",
            en="user_id is filled: without it nobody knows whose row it is.",
            ru="user_id заполнен: без него неизвестно, чья это строка.",
        ),
        expect_rows(
            f"{prefix}.client_exists", section=foreign_key, action="set_aside",
            fails_when="rows.user_id is not null and clients.id is null",
            implies=implies,
            en="user_id points at a row of clients_v2.",
            ru="user_id указывает на строку в clients_v2.",
        ),
        expect_rows(
            f"{prefix}.client_same_tenant", section="B3", action="set_aside",
            fails_when="clients.tenant_id <> rows.tenant_id",
            implies=implies,
            en="The client belongs to the salon of the row: one salon's data must never show up at another's.",
            ru="Клиент принадлежит тому же салону, что и строка: данные салона не должны попасть к другому.",
        ),
    ]  # fmt: skip
