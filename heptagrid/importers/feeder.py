"""An engineer's own feeder as a town: its customers from the circuit's loads, its places from its coordinates.

Each load becomes a customer with a standard profile, each generator, photovoltaic system or storage a local unit. Drawn
coordinates come to metres by comparing the lines' lengths with how long they are drawn.
"""

from __future__ import annotations

import shutil
from collections import deque
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import NetworkError
from heptagrid.foundation.random import Stream, uniforms
from heptagrid.importers.circuit_file import write_circuit
from heptagrid.importers.extract import read_profiles, write_grid
from heptagrid.importers.network_folder import CIRCUIT_FILE
from heptagrid.world.circuit.circuit import Circuit, bus_edges, bus_of_windings, terminals_of
from heptagrid.world.circuit.tree import circuit_tree
from heptagrid.world.grid import Buses, BusSwitches, Grid, Lines, Loads, Transformers, Units

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Names = npt.NDArray[np.str_]

HOUSEHOLD_KW = 25.0
"""Loads up to this are households, greater ones trade and industry: assumption (a home's connection is 10 to 25 kVA)."""
TYPICAL_OHM_PER_KM = 0.4
"""Reactance of an overhead line, by which a line without a length gets one: assumption."""
COLLECTOR_M = 500.0
"""A transformer within this distance of one with a concentrator gets none of its own: assumption, the reach of a mesh of few hops."""
EARTH_RADIUS_M = 6371000.0
_PROFILE_OCCASION = 17  # of the stream of samples; any number that nobody else uses


def write_town(folder: Path, circuit: Circuit, like: Path, seed: int) -> None:
    """Write a circuit as a scenario's network, with profiles and weather of the folder `like`.

    Raises
    ------
    NetworkError
        As `grid_of`, or if customers hang on buses that nothing joins to the source.
    """
    profiles = read_profiles(like)
    grid = grid_of(circuit, profiles.names, seed)
    circuit_tree(circuit, grid)
    folder.mkdir(parents=True, exist_ok=True)
    write_grid(folder, grid, profiles.names)
    write_circuit(circuit, folder / CIRCUIT_FILE)
    for name in ("profiles.npy", "weather.npy"):
        shutil.copyfile(like / name, folder / name)


def grid_of(circuit: Circuit, profile_names: Names, seed: int) -> Grid:
    """A circuit as a grid with people in it; `profile_names` are the columns of the profiles that customers may follow.

    Raises
    ------
    NetworkError
        If nothing in the circuit draws power.
    """
    loads, units = terminals_of(circuit)
    if not len(loads):
        raise NetworkError(f"circuit {circuit.name!r} has no loads, so it has no customers; add loads to it")
    xy_m = places_m(circuit)
    bus_of_device, buses = _buses(circuit, xy_m)
    transformers = _transformers(circuit)
    return Grid(
        buses=buses,
        lines=_lines(circuit),
        transformers=transformers,
        switches=BusSwitches(_no_rows(), _no_rows(), np.empty(0, dtype=bool)),
        loads=_loads(circuit, loads, bus_of_device[loads], profile_names, seed),
        units=_units(circuit, units, bus_of_device[units], profile_names, seed),
        infeed_bus=int(circuit.nodes.bus[circuit.sources.to_node[0]]),
        infeed_v_pu=source_v_pu(circuit),
        frequency_hz=circuit.frequency_hz,
        stations=_stations(circuit, transformers, bus_of_device[loads], xy_m, buses),
    )


def source_v_pu(circuit: Circuit) -> float:
    """The voltage at which the file holds its first source, on its bus's base."""
    node = int(circuit.sources.to_node[0])
    return float(abs(circuit.sources.emf_v[0]) / (1000.0 * circuit.buses.v_base_kv[circuit.nodes.bus[node]]))


def places_m(circuit: Circuit) -> Floats:
    """Where the buses are, (buses, 2) metres east and north.

    The drawing's unit is the median of lines' lengths over how long they are drawn. A bus without coordinates stands as far from a neighbour
    as the line to it is long, or beside it behind a transformer; without any coordinates the whole feeder is drawn like that.
    """
    drawn = np.column_stack([circuit.buses.x, circuit.buses.y]).astype(np.float64)
    known = np.isfinite(drawn).all(axis=1) & (drawn != 0.0).any(axis=1)
    from_bus, to_bus, line, _ = bus_edges(circuit)
    length_m = np.where(line >= 0, 1000.0 * np.append(_lines(circuit).length_km, 0.0)[line], 0.0)
    both = known[from_bus] & known[to_bus] & (length_m > 0.0)
    apart = np.hypot(*(drawn[from_bus] - drawn[to_bus]).T)
    measured = both & (apart > 0.0)
    xy_m = np.zeros_like(drawn)
    if measured.any():
        unit_m = float(np.median(length_m[measured] / apart[measured]))
        middle = drawn[known].mean(axis=0)
        xy_m[known] = (drawn[known] - middle) * unit_m
    else:
        known[:] = False
    _place_the_rest(xy_m, known, from_bus, to_bus, length_m)
    return xy_m


