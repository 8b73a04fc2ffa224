"""The circuit elements of an OpenDSS engine, as it holds them after a script: terminals, properties, primitive admittances."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from heptagrid.importers.opendss.script import engine_errors
from heptagrid.world.circuit.circuit import GROUND, Bools, Buses, Complex, Ints, Nodes

SNAPSHOT = 0
# Of a capacitor without one the engine reports memory that it never set, which need not even be numbers.
NOT_A_NUMBER = re.compile(r"(?<=[\[,])\s*[+-]?(?:nan|inf)\b", re.IGNORECASE)
CMATRIX = re.compile(r'(?<="CMatrix":)\[\[.*?\]\]')


_NUMBERS = frozenset(
    {
        *("amps", "angle", "basefreq", "basekv", "frequency", "pu", "z0", "z1"),
        *("irradiance", "kva", "kv", "kvar", "kvarmax", "kvarmaxabs", "kw", "pctpmpp", "pf", "pmpp", "temperature"),
        *("cvrvars", "cvrwatts", "vlowpu", "vmaxpu", "vminpu", "zipv"),
        *("cuf", "kvas", "kvs", "length", "normamps", "rneut", "taps", "xhl", "xneut"),
        *(
            "band",
            "ctprim",
            "ctratio",
            "deadtime",
            "delay",
            "delayoff",
            "ptratio",
            "r",
            "vlimit",
            "vmax",
            "vmin",
            "vreg",
            "x",
        ),
    }
)
"""Properties that are read as numbers or lists of them; an element that has one has a value for it."""

_OF_A_LOAD = frozenset({"kva", "kvar", "kw", "pf"})


@dataclass(frozen=True)
class Element:
    """One enabled circuit element.

    nodes: (terminals, conductors), GROUND where grounded. closed: (terminals, conductors). y_s: (n, n) primitive admittance of the terminals'
    conductors, as if all were closed. properties: as the engine reports them, keys in lower case. counts_as_loss: whether the power that it
    draws is among the circuit's losses: that of what delivers power from bus to bus.
    """

    kind: str
    name: str
    nodes: Ints
    closed: Bools
    y_s: Complex
    properties: dict[str, Any]
    counts_as_loss: bool

    @property
    def full_name(self) -> str:
        return f"{self.kind}.{self.name}"

    @property
    def no_numbers(self) -> list[str]:
        """The properties that need a number and have none: the engine reports nothing where a script says `nan`, or makes one.

        What a load draws is read off its admittance, and told with the circuit's other figures.
        """
        needed = _NUMBERS - _OF_A_LOAD if self.kind == "load" else _NUMBERS
        values = ((key, value) for key, value in self.properties.items() if key in needed)
        return [key for key, value in values if value is None or (isinstance(value, list) and None in value)]

    @property
    def phases(self) -> int:
        return int(self.properties["phases"])

    @property
    def is_series(self) -> bool:
        """Whether the primitive admittance is that of one admittance matrix between two terminals."""
        n = self.nodes.shape[1]
        if len(self.nodes) != 2:
            return False
        scale = 1e-9 * np.abs(self.y_s).max(initial=0.0)
        y = self.y_s[:n, :n]
        others = (self.y_s[n:, n:], -self.y_s[:n, n:], -self.y_s[n:, :n])
        return all(bool(np.abs(other - y).max(initial=0.0) <= scale) for other in others)


def snapshot(engine: Any) -> None:
    """Put the engine into the mode of one snapshot at the fundamental frequency, all admittances calculated anew."""
    circuit = engine.ActiveCircuit
    solution = circuit.Solution
    if solution.Mode != SNAPSHOT:
        solution.Mode = SNAPSHOT
    solution.InitSnap()  # tells generators and storages the level of load by which they are dispatched
    engine.Text.Command = "BuildY"
    solution.BuildYMatrix(0, True)


def read_elements(engine: Any) -> list[Element]:
    """All enabled elements, in the engine's order.

    Open conductors are closed for a moment, so that what they open is seen whole.
    """
    circuit = engine.ActiveCircuit
    opened = list(_opened(circuit))
    for name, terminal, conductor in opened:
        circuit.SetActiveElement(name)
        circuit.ActiveCktElement.Close(terminal, conductor)
    if opened:
        snapshot(engine)
    properties = properties_of(engine, {name.split(".", 1)[0] for name in circuit.AllElementNames})
    losing = set(_series(circuit.PDElements))
    elements = {}
    for full_name in circuit.AllElementNames:
        circuit.SetActiveElement(full_name)
        active = circuit.ActiveCktElement
        if not active.Enabled:
            continue
        kind, name = full_name.split(".", 1)
        terminals, conductors = active.NumTerminals, active.NumConductors
        nodes = _nodes(active, terminals * conductors)
        elements[full_name] = Element(
            kind=kind.lower(),
            name=name,
            nodes=nodes.reshape(terminals, conductors),
            closed=np.ones((terminals, conductors), dtype=bool),
            y_s=_admittance(active, terminals * conductors),
            properties=properties[kind.lower()][name.lower()],
            counts_as_loss=full_name.lower() in losing,
        )
    for name, terminal, conductor in opened:
        circuit.SetActiveElement(name)
        circuit.ActiveCktElement.Open(terminal, conductor)
        elements[name].closed[terminal - 1, conductor - 1] = False
    return list(elements.values())


def _nodes(active: Any, count: int) -> Ints:
    """The engine's nodes of an element's conductors; all ground where a control has none."""
    try:
        nodes = np.array(active.NodeRef, dtype=np.int64)[:count] - 1
    except engine_errors():
        return np.full(count, GROUND, dtype=np.int64)
    return np.asarray(np.where(nodes < 0, GROUND, nodes), dtype=np.int64)


def _admittance(active: Any, order: int) -> Complex:
    """(order, order) the engine's primitive admittance of an element; zero where it has none."""
    try:
        values = np.asarray(active.Yprim, dtype=np.float64)
    except engine_errors():
        values = np.empty(0)
    if len(values) != 2 * order * order:
        return np.zeros((order, order), dtype=np.complex128)
    return np.asarray((values[0::2] + 1j * values[1::2]).reshape(order, order).T, dtype=np.complex128)


