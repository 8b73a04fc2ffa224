"""The same network for power-grid-model: pi-model transformers, a source that holds its voltage."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from power_grid_model import (
    CalculationMethod,
    ComponentType,
    LoadGenType,
    PowerGridModel,
    WindingType,
    initialize_array,
)

from heptagrid.world.balanced.radial_network import RadialNetwork
from heptagrid.world.grid import Grid

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Peer:
    """power-grid-model on a grid; draws are given at the nodes of our network."""

    def __init__(self, grid: Grid, network: RadialNetwork, taps: Ints, infeed_v_pu: float) -> None:
        buses = len(grid.buses.names)
        self._grid = grid
        node = initialize_array("input", "node", buses)
        node["id"], node["u_rated"] = np.arange(buses), grid.buses.vn_kv * 1e3
        lines = grid.lines
        used = np.flatnonzero(lines.from_closed | lines.to_closed)
        line = initialize_array("input", "line", len(used))
        line["id"] = buses + used
        line["from_node"], line["to_node"] = lines.from_bus[used], lines.to_bus[used]
        line["from_status"], line["to_status"] = lines.from_closed[used], lines.to_closed[used]
        line["r1"], line["x1"] = lines.r_ohm[used], lines.x_ohm[used]
        line["c1"] = lines.c_nf[used] * 1e-9
        line["tan1"] = np.divide(
            lines.g_us[used] * 1e-6,
            2 * np.pi * grid.frequency_hz * line["c1"],
            out=np.zeros(len(used)),
            where=line["c1"] > 0,
        )
        line["i_n"] = 1e3
        first = buses + len(lines.names)
        t = grid.transformers
        trafo = initialize_array("input", "transformer", len(t.names))
        trafo["id"] = first + np.arange(len(t.names))
        trafo["from_node"], trafo["to_node"] = t.hv_bus, t.lv_bus
        trafo["from_status"] = trafo["to_status"] = 1
        trafo["u1"], trafo["u2"], trafo["sn"] = t.vn_hv_kv * 1e3, t.vn_lv_kv * 1e3, t.sn_mva * 1e6
        trafo["uk"], trafo["pk"] = t.vk_percent / 100, t.vkr_percent / 100 * t.sn_mva * 1e6
        trafo["i0"], trafo["p0"] = t.i0_percent / 100, t.pfe_kw * 1e3
        trafo["winding_from"] = trafo["winding_to"] = WindingType.wye_n
        trafo["clock"] = 0
        trafo["tap_side"] = 0
        trafo["tap_pos"], trafo["tap_min"], trafo["tap_max"] = taps, t.tap_min, t.tap_max
        trafo["tap_nom"] = t.tap_neutral
        trafo["tap_size"] = t.tap_step_percent / 100 * t.vn_hv_kv * 1e3
        first += len(t.names)
        couplings = np.flatnonzero(grid.switches.closed)
        link = initialize_array("input", "link", len(couplings))
        link["id"] = first + np.arange(len(couplings))
        link["from_node"], link["to_node"] = grid.switches.from_bus[couplings], grid.switches.to_bus[couplings]
        link["from_status"] = link["to_status"] = 1
        first += len(couplings)
        self._load_nodes = np.flatnonzero(network.bus_of_node >= 0)
        load = initialize_array("input", "sym_load", len(self._load_nodes))
        load["id"] = first + np.arange(len(load))
        load["node"] = network.bus_of_node[self._load_nodes]
        load["status"], load["type"] = 1, LoadGenType.const_power
        load["p_specified"] = load["q_specified"] = 0.0
        source = initialize_array("input", "source", 1)
        source["id"], source["node"], source["status"] = first + len(load), grid.infeed_bus, 1
        source["u_ref"], source["sk"] = infeed_v_pu, 1e20
        self._load_ids = load["id"]
        self._model = PowerGridModel(
            {
                ComponentType.node: node,
                ComponentType.line: line,
                ComponentType.transformer: trafo,
                ComponentType.link: link,
                ComponentType.sym_load: load,
                ComponentType.source: source,
            },
            system_frequency=grid.frequency_hz,
        )

    def solve(
        self, p_kw: Floats, q_kvar: Floats, tolerance: float = 1e-10, threading: int = -1
    ) -> tuple[Floats, Floats]:
        """Voltages (steps, buses) and losses in kW (steps,) for draws at our nodes, (steps, nodes) each."""
        components = [ComponentType.node, ComponentType.source]
        result = self.calculate(self.update(p_kw, q_kvar), tolerance, threading, components)
        losses_kw = result[ComponentType.source]["p"][:, 0] / 1e3 - p_kw[:, self._load_nodes].sum(axis=1)
        return result[ComponentType.node]["u_pu"], losses_kw

    def loading_pct(self, p_kw: Floats, q_kvar: Floats, tolerance: float = 1e-10) -> Floats:
        """Greater of both sides' currents against the rated current of every transformer, (steps, transformers)."""
        transformer = ComponentType.transformer
        result = self.calculate(self.update(p_kw, q_kvar), tolerance, -1, [transformer])[transformer]
        t = self._grid.transformers
        rated_a = t.sn_mva * 1e6 / np.sqrt(3.0) / (t.vn_hv_kv * 1e3), t.sn_mva * 1e6 / np.sqrt(3.0) / (t.vn_lv_kv * 1e3)
        loading: Floats = 100.0 * np.maximum(result["i_from"] / rated_a[0], result["i_to"] / rated_a[1])
        return loading

    def update(self, p_kw: Floats, q_kvar: Floats) -> Any:
        """A batch of draws as the peer takes them."""
        update = initialize_array("update", "sym_load", (len(p_kw), len(self._load_nodes)))
        update["id"] = self._load_ids
        update["p_specified"] = p_kw[:, self._load_nodes] * 1e3
        update["q_specified"] = q_kvar[:, self._load_nodes] * 1e3
        return update

    def calculate(
        self,
        update: Any,
        tolerance: float,
        threading: int,
        components: list[ComponentType],
        method: str = "newton_raphson",
    ) -> Any:
        """The peer's own answer to a batch; threading: -1 for one thread, 0 for all, as the peer counts them."""
        return self._model.calculate_power_flow(
            update_data={ComponentType.sym_load: update},
            calculation_method=CalculationMethod[method],
            error_tolerance=tolerance,
            max_iterations=50,
            threading=threading,
            output_component_types=components,
        )
