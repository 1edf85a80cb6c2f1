"""The hazard of the next visit, by how long ago the last one was and what is known of the client.

A client that has not come for s days, and goes on not coming, has the same history but for s. So the probability of no
visit within the next h days is exp(−sum of the hazard over those days), for any h, also one longer than any seen: the
hazard is a smooth function of log time, and goes on as a power of time.

Time counts in the client's cadence, so that a shop of weekly and one of yearly clients look alike: the hazard is that
of one visit a cadence, times exp(terms @ coefficients). The terms are bumps around the cadence for those who come
regularly, slopes before and after it, how often and how evenly the client came, what a visit is worth, and the log
hazard of an MBG/NBD process, whose clients leave. Clients with one visit have terms and coefficients of their own
(METRICS.md, P(alive): the survival curve of one-visit clients).

Sources: Prentice and Gloeckler 1978 (grouped survival); Cox and Oakes, Analysis of Survival Data, 1984, 5 (hazard
regression); METRICS.md, "P(alive)" and "Personal cadence".
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scoring.cadence import find_cadences, find_irregularity
from scoring.frames import Integers, Numbers
from scoring.histories import Histories, States
from scoring.mbg import BuyingProcess
from scoring.priors import HAZARD_PRECISION
from scoring.regression import Flags, fit_hazard

CENTERS = np.log([0.55, 0.7, 0.85, 1.0, 1.18, 1.4, 2.0])
WIDTHS = np.array([0.15, 0.15, 0.12, 0.08, 0.12, 0.15, 0.12])
"""Bumps of the hazard over log(days ÷ cadence): narrow at the cadence, where regular clients come."""
EARLY, LATE, LATE_ONCE = np.log(0.4), np.log(2.5), np.log(2.0)
"""Where the slope over log time may change; far from the cadence there is one slope, which goes on for ever."""
LEAST_DAYS = 0.5
NODES = (8, 16, 28, 40)
WIDTHS_OF_NODES = (0.5, 1.5, 3.0)
"""Points at which a sum over days is evaluated (Gauss-Legendre over log time), by how wide log time is."""
THREADS = 2
CHUNK = 20_000
"""Clients that are scored at a time, which bounds memory."""
EDGES = np.unique(np.round(np.concatenate([[0.0], 1.2 ** np.arange(55)])))
"""Days without a visit are put in pieces with these edges, each evaluated on one of its days."""


@dataclass(frozen=True)
class Clients:
    """What the hazard needs of each client (or state); arrays of one length.

    ``repeats`` and ``recency`` as in `States`; ``cadence``, and the tenant's own, in days; ``irregularity`` log
    variance of log gaps; ``value`` in standard deviations from the tenant's mean, 0 where not known.
    """

    repeats: Numbers
    recency: Numbers
    cadence: Numbers
    tenant_cadence: Numbers
    irregularity: Numbers
    value: Numbers

    def take(self, chosen: Flags | Integers | slice) -> Clients:
        """Return the chosen ones."""
        return Clients(
            self.repeats[chosen], self.recency[chosen], self.cadence[chosen], self.tenant_cadence[chosen],
            self.irregularity[chosen], self.value[chosen],
        )  # fmt: skip


@dataclass(frozen=True)
class Scales:
    """What makes tenants comparable: by tenant number, cadence in days and mean value; ``value_spread`` of all."""

    cadences: Numbers
    values: Numbers
    value_spread: float

    def describe(self, states: States) -> Clients:
        """Return the states on these scales."""
        tenant_cadence = self.cadences[states.tenant]
        value = np.nan_to_num((states.value - self.values[states.tenant]) / self.value_spread)
        return Clients(
            states.repeats, states.recency, find_cadences(states, tenant_cadence), tenant_cadence,
            find_irregularity(states.gaps), np.clip(value, -3.0, 3.0),
        )  # fmt: skip


@dataclass(frozen=True)
class Hazard:
    """Coefficients of the log hazard: of clients that came again, and of those that came once."""

    process: BuyingProcess
    again: tuple[float, ...]
    once: tuple[float, ...]

    def sum_log(self, clients: Clients, waited: Numbers, horizon: Numbers) -> Numbers:
        """Return the log of the summed hazard from ``waited`` days after the last visit on, for ``horizon`` days."""
        total = np.empty(len(waited))
        width = np.log((waited + horizon + LEAST_DAYS) / (waited + LEAST_DAYS))
        need = np.searchsorted(WIDTHS_OF_NODES, width)
        is_once = clients.repeats == 0
        jobs = []
        for is_group in (is_once, ~is_once):
            for place, nodes in enumerate(NODES):
                members = np.flatnonzero(is_group & (need == place))
                jobs += [(members[start : start + CHUNK], nodes) for start in range(0, len(members), CHUNK)]

        def work(job: tuple[Integers, int]) -> None:
            chosen, nodes = job
            total[chosen] = self._sum_chunk(clients.take(chosen), waited[chosen], width[chosen], nodes)

        # numpy leaves the interpreter to others while it computes; chunks are independent of each other.
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(work, jobs))
        return total

    def _sum_chunk(self, group: Clients, waited: Numbers, width: Numbers, nodes: int) -> Numbers:
        """As `sum_log`, of clients that all came once, or all came again; ``width`` is that of the log of time."""
        is_once = group.repeats[0] == 0
        write, weights_of = (_write_once, self.once) if is_once else (_write_again, self.again)
        points, weights = np.polynomial.legendre.leggauss(nodes)
        low = np.log(waited + LEAST_DAYS)
        unit = np.log(group.cadence)
        summed = np.zeros(len(waited))
        for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
            days = np.exp(low + width * point)
            log_hazard = -unit
            for coefficient, term in zip(weights_of, write(group, days, self.process), strict=True):
                log_hazard += coefficient * term
            summed += weight * width * days * np.exp(np.clip(log_hazard, -25.0, 4.0))
        return np.asarray(np.log(np.maximum(summed, 1e-12)))


def fit_visit_hazard(
    histories: Histories, states: States, scales: Scales, process: BuyingProcess, *, rows: int
) -> tuple[Hazard, Numbers, Numbers]:
    """Return the hazard, and by tenant the visits that came and those it expected, on the same days.

    At most ``rows`` times between visits are used, the same ones of the same histories. The last one of a client is not
    over: it lasts to ``histories.as_of`` at least.
    """
    tenants = len(scales.cadences)
    came, expected = np.zeros(tenants), np.zeros(tenants)
    chance = np.random.default_rng(1)
    chosen = np.arange(len(states.repeats))
    if len(chosen) > rows:
        chosen = np.sort(chance.choice(chosen, rows, replace=False))
    states = states.take(chosen)
    has_next = ~np.isnan(states.until_next)
    length = np.where(has_next, states.until_next, np.floor(histories.as_of - histories.at[chosen]))
    everyone = scales.describe(states)
    fitted = []
    is_once = states.repeats == 0
    for is_group, write in ((~is_once, _write_again), (is_once, _write_once)):
        members = np.flatnonzero(is_group)
        place, day, days, is_event = _cut_pieces(length[members], has_next[members], chance)
        group = everyone.take(members[place])
        terms = np.column_stack(write(group, day, process))
        offset = -np.log(group.cadence)
        scale = np.maximum(terms.std(axis=0), 1e-6) if len(terms) else np.ones(terms.shape[1])
        scale[0] = 1.0
        found = fit_hazard(
            terms / scale, days, is_event, offset=offset, prior=np.zeros(terms.shape[1]),
            precision=np.full(terms.shape[1], HAZARD_PRECISION),
        ) / scale  # fmt: skip
        fitted.append(tuple(found.tolist()))
        tenant = states.tenant[members[place]]
        came += np.bincount(tenant, is_event, minlength=tenants)
        hazard = np.exp(np.clip(offset + terms @ found, -25.0, 4.0))
        expected += np.bincount(tenant, days * -np.expm1(-hazard), minlength=tenants)
    return Hazard(process, fitted[0], fitted[1]), came, expected


def _cut_pieces(
    length: Numbers, has_next: Flags, chance: np.random.Generator
) -> tuple[Integers, Numbers, Numbers, Numbers]:
    """Times between visits as rows of a hazard regression: place, day, days in the piece, whether a visit came.

    A piece stands for all its days, and is evaluated on a random one of them, so that no edge leaves a trace.
    """
    quiet = np.maximum(np.where(has_next, length - 1, length), 0.0)
    places, days, sizes = [], [], []
    for low, high in pairwise(EDGES):
        size = np.clip(quiet - low, 0, high - low)
        inside = np.flatnonzero(size > 0)
        if not len(inside):
            break
        places.append(inside)
        days.append(low + 1 + np.floor(chance.random(len(inside)) * size[inside]))
        sizes.append(size[inside])
    visits = np.flatnonzero(has_next)
    pieces = sum(map(len, places))
    return (
        np.concatenate([*places, visits]).astype(np.int64),
        np.concatenate([*days, length[visits]]),
        np.concatenate([*sizes, np.ones(len(visits))]),
        np.concatenate([np.zeros(pieces), np.ones(len(visits))]),
    )


def _write_bumps(log_time: Numbers) -> list[Numbers]:
    """Bumps around the cadence."""
    return [np.exp(-0.5 * ((log_time - c) / w) ** 2) for c, w in zip(CENTERS, WIDTHS, strict=True)]


def _write_process(clients: Clients, days: Numbers, process: BuyingProcess) -> Numbers:
    """Log hazard of the process, in visits a cadence."""
    log_hazard = process.log_hazard(clients.repeats, clients.recency, clients.recency + days)
    return np.clip(np.log(clients.cadence) + log_hazard, -8.0, 3.0)


def _write_again(clients: Clients, days: Numbers, process: BuyingProcess) -> list[Numbers]:
    """Terms of clients that came again, ``days`` after their last visit."""
    days = np.maximum(days, LEAST_DAYS)
    time = np.log(days / clients.cadence)
    age = clients.recency + days
    unit, uneven = clients.tenant_cadence, clients.irregularity
    often = np.log1p(clients.repeats)
    before, after = np.minimum(time, 0), np.maximum(time, 0)
    bumps = _write_bumps(time)
    return [
        np.ones(len(time)), time, np.maximum(time - EARLY, 0), np.maximum(time - LATE, 0), *bumps,
        often, np.log((clients.repeats + 0.5) / (age + 0.5 * unit) * unit), np.log(clients.cadence / unit),
        uneven, clients.value, np.log((age + unit) / unit), often * np.log((age + unit) / (clients.recency + unit)),
        often * after, often * before, uneven * after, uneven * before,
        uneven * bumps[2], uneven * bumps[3], uneven * bumps[4], often * bumps[3],
        uneven * np.exp(-0.5 * (time / 0.3) ** 2), _write_process(clients, days, process),
    ]  # fmt: skip


def _write_once(clients: Clients, days: Numbers, process: BuyingProcess) -> list[Numbers]:
    """Terms of clients that came once, ``days`` after that."""
    days = np.maximum(days, LEAST_DAYS)
    time = np.log(days / clients.tenant_cadence)
    return [
        np.ones(len(time)), time, np.maximum(time - EARLY, 0), np.maximum(time - LATE_ONCE, 0), *_write_bumps(time),
        clients.value, clients.value * time, _write_process(clients, days, process),
    ]  # fmt: skip
