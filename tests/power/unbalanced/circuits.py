"""Random circuits with all kinds of elements: trees, and lines that close loops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heptagrid.world.circuit.builder import CircuitBuilder, Winding
from heptagrid.world.circuit.circuit import GROUND, Circuit, Connection, Model

WYE, DELTA = Connection.WYE, Connection.DELTA
TURN = np.exp(-2j * np.pi / 3.0)
SERIES = 0.3 + 0.6j, 0.1 + 0.25j  # ohm per km, own and mutual
BANKS = ((WYE, WYE), (DELTA, WYE), (WYE, DELTA), (DELTA, DELTA))


@dataclass(frozen=True)
class Bus:
    """What it is, and what leads there. floats: behind a delta, where nothing but line capacitance and antifloat holds it to the ground."""

    name: str
    phases: tuple[int, ...]
    kv: float  # to neutral
    is_low: bool
    floats: bool
    up: int
    how: str
    bank: tuple[Connection, Connection] = BANKS[0]


class Grower:
    """Grows a circuit bus by bus. `shift` turns the names of the phases; `order` permutes the buses."""

    def __init__(self, seed: int, buses: int, loops: int, shift: int = 0, order: int | None = None) -> None:
        self.rng = np.random.default_rng(seed)
        self.builder = CircuitBuilder(f"random {seed}", 50.0)
        self.shift = shift
        self.buses = [Bus("b0", (1, 2, 3), 7.2, False, False, -1, "source")]
        for k in range(1, buses):
            self.buses.append(self._bus(k))
        for k in np.arange(buses) if order is None else np.random.default_rng(order).permutation(buses):
            self.builder.bus(self.buses[k].name, self.buses[k].kv)
        for k in range(buses):
            self._grow(k)
        for k in range(loops):
            self._close(f"loop {k}")

    def _bus(self, k: int) -> Bus:
        """A bus below one of the last few."""
        up = int(self.rng.integers(max(0, k - 6), k))
        above, draw = self.buses[up], self.rng.random()
        phases, kv, is_low, floats = above.phases, above.kv, above.is_low, above.floats
        name = f"float{k}" if floats else f"b{k}"
        if not is_low and draw < 0.15 and len(phases) == 3:
            bank = BANKS[self.rng.integers(4)]
            floats = bank[1] == DELTA
            return Bus(f"float{k}" if floats else f"b{k}", phases, 0.24, True, floats, up, "bank", bank)
        if not is_low and draw < 0.2:
            return Bus(name, (phases[0],), 0.24, True, False, up, "single")
        if not is_low and draw < 0.25:
            return Bus(name, (1, 2), 0.12, True, False, up, "centre tap")
        if not is_low and draw < 0.3 and len(phases) == 3:
            return Bus(name, phases, kv, is_low, floats, up, "regulator")
        if len(phases) > 1 and draw < 0.5 and kv != 0.12:
            fewer = tuple(sorted(self.rng.choice(phases, len(phases) - 1, replace=False).tolist()))
            return Bus(name, fewer, kv, is_low, floats, up, "line")
        return Bus(name, phases, kv, is_low, floats, up, "line")

    def nodes(self, k: int, phases: tuple[int, ...] | None = None) -> list[int]:
        bus = self.buses[k]
        chosen = bus.phases if phases is None else phases
        if bus.kv == 0.12:
            return self.builder.nodes(bus.name, *chosen)
        return self.builder.nodes(bus.name, *((phase - 1 + self.shift) % 3 + 1 for phase in chosen))

    def _grow(self, k: int) -> None:
        bus, up = self.buses[k], self.buses[k].up
        if bus.how == "source":
            emf = 1.03 * 7200.0 * TURN ** np.arange(3)
            z = (0.05 + 0.4j) * np.eye(3) + 0.01 + 0.1j
            self.builder.source("source", self.nodes(0), emf, z)
        elif bus.how == "line":
            self._line(f"l{k}", self.nodes(up, bus.phases), self.nodes(k), bus.is_low)
        elif bus.how == "bank":
            ends = [[*self.nodes(b), *([GROUND] if c == WYE else [])] for b, c in zip((up, k), bus.bank, strict=True)]
            kv = 12.47, 0.24 * np.sqrt(3.0)
            self._transformer(k, 3, [Winding(c, v, 300.0, e, 0.6) for c, v, e in zip(bus.bank, kv, ends, strict=True)])
        elif bus.how == "single":
            ends = [[*self.nodes(up, bus.phases), GROUND], [*self.nodes(k), GROUND]]
            self._transformer(k, 1, [Winding(WYE, kv, 50.0, e, 0.6) for kv, e in zip((7.2, 0.24), ends, strict=True)])
        elif bus.how == "centre tap":
            above, (one, two) = [self.nodes(up)[0], GROUND], self.nodes(k)
            halves = [Winding(WYE, 0.12, 50.0, ends, 1.2) for ends in ([one, GROUND], [GROUND, two])]
            self._transformer(k, 1, [Winding(WYE, 7.2, 50.0, above, 0.6), *halves], (2.04, 2.04, 1.36))
        else:
            for phase in bus.phases:
                ends = [[*self.nodes(b, (phase,)), GROUND] for b in (up, k)]
                tap = 1.0 + 0.00625 * int(self.rng.integers(-8, 9))
                pair = [Winding(WYE, 7.2, 2000.0, ends[0], 0.01), Winding(WYE, 7.2, 2000.0, ends[1], 0.01, tap)]
                self._transformer(k, 1, pair, (0.01,), f"r{k}.{phase}")
        self._devices(k)

    def _transformer(
        self, k: int, phases: int, windings: list[Winding], x: tuple[float, ...] = (4.0,), name: str = ""
    ) -> None:
        more = {"no_load_loss_percent": 0.2, "magnetizing_percent": 0.5, "is_lead": bool(self.rng.random() < 0.3)}
        self.builder.transformer(name or f"t{k}", phases, windings, x, **more)

    def _line(self, name: str, above: list[int], below: list[int], is_low: bool) -> None:
        km = float(self.rng.uniform(0.02, 0.1) if is_low else self.rng.uniform(0.2, 1.5))
        n = len(above)
        z = km * ((SERIES[0] - SERIES[1]) * np.eye(n) + SERIES[1])
        y = 1e-6j * km * (4.0 * np.eye(n) - 0.8) if self.rng.random() < 0.7 else None
        if self.rng.random() < 0.1:
            z = np.zeros((n, n))
        ends = (above, below) if self.rng.random() < 0.5 else (below, above)
        self.builder.line(name, *ends, z, y)

    def _devices(self, k: int) -> None:
        bus, nodes = self.buses[k], self.nodes(k)
        volts = 1000.0 * bus.kv
        if self.rng.random() < 0.35 or (bus.floats and len(nodes) == 1):
            return
        if len(nodes) > 1 and (bus.floats or self.rng.random() < 0.4):
            pairs = zip(nodes, nodes[1:] + nodes[:1], strict=True)
            circuits = list(pairs)[: len(nodes) if len(nodes) > 2 else 1]
            volts *= 2.0 if bus.kv == 0.12 else np.sqrt(3.0)
        else:
            circuits = [(node, GROUND) for node in nodes]
        scale = 1.0 if bus.is_low else 12.0
        model = Model(int(self.rng.integers(1, 9)))
        p_kw = float(scale * self.rng.uniform(-2.0, 6.0))
        self.builder.device(
            *(f"d{k}", "load", circuits, p_kw, 0.3 * abs(p_kw), volts, model),
            **{"v_min_pu": 0.8, "v_max_pu": 1.2, "v_low_pu": 0.5 if self.rng.random() < 0.5 else np.nan},
            **{"watts_exponent": 0.9, "vars_exponent": 2.4, "zip_": (0.2, 0.3, 0.5, 0.4, 0.3, 0.3, 0.4)},
        )
        if not bus.is_low and self.rng.random() < 0.2:
            self.builder.capacitor(f"c{k}", [(node, GROUND) for node in nodes], 7200.0, [50.0 * len(nodes)])

    def _close(self, name: str) -> None:
        """A line between two buses of the upper level that have the same phases."""
        alike = [k for k, bus in enumerate(self.buses) if not bus.is_low and len(bus.phases) == 3]
        if len(alike) > 2:
            a, b = self.rng.choice(alike, 2, replace=False).tolist()
            z = 0.8 * ((SERIES[0] - SERIES[1]) * np.eye(3) + SERIES[1])
            self.builder.line(name, self.nodes(a), self.nodes(b), z, 1e-6j * np.eye(3))


def random_circuit(seed: int, buses: int, loops: int = 0, shift: int = 0, order: int | None = None) -> Circuit:
    return Grower(seed, buses, loops, shift, order).builder.circuit()
