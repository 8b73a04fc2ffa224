"""One link against queueing theory: constant and mixed sizes, and two classes of urgency.

All stand on the Pollaczek-Khinchine formula; the links carry 1 Mbit/s, so a byte takes 8 microseconds.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from heptagrid.planes.messages.tables import Ints
from heptagrid.validate.carried import carried, linked, mixed, poisson_ns
from heptagrid.validate.case import Finding, case

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

RATE_BPS = 1e6
SEED = 1
BLOCK = 1_000_000  # messages carried at once, each block from an empty link


@case(
    "m-d-1",
    plane="messages",
    kind="exact",
    source="Pollaczek-Khinchine formula; distribution of the wait by Erlang (1909) and Crommelin (1932)",
)
def m_d_1(live: bool) -> Iterator[Finding]:
    """Poisson arrivals of messages of one size, at half and at four fifths of the rate."""
    size_bytes = np.array([125])
    service_s = 8.0 * 125 / RATE_BPS
    for load, blocks in ((0.5, 4), (0.8, 10)):
        wait_s = _waits_s(load, size_bytes, np.array([1.0]), blocks)
        mean_s = 0.5 * load / (1.0 - load) * service_s
        p99_s = service_s * _root(lambda t, load=load: 0.01 - constant_service_tail(load, t))
        yield Finding(f"mean wait at load {load}", mean_s, wait_s.mean(), 0.01, relative=True, unit="s")
        yield Finding(f"p99 wait at load {load}", p99_s, np.quantile(wait_s, 0.99), 0.01, relative=True, unit="s")


@case(
    "m-g-1",
    plane="messages",
    kind="exact",
    source="Pollaczek-Khinchine formula and transform, inverted as in Abate and Whitt, ORSA J. Computing 7(1), 1995",
)
def m_g_1(live: bool) -> Iterator[Finding]:
    """Poisson arrivals of messages of three sizes."""
    size_bytes, share = np.array([100, 400, 1000]), np.array([0.5, 0.3, 0.2])
    service_s = 8.0 * size_bytes / RATE_BPS
    for load, blocks in ((0.5, 4), (0.7, 8)):
        wait_s = _waits_s(load, size_bytes, share, blocks)
        mean_s = float(0.5 * load / (1.0 - load) * (share @ service_s**2) / (share @ service_s))
        p99_s = _root(lambda t, load=load: 0.01 - mixed_service_tail(load, service_s, share, t))
        yield Finding(f"mean wait at load {load}", mean_s, wait_s.mean(), 0.01, relative=True, unit="s")
        yield Finding(f"p99 wait at load {load}", p99_s, np.quantile(wait_s, 0.99), 0.01, relative=True, unit="s")


@case(
    "priorities",
    plane="messages",
    kind="exact",
    source="Cobham, Operations Research 2(1), 1954; p99: its transforms (Kesten and Runnenburg 1957), inverted; single delays: a plain simulation",
)
def priorities(live: bool) -> Iterator[Finding]:
    """Short urgent and long patient messages; what is being sent is never interrupted."""
    size_bytes, load = np.array([100, 500]), np.array([0.3, 0.45])
    service_s = 8.0 * size_bytes / RATE_BPS
    per_s = load / service_s
    network = linked(2, 0, 1, rate_bps=RATE_BPS, priorities=2)
    random = np.random.default_rng(SEED)
    waits: list[list[Floats]] = [[], []]
    for block in range(4):
        sent_ns = poisson_ns(random, BLOCK, per_s.sum())
        urgency = mixed(random, BLOCK, per_s / per_s.sum())
        come = carried(network, sent_ns, source=0, destination=1, size_bytes=size_bytes[urgency], priority=urgency)
        wait_ns = come.delivered_ns - sent_ns - _service_ns(size_bytes)[urgency]
        for level in (0, 1):
            waits[level].append(wait_ns[urgency == level] * 1e-9)
        if block == 0:
            some = slice(0, 200_000)
            plain_ns = served_ns(sent_ns[some], _service_ns(size_bytes)[urgency[some]], urgency[some])
            # The last ones may have been overtaken by messages that the plain simulation does not know.
            settled = plain_ns < sent_ns[some][-1]
            plain_ns, ours_ns = plain_ns[settled], come.delivered_ns[some][settled]
            delays = [each - sent_ns[some][settled] for each in (plain_ns, ours_ns)]
    left = np.array([1.0, 1.0 - load[0], 1.0 - load.sum()])
    residual_s = 0.5 * per_s @ service_s**2
    for level, name in enumerate(("urgent", "patient")):
        mean_s = residual_s / (left[level] * left[level + 1])
        wait_s = np.concatenate(waits[level])
        yield Finding(f"mean wait, {name}", mean_s, wait_s.mean(), 0.01, relative=True, unit="s")
        p99_s = _root(lambda t, level=level: 0.01 - two_class_tail(level, per_s, service_s, t))
        yield Finding(f"p99 wait, {name}", p99_s, np.quantile(wait_s, 0.99), 0.01, relative=True, unit="s")
    yield Finding("delays that differ", 0, int((delays[0] != delays[1]).sum()), 0)


def _waits_s(load: float, size_bytes: Ints, share: Floats, blocks: int) -> Floats:
    """Waits of messages whose sizes are drawn with these shares, sent at random times over one link."""
    network = linked(2, 0, 1, rate_bps=RATE_BPS)
    random = np.random.default_rng(SEED)
    per_s = float(load / (share @ (8.0 * size_bytes / RATE_BPS)))
    waits = np.empty((blocks, BLOCK))
    for block in range(blocks):
        sent_ns = poisson_ns(random, BLOCK, per_s)
        drawn = mixed(random, BLOCK, share)
        come = carried(network, sent_ns, source=0, destination=1, size_bytes=size_bytes[drawn])
        waits[block] = (come.delivered_ns - sent_ns - _service_ns(size_bytes)[drawn]) * 1e-9
    return waits.ravel()


def _service_ns(size_bytes: Ints) -> Ints:
    return np.asarray(np.rint(size_bytes * 8e9 / RATE_BPS), dtype=np.int64)


def constant_service_tail(load: float, wait: float) -> float:
    """Probability that the wait exceeds `wait`, in units of the constant time of service (Crommelin)."""
    terms = [(load * (k - wait)) ** k / math.factorial(k) * math.exp(-load * (k - wait)) for k in range(int(wait) + 1)]
    return 1.0 - (1.0 - load) * math.fsum(terms)


def mixed_service_tail(load: float, service_s: Floats, share: Floats, wait_s: float) -> float:
    """Probability that the wait exceeds `wait_s`, first come, first served: the Pollaczek-Khinchine transform, inverted."""

    def transform(s: Complexes) -> Complexes:
        residual = (1.0 - np.exp(-np.outer(s, service_s))) @ share / (s * (share @ service_s))
        return np.asarray((1.0 - load) / (1.0 - load * residual))

    return _tail(transform, wait_s)


def two_class_tail(level: int, per_s: Floats, service_s: Floats, wait_s: float) -> float:
    """Probability that a message of class 0 or 1 waits longer than `wait_s`; each class has one size.

    What is urgent waits for the rest of what is being sent and for the urgent before it. What is patient waits for all that it finds, and
    for all urgent messages that come meanwhile: its transform is that of the work found, at a rate that busy periods of urgent ones raise.
    """
    idle = 1.0 - float(per_s @ service_s)

    def transform(s: Complexes) -> Complexes:
        urgent, patient = (np.exp(-s * each) for each in service_s)
        if level == 0:
            return np.asarray((idle * s + per_s[1] * (1.0 - patient)) / (s - per_s[0] * (1.0 - urgent)))
        busy = np.zeros_like(s)
        for _ in range(200):
            raised = s + per_s[0] * (1.0 - busy)
            busy = np.exp(-raised * service_s[0])
        return np.asarray(idle * raised / (s - per_s[1] * (1.0 - np.exp(-raised * service_s[1]))))

    return _tail(transform, wait_s)


def _tail(transform: Callable[[Complexes], Complexes], wait_s: float) -> float:
    """Probability that a wait exceeds `wait_s`, from the transform of its density.

    Euler's summation of the Fourier series (Abate and Whitt 1995, section 1), its error below 1e-7.
    """
    halves, terms, averaged = 18.4, 40, 11
    k = np.arange(terms + averaged + 1)
    s = np.asarray((halves + 2j * np.pi * k) / (2.0 * wait_s), dtype=np.complex128)
    tail = (1.0 - transform(s)) / s
    series = np.where(k == 0, 0.5, 1.0) * (-1.0) ** k * tail.real
    partial = np.cumsum(series)[terms:]
    weights = np.array([math.comb(averaged, j) for j in range(averaged + 1)]) / 2.0**averaged
    return float(math.exp(halves / 2.0) / wait_s * (weights @ partial))


def _root(rises) -> float:  # type: ignore[no-untyped-def]
    """Where a function that rises from below zero to above it is zero."""
    low, high = 0.0, 1e-6
    while rises(high) < 0.0:
        low, high = high, 2.0 * high
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if rises(middle) < 0.0 else (low, middle)
    return low


def served_ns(sent_ns: Ints, service_ns: Ints, urgency: Ints) -> Ints:
    """When each message has been sent: the most urgent first, then the first come."""
    done = np.empty(len(sent_ns), dtype=np.int64)
    sent, service, level = sent_ns.tolist(), service_ns.tolist(), urgency.tolist()
    waiting: list[tuple[int, int]] = []
    k = free = 0
    while k < len(sent) or waiting:
        if not waiting:
            free = max(free, sent[k])
            heapq.heappush(waiting, (level[k], k))
            k += 1
        _, first = heapq.heappop(waiting)
        free += service[first]
        done[first] = free
        while k < len(sent) and sent[k] < free:
            heapq.heappush(waiting, (level[k], k))
            k += 1
    return done