_GOLDEN = np.pi * (3.0 - np.sqrt(5.0))  # turns from one neighbour to the next, so that few lie on top of each other
_BESIDE_M = 10.0


def _place_the_rest(xy_m: Floats, known: npt.NDArray[np.bool_], from_bus: Ints, to_bus: Ints, length_m: Floats) -> None:
    """Put each bus without a place near a neighbour that has one, outwards from all known ones."""
    near: list[list[tuple[int, float]]] = [[] for _ in known]
    for a, b, far in zip(from_bus.tolist(), to_bus.tolist(), length_m.tolist(), strict=True):
        near[a].append((b, far))
        near[b].append((a, far))
    if not known.any():
        known[0] = True
    waiting = deque(np.flatnonzero(known).tolist())
    turns = 0
    while waiting:
        bus = waiting.popleft()
        for other, far in near[bus]:
            if not known[other]:
                turns += 1
                angle = turns * _GOLDEN
                reach = far if far > 0.0 else _BESIDE_M
                xy_m[other] = xy_m[bus] + reach * np.array([np.cos(angle), np.sin(angle)])
                known[other] = True
                waiting.append(other)


def _buses(circuit: Circuit, xy_m: Floats) -> tuple[Ints, Buses]:
    """The bus of each device, and the circuit's buses, then one more for each set of conductors that devices hang on."""
    devices, nodes = circuit.devices, circuit.nodes
    where: dict[tuple[int, ...], int] = {}
    bus_of_device = np.empty(len(devices.names), dtype=np.int64)
    names = [str(name) for name in circuit.buses.names]
    home = list(range(len(names)))
    for k in range(len(bus_of_device)):
        circuits = slice(devices.circuit_at[k], devices.circuit_at[k + 1])
        touched = np.concatenate([devices.circuit_from[circuits], devices.circuit_to[circuits]])
        key = tuple(sorted({int(node) for node in touched if node >= 0}))
        if key not in where:
            bus = int(nodes.bus[key[0]])
            where[key] = len(names)
            names.append(".".join([str(circuit.buses.names[bus]), *(str(nodes.number[node]) for node in key)]))
            home.append(bus)
        bus_of_device[k] = where[key]
    degrees = np.degrees(
        xy_m[home] / EARTH_RADIUS_M
    )  # about the origin of latitude and longitude, where both are alike
    return bus_of_device, Buses(
        np.array(names), np.sqrt(3.0) * circuit.buses.v_base_kv[home], degrees[:, 0], degrees[:, 1]
    )


def _lines(circuit: Circuit) -> Lines:
    """The circuit's lines as one-line data: mean self minus mean mutual impedance; a length that the file leaves out is guessed."""
    lines, bus = circuit.lines, circuit.nodes.bus
    count = len(lines.names)
    z_ohm, y_s = np.zeros(count, dtype=complex), np.zeros(count, dtype=complex)
    conductors = np.diff(lines.node_at)
    for k in range(count):
        n = int(conductors[k])
        one = slice(lines.matrix_at[k], lines.matrix_at[k + 1])
        for target, matrix in ((z_ohm, lines.z_ohm[one].reshape(n, n)), (y_s, lines.y_s[one].reshape(n, n))):
            own = np.trace(matrix) / n
            target[k] = own - (matrix.sum() - np.trace(matrix)) / (n * (n - 1)) if n > 1 else own
    guessed_km = np.maximum(z_ohm.imag, 0.0) / TYPICAL_OHM_PER_KM
    first, omega = lines.node_at[:-1], 2.0 * np.pi * circuit.frequency_hz
    return Lines(
        names=lines.names,
        from_bus=bus[lines.from_node[first]],
        to_bus=bus[lines.to_node[first]],
        from_closed=np.logical_or.reduceat(lines.from_closed, first) if count else np.empty(0, dtype=bool),
        to_closed=np.logical_or.reduceat(lines.to_closed, first) if count else np.empty(0, dtype=bool),
        r_ohm=z_ohm.real,
        x_ohm=z_ohm.imag,
        c_nf=y_s.imag / omega * 1e9,
        g_us=y_s.real * 1e6,
        max_i_ka=np.where(np.isfinite(lines.rated_a) & (lines.rated_a > 0.0), lines.rated_a, np.inf) / 1000.0,
        length_km=np.where(lines.length_km > 0.0, lines.length_km, np.where(lines.is_switch, 0.0, guessed_km)),
    )