def _opened(circuit: Any) -> Iterator[tuple[str, int, int]]:
    for name in circuit.AllElementNames:
        circuit.SetActiveElement(name)
        active = circuit.ActiveCktElement
        if not active.Enabled:
            continue
        for terminal in range(1, active.NumTerminals + 1):
            if active.IsOpen(terminal, 0):
                for conductor in range(1, active.NumConductors + 1):
                    if active.IsOpen(terminal, conductor):
                        yield name, terminal, conductor


def _series(delivery: Any) -> Iterator[str]:
    """The names of the power delivery elements that are no shunts."""
    follows = delivery.First
    while follows:
        if not delivery.IsShunt:
            yield str(delivery.Name).lower()
        follows = delivery.Next


def properties_of(engine: Any, kinds: set[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """All properties of all elements of some kinds, by kind and name in lower case.

    Capacitor controls have one more, `given`: which of them the script gave, in its order. Raises UnreadableError if a property cannot be read.
    """
    from dss import DSSJSONFlags

    found: dict[str, dict[str, dict[str, Any]]] = {}
    for kind in kinds:
        engine.SetActiveClass(kind)
        text = engine.ActiveClass.ToJSON(DSSJSONFlags.Full)
        rows = _rows(kind.lower(), CMATRIX.sub("[]", text) if kind.lower() == "capacitor" else text)
        found[kind.lower()] = {
            str(row["Name"]).lower(): {key.lower(): value for key, value in row.items()} for row in rows
        }
        if kind.lower() == "capcontrol":
            for row in json.loads(engine.ActiveClass.ToJSON(0)):
                found["capcontrol"][str(row["Name"]).lower()]["given"] = [key.lower() for key in row]
    return found


class UnreadableError(ValueError):
    """OpenDSS's account of elements cannot be read; `violations` names them."""

    def __init__(self, violations: list[str]) -> None:
        self.violations = violations
        super().__init__("; ".join(violations))


class GarbledError(UnreadableError):
    """OpenDSS's account of elements is none, which it may be the next time."""


def _rows(kind: str, text: str) -> list[dict[str, Any]]:
    """The elements in OpenDSS's account of a kind, which is no JSON where an array holds what is not a number."""
    try:
        rows: list[dict[str, Any]] = json.loads(text)
    except json.JSONDecodeError:
        pass
    else:
        return rows
    try:
        rows = json.loads(NOT_A_NUMBER.sub("NaN", text))
    except json.JSONDecodeError as problem:
        named = re.findall(r'"Name":"(.*?)"', text[: problem.pos]) or ["?"]
        near = text[max(problem.pos - 40, 0) : problem.pos + 20]
        raise GarbledError([f"{kind}.{named[-1]}: OpenDSS's account of it cannot be read: ...{near}..."]) from None
    raise UnreadableError(
        [
            f"{kind}.{row['Name']}: its property {key} holds what is not a number"
            for row in rows
            for key, value in row.items()
            if isinstance(value, list) and "NaN" in json.dumps(value)
        ]
    )


def read_buses(engine: Any) -> tuple[Buses, Nodes, Ints]:
    """Buses and nodes, bus by bus, and the position of each of the engine's nodes among them."""
    circuit = engine.ActiveCircuit
    position_of = {name.lower(): k for k, name in enumerate(circuit.YNodeOrder)}
    names, v_base_kv, x, y, node_at, bus_of, number, theirs = [], [], [], [], [0], [], [], []
    for k in range(circuit.NumBuses):
        bus = circuit.Buses(k)
        for node in bus.Nodes:
            bus_of.append(k)
            number.append(int(node))
            theirs.append(position_of[f"{bus.Name.lower()}.{node}"])
        node_at.append(len(bus_of))
        names.append(bus.Name)
        v_base_kv.append(bus.kVBase)
        x.append(bus.x if bus.Coorddefined else np.nan)
        y.append(bus.y if bus.Coorddefined else np.nan)
    ours = np.empty(len(theirs), dtype=np.int64)
    ours[theirs] = np.arange(len(theirs))
    buses = Buses(np.array(names, dtype=str), np.array(v_base_kv), np.array(node_at), np.array(x), np.array(y))
    return buses, Nodes(np.array(bus_of, dtype=np.int64), np.array(number, dtype=np.int64)), ours
