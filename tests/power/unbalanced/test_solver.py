"""The unbalanced power flow against OpenDSS on small circuits, and its own laws."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.world.circuit.builder import CircuitBuilder, Winding
from heptagrid.world.circuit.circuit import GROUND, Circuit, Connection, Model
from tests.power.unbalanced.opendss import engine

MODELS = {
    Model.CONSTANT_POWER: ({}, ""),
    Model.CONSTANT_IMPEDANCE: ({}, ""),
    Model.MOTOR: ({}, ""),
    Model.EXPONENTIAL: ({"watts_exponent": 0.8, "vars_exponent": 2.5}, "cvrwatts=0.8 cvrvars=2.5"),
    Model.CONSTANT_CURRENT: ({}, ""),
    Model.FIXED_Q: ({}, ""),
    Model.FIXED_X: ({}, ""),
    Model.ZIP: ({"zip_": (0.3, 0.3, 0.4, 0.5, 0.2, 0.3, 0.6)}, "zipv=(0.3 0.3 0.4 0.5 0.2 0.3 0.6)"),
}


def feeder(p_kw: float, model: Model, **more: object) -> Circuit:
    """A line of 3 km, a delta-wye transformer, a wye load and a delta load behind it; see `opendss_feeder`."""
    builder = CircuitBuilder("feeder", 60.0)
    for name, kv in (("source", 7.2), ("a", 7.2), ("low", 0.277)):
        builder.bus(name, kv)
    source, a, low = (builder.nodes(name, 1, 2, 3) for name in ("source", "a", "low"))
    turn = np.exp(-2j * np.pi / 3.0)
    emf = 1.02 * 12470.0 / np.sqrt(3.0) * np.exp(1j * np.deg2rad(10.0)) * turn ** np.arange(3)
    own, mutual = (2.0 * (0.3 + 1.1j) + (0.5 + 2j)) / 3.0, ((0.5 + 2j) - (0.3 + 1.1j)) / 3.0
    builder.source("source", source, emf, (own - mutual) * np.eye(3) + mutual)
    builder.line("l", source, a, 3.0 * ((0.3 + 0.8j) * np.eye(3) + 0.1 + 0.3j))
    builder.transformer(
        *("t", 3),
        [
            Winding(Connection.DELTA, 12.47, 500, a, 0.5),
            Winding(Connection.WYE, 0.48, 500, [*low, GROUND], 0.5, tap_pu=1.025),
        ],
        *([5.0],),
        **{"no_load_loss_percent": 0.2, "magnetizing_percent": 0.6},
    )
    limits = {"v_min_pu": 0.92, "v_max_pu": 1.05, "v_low_pu": 0.5}
    builder.device("w", "load", [(low[0], GROUND)], p_kw, 0.4 * p_kw, 277.0, model, **{**limits, **more})
    delta = [(low[k], low[(k + 1) % 3]) for k in range(3)]
    builder.device("d", "load", delta, p_kw, 0.3 * p_kw, 480.0, model, **{**limits, **more})
    return builder.circuit()


def opendss_feeder(p_kw: float, model: Model, more: str) -> dict[str, complex]:
    common = f"model={int(model)} vminpu=0.92 vmaxpu=1.05 vlowpu=0.5 {more}"
    dss = engine(
        "new line.l bus1=source bus2=a phases=3 length=1 rmatrix=(1.2 | 0.3 1.2 | 0.3 0.3 1.2)"
        " xmatrix=(3.3 | 0.9 3.3 | 0.9 0.9 3.3) cmatrix=(0 | 0 0 | 0 0 0)",
        "new transformer.t phases=3 windings=2 xhl=5 %noloadloss=0.2 %imag=0.6 ppm_antifloat=1"
        " wdg=1 bus=a conn=delta kv=12.47 kva=500 %r=0.5 wdg=2 bus=low conn=wye kv=0.48 kva=500 %r=0.5 tap=1.025",
        f"new load.w bus1=low.1 phases=1 kv=0.277 kw={p_kw} kvar={0.4 * p_kw} {common}",
        f"new load.d bus1=low.1.2.3 phases=3 conn=delta kv=0.48 kw={p_kw} kvar={0.3 * p_kw} {common}",
        "solve",
    )
    flat = np.array(dss.ActiveCircuit.YNodeVarray)
    assert dss.ActiveCircuit.Solution.Converged
    return dict(zip(dss.ActiveCircuit.YNodeOrder, flat[0::2] + 1j * flat[1::2], strict=True))


@pytest.mark.parametrize("p_kw", [5.0, 60.0, 150.0, 600.0, 1100.0])  # above, within, below and far below the limits
@pytest.mark.parametrize("model", MODELS)
def test_every_load_model_agrees_with_opendss_at_any_voltage(model: Model, p_kw: float) -> None:
    ours, theirs = MODELS[model]
    circuit = feeder(p_kw, model, **ours)
    flow = UnbalancedSolver(circuit, tolerance_pu=1e-10).solve()
    expected = opendss_feeder(p_kw, model, theirs)
    for k, (bus, number) in enumerate(zip(circuit.nodes.bus, circuit.nodes.number, strict=True)):
        base_v = 1000.0 * circuit.buses.v_base_kv[bus]
        assert abs(flow.v[k] - expected[f"{circuit.buses.names[bus].upper()}.{number}"]) < 1e-8 * base_v
    assert abs(flow.residual) < 1e-8


def test_a_collapse_is_reported() -> None:
    with pytest.raises(NetworkError, match="collapses"):
        UnbalancedSolver(feeder(4000.0, Model.CONSTANT_POWER, v_min_pu=0.0, v_low_pu=np.nan)).solve()


def test_the_example_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[3] / "docs/power.md").read_text(encoding="utf-8")
    example = re.findall(r"```python\n(.+?)```", page, re.S)[0]
    exec(compile(example, "docs/power.md", "exec"), {})
    assert capsys.readouterr().out.startswith("sweeps [")
