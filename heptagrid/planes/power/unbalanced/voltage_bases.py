"""Whether a circuit's base and rated voltages fit: a base that does not fit what stands at its bus, or a rating that does not fit the voltage
there, makes every per-unit figure of it misleading."""

from __future__ import annotations

import numpy as np

from heptagrid.planes.power.unbalanced.conductors import Conductors
from heptagrid.world.circuit.circuit import GROUND, Circuit, Floats, Ints

FACTOR = 1.5
"""A rated voltage within this factor of a bus's base voltage fits it: assumption; neighbouring levels of a grid are farther apart, but for 120/208/240 V."""
_SHOWN = 5


def misfits(circuit: Circuit, conductors: Conductors) -> list[str]:
    """A line for the energised buses whose base voltage is far from what a source or a winding there is rated for."""
    bus, least, most, rated = _rated(circuit)
    base_kv = circuit.buses.v_base_kv[bus]
    lives = np.isin(
        bus, circuit.nodes.bus[~conductors.is_dead]
    )  # where nothing is, OpenDSS cannot tell which base fits
    wrong = lives & ((base_kv > most * FACTOR) | (base_kv < least / FACTOR))
    if not wrong.any():
        return []
    found: dict[int, str] = {}
    for k in np.flatnonzero(wrong).tolist():
        found.setdefault(
            int(bus[k]),
            f"{circuit.buses.names[bus[k]]} ({np.sqrt(3.0) * base_kv[k]:.4g} kV beside {rated[k]})",
        )
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return [
        f"base voltages do not fit what stands at bus{'es' if len(found) > 1 else ''} {', '.join(list(found.values())[:_SHOWN])}{more}: voltages in pu "
        "mislead there and at buses that lines join to them; list every level in Set VoltageBases, or use SetkVBase"
    ]


def misrated(circuit: Circuit, conductors: Conductors) -> list[str]:
    """A line for the devices whose rated voltage is far from that across them when nothing is drawn."""
    devices = circuit.devices
    if not len(devices.names):
        return []
    offered_v = np.maximum.reduceat(conductors.idle_across_v(devices), devices.circuit_at[:-1])
    with np.errstate(invalid="ignore"):  # of what is not known
        wrong = (devices.v_rated_v > offered_v * FACTOR) | (devices.v_rated_v < offered_v / FACTOR)
    rows = np.flatnonzero(wrong & (offered_v > 0.0) & (conductors.served_share(devices) > 0.0))
    if not len(rows):
        return []
    found = [
        f"{devices.names[k]} ({devices.v_rated_v[k] / 1000.0:.4g} kV where there are {offered_v[k] / 1000.0:.4g} kV)"
        for k in rows[:_SHOWN].tolist()
    ]
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return [
        f"rated voltages do not fit those across {', '.join(found)}{more}: voltages in shares of them mislead; correct their kv, or the phases that "
        "they are connected to"
    ]


def _rated(circuit: Circuit) -> tuple[Ints, Floats, Floats, list[str]]:
    """Of every source and winding its bus, the least and the greatest base voltage (kV to neutral) that it may be rated for, and what it is called and rated for."""
    windings, transformers, sources = circuit.transformers.windings, circuit.transformers, circuit.sources
    node = windings.node[windings.conductor_at[:-1]]
    unit = np.repeat(np.arange(len(transformers.names)), np.diff(transformers.winding_at))
    # A single-phase winding may go from a phase to the neutral, to another phase, or across both of a split phase.
    is_single = transformers.phases[unit] == 1
    most = np.where(is_single, windings.kv, windings.kv / np.sqrt(3.0))
    least = np.where(is_single, windings.kv / 2.0, most)
    first = sources.node_at[:-1]
    emf_kv = np.abs(sources.emf_v[first]) / 1000.0
    ends = np.concatenate([node, sources.to_node[first]])
    rated = [np.concatenate([of_windings, emf_kv]) for of_windings in (least, most)]
    words = [f"{transformers.names[k]} of {kv:g} kV" for k, kv in zip(unit.tolist(), windings.kv.tolist(), strict=True)]
    words += [f"{name} of {np.sqrt(3.0) * kv:.4g} kV" for name, kv in zip(sources.names, emf_kv.tolist(), strict=True)]
    there = np.flatnonzero((ends != GROUND) & (rated[1] > 0.0))
    return circuit.nodes.bus[ends[there]], rated[0][there], rated[1][there], [words[k] for k in there.tolist()]
