"""The hold-out: the right share, drawn once, by nothing but the candidate's key."""

from __future__ import annotations

import random
import uuid

import pytest
from scipy import stats  # type: ignore[import-untyped]

from activation.outbox import draw_hold_out
from tests.activation.conftest import NEXT_DAY, Salon

TENANT = "da9f68db-eaad-54e9-811e-cd6d0a2303f5"


def make_keys(count: int) -> list[str]:
    """Keys as win-backs have them, of neighbouring clients and one day: hard for a weak hash."""
    return [f"win_back:{uuid.UUID(int=number)}:2026-01-15" for number in range(count)]


@pytest.mark.parametrize("percent", [1, 10, 50])
def test_the_share_held_out_is_the_salons(percent: int) -> None:
    keys = make_keys(10_000)
    held_out = sum(draw_hold_out(TENANT, key, percent=percent) for key in keys)
    low, high = stats.binom.interval(0.9999, 10_000, percent / 100)
    assert low <= held_out <= high


def test_nothing_and_everything_are_exact() -> None:
    keys = make_keys(1_000)
    assert not any(draw_hold_out(TENANT, key, percent=0) for key in keys)
    assert all(draw_hold_out(TENANT, key, percent=100) for key in keys)


def test_the_draw_depends_on_neither_order_nor_time_nor_company() -> None:
    keys = make_keys(500)
    alone = {key: draw_hold_out(TENANT, key, percent=10) for key in keys}
    random.Random(1).shuffle(keys)
    assert {key: draw_hold_out(TENANT, key, percent=10) for key in keys} == alone


def test_draws_of_two_salons_and_of_two_lapses_have_nothing_to_do_with_each_other() -> None:
    keys = make_keys(5_000)
    first = [draw_hold_out(TENANT, key, percent=50) for key in keys]
    for second in (
        [draw_hold_out(str(uuid.UUID(int=1)), key, percent=50) for key in keys],
        [draw_hold_out(TENANT, key.replace("01-15", "02-15"), percent=50) for key in keys],
    ):
        same = sum(one == other for one, other in zip(first, second, strict=True))
        low, high = stats.binom.interval(0.9999, 5_000, 0.5)
        assert low <= same <= high


def test_a_larger_share_keeps_those_who_were_held_out_before() -> None:
    keys = make_keys(2_000)
    few = {key for key in keys if draw_hold_out(TENANT, key, percent=10)}
    more = {key for key in keys if draw_hold_out(TENANT, key, percent=20)}
    assert few < more


def test_held_out_candidates_are_stamped_and_never_pending(salon: Salon) -> None:
    salon.set_settings(hold_out_percent=100)
    report = salon.activate()
    rows = {name: (row["is_held_out"], row["status"]) for name, row in salon.outbox().items()}
    assert rows.pop("stranger") == (False, "pending"), "the other salon holds nobody out"
    assert set(rows.values()) == {(True, "held_out")}
    assert sum(queue.held_out for queue in report.outbox.queues) == len(rows) == 5


def test_who_was_held_out_stays_so_when_the_salon_changes_its_share(salon: Salon) -> None:
    salon.set_settings(hold_out_percent=100)
    salon.activate()
    before = salon.outbox()
    salon.set_settings(hold_out_percent=0)
    assert salon.activate(NEXT_DAY).outbox.messages[0].message_key == "slot_offer:freed:2"
    after = salon.outbox()
    assert {name: after[name] for name in before} == before
