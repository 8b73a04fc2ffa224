"""Puts a circuit together element by element: what importers and tests fill, and the arrays of `circuit` come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.world.circuit.circuit import (
    GROUND,
    Buses,
    Capacitors,
    Circuit,
    Connection,
    Devices,
    Lines,
    Model,
    Nodes,
    Shunts,
    Sources,
    Transformers,
    Windings,
)
from heptagrid.world.circuit.controls import CapacitorControls, Regulators

NO_ZIP = (0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Winding:
    """One winding, as in `circuit.Windings`; conductors: its nodes."""

    connection: Connection
    kv: float
    kva: float
    conductors: Sequence[int]
    r_percent: float = 0.0
    tap_pu: float = 1.0
    tap_min_pu: float = 0.9
    tap_max_pu: float = 1.1
    tap_steps: int = 32
    neutral_ohm: complex = complex(np.nan, 0.0)


@dataclass
class _Table:
    """Rows of named columns, and for some of them lists of any length, packed one after another with their ends."""

    columns: dict[str, list[Any]] = field(default_factory=dict)
    packed: dict[str, list[Any]] = field(default_factory=dict)
    ends: dict[str, list[int]] = field(default_factory=dict)

    def add(self, at: dict[str, dict[str, Any]], **values: Any) -> int:
        """at: for each table of ends its packed columns."""
        for name, value in values.items():
            self.columns.setdefault(name, []).append(value)
        for end, lists in at.items():
            for name, members in lists.items():
                self.packed.setdefault(name, []).extend(members)
                last = len(self.packed[name])
            self.ends.setdefault(end, [0]).append(last)
        return len(next(iter(self.columns.values()))) - 1

    def column(self, name: str, dtype: Any = np.float64) -> npt.NDArray[Any]:
        values = self.columns.get(name) or self.packed.get(name) or []
        return np.array(values, dtype=dtype)

    def at(self, name: str) -> npt.NDArray[np.int64]:
        return np.array(self.ends.get(name, [0]), dtype=np.int64)

    def names(self) -> npt.NDArray[np.str_]:
        return np.array(self.columns.get("name", []), dtype=np.str_)


class CircuitBuilder:
    """Elements name their nodes by what `node` returned; -1 is the ground."""

    def __init__(self, name: str, frequency_hz: float) -> None:
        self.name = name
        self.frequency_hz = frequency_hz
        self.left_out: list[str] = []
        self._bus_of: dict[str, int] = {}
        self._buses = _Table()
        self._node_of: dict[tuple[int, int], int] = {}
        self._sources, self._lines, self._transformers, self._windings = _Table(), _Table(), _Table(), _Table()
        self._devices, self._capacitors, self._shunts = _Table(), _Table(), _Table()
        self._regulators, self._capacitor_controls = _Table(), _Table()

    def bus(self, name: str, v_base_kv: float, x: float = np.nan, y: float = np.nan) -> int:
        """v_base_kv: line to neutral."""
        self._bus_of[name] = self._buses.add({}, name=name, v_base_kv=v_base_kv, x=x, y=y)
        return self._bus_of[name]

    def node(self, bus: str, number: int) -> int:
        """The conductor `number` of a bus that was added before; 0 is the ground."""
        if number == 0:
            return GROUND
        return self._node_of.setdefault((self._bus_of[bus], number), len(self._node_of))

    def nodes(self, bus: str, *numbers: int) -> list[int]:
        return [self.node(bus, number) for number in numbers]

    def source(self, name: str, nodes: Sequence[int], emf_v: Sequence[complex], z_ohm: Any) -> int:
        """An ideal source between the ground and `nodes`; z_ohm: (n, n)."""
        ground = [GROUND] * len(nodes)
        return self._sources.add(
            {
                "node_at": {"from_node": ground, "to_node": nodes, "emf_v": emf_v},
                "matrix_at": {"y_s": np.linalg.inv(np.asarray(z_ohm, dtype=complex)).ravel()},
            },
            name=name,
        )

    def line(
        self,
        name: str,
        from_nodes: Sequence[int],
        to_nodes: Sequence[int],
        z_ohm: Any,
        y_s: Any = None,
        *,
        from_closed: Sequence[bool] | None = None,
        to_closed: Sequence[bool] | None = None,
        length_km: float = np.nan,
        rated_a: float = np.nan,
        is_switch: bool = False,
    ) -> int:
        """z_ohm, y_s: (n, n) of the whole line."""
        n = len(from_nodes)
        z = np.asarray(z_ohm, dtype=complex).reshape(n, n)
        y = np.zeros((n, n), dtype=complex) if y_s is None else np.asarray(y_s, dtype=complex).reshape(n, n)
        closed = [True] * n
        return self._lines.add(
            {
                "node_at": {
                    "from_node": from_nodes,
                    "to_node": to_nodes,
                    "from_closed": closed if from_closed is None else from_closed,
                    "to_closed": closed if to_closed is None else to_closed,
                },
                "matrix_at": {"z_ohm": z.ravel(), "y_s": y.ravel()},
            },
            **{"name": name, "length_km": length_km, "rated_a": rated_a, "is_switch": is_switch},
        )

    def transformer(
        self,
        name: str,
        phases: int,
        windings: Sequence[Winding],
        x_percent: Sequence[float],
        *,
        no_load_loss_percent: float = 0.0,
        magnetizing_percent: float = 0.0,
        is_lead: bool = False,
        antifloat_ppm: float = 1.0,
        rated_kva: float = np.nan,
    ) -> int:
        """x_percent: of the pairs 1-2, 1-3, ..., 2-3, ..."""
        for winding in windings:
            self._windings.add(
                {"conductor_at": {"node": winding.conductors}},
                **{name: value for name, value in vars(winding).items() if name != "conductors"},
            )
        return self._transformers.add(
            {"x_at": {"x_percent": x_percent}, "winding_at": {"winding": [0] * len(windings)}},
            **{"name": name, "phases": phases, "no_load_loss_percent": no_load_loss_percent},
            **{"magnetizing_percent": magnetizing_percent, "is_lead": is_lead, "antifloat_ppm": antifloat_ppm},
            rated_kva=windings[0].kva if np.isnan(rated_kva) else rated_kva,
        )

    def device(
        self,
        name: str,
        kind: str,
        circuits: Sequence[tuple[int, int]],
        p_kw: float,
        q_kvar: float,
        v_rated_v: float,
        model: Model = Model.CONSTANT_POWER,
        *,
        v_min_pu: float = 0.0,
        v_max_pu: float = np.inf,
        v_low_pu: float = np.nan,
        limited_share: float = 1.0,
        watts_exponent: float = 0.0,
        vars_exponent: float = 0.0,
        zip_: Sequence[float] = NO_ZIP,
    ) -> int:
        """circuits: its phase circuits, each from a node to a node or the ground."""
        return self._devices.add(
            {"circuit_at": {"circuit_from": [c[0] for c in circuits], "circuit_to": [c[1] for c in circuits]}},
            **{"name": name, "kind": kind, "p_kw": p_kw, "q_kvar": q_kvar, "v_rated_v": v_rated_v, "model": model},
            **{"v_min_pu": v_min_pu, "v_max_pu": v_max_pu, "v_low_pu": v_low_pu, "limited_share": limited_share},
            **{"watts_exponent": watts_exponent, "vars_exponent": vars_exponent, "zip_": tuple(zip_)},
        )

    def capacitor(
        self,
        name: str,
        circuits: Sequence[tuple[int, int]],
        v_rated_v: float,
        step_kvar: Sequence[float],
        is_closed: Sequence[bool] | None = None,
    ) -> int:
        closed = [True] * len(step_kvar) if is_closed is None else is_closed
        return self._capacitors.add(
            {
                "circuit_at": {"circuit_from": [c[0] for c in circuits], "circuit_to": [c[1] for c in circuits]},
                "step_at": {"step_kvar": step_kvar, "is_closed": closed},
            },
            **{"name": name, "v_rated_v": v_rated_v},
        )

    def shunt(self, name: str, nodes: Sequence[int], y_s: Any, counts_as_loss: bool = False) -> int:
        y = np.asarray(y_s, dtype=complex).ravel()
        at: dict[str, dict[str, Any]] = {"node_at": {"node": nodes}, "matrix_at": {"y_s": y}}
        return self._shunts.add(at, name=name, counts_as_loss=counts_as_loss)

    def regulator(self, name: str, **columns: Any) -> int:
        """columns: those of `controls.Regulators`."""
        return self._regulators.add({}, name=name, **columns)

    def capacitor_control(self, name: str, **columns: Any) -> int:
        """columns: those of `controls.CapacitorControls`."""
        return self._capacitor_controls.add({}, name=name, **columns)

    def circuit(self) -> Circuit:
        """The circuit of all that was added, its nodes by bus and number."""
        pairs = np.array(sorted(self._node_of), dtype=np.int64).reshape(-1, 2)
        place = np.empty(len(pairs) + 1, dtype=np.int64)
        place[-1] = GROUND
        for k, (bus, number) in enumerate(pairs.tolist()):
            place[self._node_of[bus, number]] = k
        buses = len(self._bus_of)
        node_at = np.concatenate([[0], np.cumsum(np.bincount(pairs[:, 0], minlength=buses))]).astype(np.int64)
        return Circuit(
            name=self.name,
            frequency_hz=self.frequency_hz,
            buses=Buses(
                self._buses.names(),
                self._buses.column("v_base_kv"),
                node_at,
                self._buses.column("x"),
                self._buses.column("y"),
            ),
            nodes=Nodes(bus=pairs[:, 0].copy(), number=pairs[:, 1].copy()),
            sources=_filled(Sources, self._sources, place),
            lines=_filled(Lines, self._lines, place),
            transformers=_filled(Transformers, self._transformers, place, _filled(Windings, self._windings, place)),
            devices=_filled(Devices, self._devices, place),
            capacitors=_filled(Capacitors, self._capacitors, place),
            shunts=_filled(Shunts, self._shunts, place),
            regulators=_filled(Regulators, self._regulators, place),
            capacitor_controls=_filled(CapacitorControls, self._capacitor_controls, place),
            left_out=tuple(self.left_out),
        )


_TYPES: dict[str, Any] = {
    "Names": np.str_,
    "Floats": np.float64,
    "Complex": np.complex128,
    "Ints": np.int64,
    "Bools": np.bool_,
}
_NODE_COLUMNS = {"from_node", "to_node", "node", "circuit_from", "circuit_to"}


def _filled(kind: type[Any], table: _Table, place: npt.NDArray[np.int64], windings: Windings | None = None) -> Any:
    """The table as a `kind`, whose annotations say the columns' types."""
    values: dict[str, Any] = {}
    for name, annotation in kind.__annotations__.items():
        if name == "names":
            values[name] = table.names()
        elif name == "windings":
            values[name] = windings
        elif name.endswith("_at"):
            values[name] = table.at(name)
        elif name in _NODE_COLUMNS:
            values[name] = place[table.column(name, np.int64)]
        elif name in ("remote_from", "remote_to"):  # of regulators: -2 where the control watches its own winding
            nodes = table.column(name, np.int64)
            values[name] = np.where(nodes < GROUND, nodes, place[np.maximum(nodes, GROUND)])
        elif name == "kinds":
            values[name] = table.column("kind", np.str_)
        else:
            values[name] = table.column(name, _TYPES[annotation])
    if kind is Devices:
        values["zip_"] = values["zip_"].reshape(-1, 7)
    return kind(**values)