def _transformers(circuit: Circuit) -> Transformers:
    """The circuit's transformers as one-line data, from their first to their second winding."""
    units, windings, at = circuit.transformers, circuit.transformers.windings, bus_of_windings(circuit)
    first = units.winding_at[:-1]
    second = first + 1
    count = len(units.names)
    line_to_line = np.where(units.phases == 1, np.sqrt(3.0), 1.0)
    r_percent = windings.r_percent[first] + windings.r_percent[second]
    x_percent = units.x_percent[units.x_at[:-1]]
    steps = windings.tap_steps[second]
    width = np.where(steps > 0, (windings.tap_max_pu - windings.tap_min_pu)[second] / np.maximum(steps, 1), 0.0)
    return Transformers(
        names=units.names,
        hv_bus=at[first],
        lv_bus=at[second],
        sn_mva=units.rated_kva / 1000.0,
        vn_hv_kv=windings.kv[first] * line_to_line,
        vn_lv_kv=windings.kv[second] * line_to_line,
        vk_percent=np.hypot(r_percent, x_percent),
        vkr_percent=r_percent,
        pfe_kw=units.no_load_loss_percent / 100.0 * units.rated_kva,
        i0_percent=np.hypot(units.no_load_loss_percent, units.magnetizing_percent),
        tap_neutral=np.zeros(count, dtype=np.int64),
        tap_min=-(steps // 2),
        tap_max=steps // 2,
        tap_pos=np.rint((windings.tap_pu[second] - 1.0) / np.where(width > 0.0, width, 1.0)).astype(np.int64),
        tap_step_percent=100.0 * width,
        has_controller=np.isin(np.arange(count), circuit.regulators.transformer),
        controller_v_pu=np.full(count, np.nan),
    )


def _loads(circuit: Circuit, rows: Ints, bus: Ints, profile_names: Names, seed: int) -> Loads:
    """Customers: households up to `HOUSEHOLD_KW`, trade beyond; reactive power follows the active."""
    devices = circuit.devices
    drawn = np.asarray(uniforms(seed, int(Stream.SAMPLE), rows, _PROFILE_OCCASION))
    is_home = np.abs(devices.p_kw[rows]) <= HOUSEHOLD_KW
    homes, trade = (_columns(profile_names, first) for first in ("H0", "G"))
    profile = np.where(is_home, homes[(drawn * len(homes)).astype(int)], trade[(drawn * len(trade)).astype(int)])
    return Loads(
        names=devices.names[rows],
        bus=bus,
        p_kw=devices.p_kw[rows],
        q_kvar=devices.q_kvar[rows],
        p_profile=profile,
        q_profile=profile,
        profile_names=np.array([str(name).removesuffix("_pload") for name in profile_names[profile]]),
    )


def _columns(profile_names: Names, first: str) -> Ints:
    return np.flatnonzero(np.char.startswith(profile_names, first) & np.char.endswith(profile_names, "_pload"))


def _units(circuit: Circuit, rows: Ints, bus: Ints, profile_names: Names, seed: int) -> Units:
    """Local units; panels follow the sun, generators and loads that feed in a plant that runs on biomass.

    Panels have their rating, since the day brings the sun; others what they feed in the file's snapshot, or their rating where that is nothing.
    """
    devices = circuit.devices
    is_sun = devices.kinds[rows] == "pvsystem"
    p_kw = np.abs(devices.p_kw[rows])
    if len(circuit.rated_feed_kw):
        p_kw = np.where(is_sun | (p_kw == 0.0), circuit.rated_feed_kw[rows], p_kw)
    sun = np.flatnonzero(np.char.startswith(profile_names, "PV"))
    steady = np.flatnonzero(np.char.startswith(profile_names, "BM"))[0]
    drawn = np.asarray(uniforms(seed, int(Stream.SAMPLE), rows, _PROFILE_OCCASION))
    return Units(
        names=devices.names[rows],
        bus=bus,
        p_kw=p_kw,
        q_kvar=np.zeros(len(rows)),
        profile=np.where(is_sun, sun[(drawn * len(sun)).astype(int)], steady),
        kinds=np.where(is_sun, "PV", "biomass"),
    )


def _stations(circuit: Circuit, transformers: Transformers, load_bus: Ints, xy_m: Floats, buses: Buses) -> Ints:
    """Transformers where a concentrator stands and measures.

    Those that change the voltage, from the one with most customers near it to the one with fewest, each that has none within `COLLECTOR_M`.
    """
    ratio = transformers.vn_hv_kv / transformers.vn_lv_kv
    local = np.flatnonzero((np.abs(ratio - 1.0) > 0.02) & (transformers.lv_bus >= 0))
    if not len(local):
        local = np.flatnonzero(transformers.lv_bus >= 0)
    if not len(local):
        raise NetworkError(
            f"circuit {circuit.name!r} has no transformer, so there is no substation to put a concentrator at; "
            "add the transformer that feeds it"
        )
    from scipy.spatial import cKDTree

    place = xy_m[transformers.lv_bus[local]]
    customer_m = EARTH_RADIUS_M * np.radians(
        np.column_stack([buses.longitude_deg[load_bus], buses.latitude_deg[load_bus]])
    )
    served = np.array([len(near) for near in cKDTree(customer_m).query_ball_point(place, COLLECTOR_M)])
    neighbours = cKDTree(place).query_ball_point(place, COLLECTOR_M)
    chosen: list[int] = []
    is_covered = np.zeros(len(local), dtype=bool)
    for k in np.argsort(-served, kind="stable"):
        if not is_covered[k]:
            chosen.append(int(local[k]))
            is_covered[neighbours[k]] = True
    return np.sort(np.array(chosen, dtype=np.int64))


def _no_rows() -> Ints:
    return np.empty(0, dtype=np.int64)
