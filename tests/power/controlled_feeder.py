"""A feeder that fits in the head: a source, a single-phase regulator, a line, a load and a capacitor at its end."""

from __future__ import annotations

import numpy as np

from heptagrid.world.circuit import circuit as world
from heptagrid.world.circuit import controls

NODES = ("source", "before", "after", "end")
VOLTS = 7200.0


def ints(*values: int) -> world.Ints:
    return np.array(values, dtype=np.int64)


def feeder(
    *,
    load_kw: float = 500.0,
    load_kvar: float = 200.0,
    line_ohm: complex = 3.0 + 6.0j,
    source_pu: float = 1.0,
    capacitor_kvar: tuple[float, ...] = (300.0,),
    is_closed: bool = False,
    regulator: controls.Regulators | None = None,
    capacitor_control: controls.CapacitorControls | None = None,
    inverters: controls.Inverters | None = None,
) -> world.Circuit:
    """Node k belongs to bus k of NODES. Device 0 is the load, device 1 a unit with an inverter, both at the end."""
    windings = world.Windings(
        connection=ints(0, 0),
        kv=np.full(2, VOLTS / 1000.0),
        kva=np.full(2, 2000.0),
        r_percent=np.full(2, 0.01),
        tap_pu=np.ones(2),
        tap_min_pu=np.full(2, 0.9),
        tap_max_pu=np.full(2, 1.1),
        tap_steps=ints(32, 32),
        neutral_ohm=np.zeros(2, dtype=np.complex128),
        conductor_at=ints(0, 2, 4),
        node=ints(1, -1, 2, -1),
    )
    names = np.array
    return world.Circuit(
        name="feeder",
        frequency_hz=60.0,
        buses=world.Buses(
            names(NODES), np.full(4, VOLTS / 1000.0), np.arange(5), np.full(4, np.nan), np.full(4, np.nan)
        ),
        nodes=world.Nodes(np.arange(4), np.ones(4, dtype=np.int64)),
        sources=world.Sources(
            names=names(["infeed"]),
            node_at=ints(0, 1),
            from_node=ints(-1),
            to_node=ints(0),
            emf_v=np.array([source_pu * VOLTS + 0j]),
            matrix_at=ints(0, 1),
            y_s=1.0 / np.array([0.001 + 0.01j]),
        ),
        lines=world.Lines(
            names=names(["near", "far"]),
            node_at=ints(0, 1, 2),
            from_node=ints(0, 2),
            to_node=ints(1, 3),
            matrix_at=ints(0, 1, 2),
            z_ohm=np.array([0.01 + 0.02j, line_ohm]),
            y_s=np.zeros(2, dtype=np.complex128),
            from_closed=np.ones(2, dtype=np.bool_),
            to_closed=np.ones(2, dtype=np.bool_),
            length_km=np.ones(2),
            rated_a=np.full(2, np.nan),
            is_switch=np.zeros(2, dtype=np.bool_),
        ),
        transformers=world.Transformers(
            names=names(["regulator"]),
            phases=ints(1),
            winding_at=ints(0, 2),
            windings=windings,
            x_at=ints(0, 1),
            x_percent=np.array([0.1]),
            no_load_loss_percent=np.zeros(1),
            magnetizing_percent=np.zeros(1),
            is_lead=np.zeros(1, dtype=np.bool_),
            antifloat_ppm=np.ones(1),
            rated_kva=np.full(1, 2000.0),
        ),
        devices=world.Devices(
            names=names(["load", "unit"]),
            kinds=names(["load", "photovoltaics"]),
            p_kw=np.array([load_kw, 0.0]),
            q_kvar=np.array([load_kvar, 0.0]),
            circuit_at=ints(0, 1, 2),
            circuit_from=ints(3, 3),
            circuit_to=ints(-1, -1),
            v_rated_v=np.full(2, VOLTS),
            model=ints(1, 1),
            v_min_pu=np.full(2, 0.5),
            v_max_pu=np.full(2, 1.5),
            v_low_pu=np.full(2, np.nan),
            limited_share=np.ones(2),
            watts_exponent=np.zeros(2),
            vars_exponent=np.zeros(2),
            zip_=np.zeros((2, 7)),
        ),
        capacitors=world.Capacitors(
            names=names(["bank"]),
            circuit_at=ints(0, 1),
            circuit_from=ints(3),
            circuit_to=ints(-1),
            v_rated_v=np.full(1, VOLTS),
            step_at=ints(0, len(capacitor_kvar)),
            step_kvar=np.array(capacitor_kvar),
            is_closed=np.full(len(capacitor_kvar), is_closed),
        ),
        shunts=world.Shunts(
            names(np.empty(0, dtype=str)),
            ints(0),
            ints(),
            ints(0),
            np.empty(0, dtype=np.complex128),
            np.empty(0, dtype=np.bool_),
        ),
        regulators=regulator or regulators(0),
        capacitor_controls=capacitor_control or capacitor_controls(0),
        inverters=inverters or controls.no_inverters(),
    )


def regulators(count: int = 1, **settings: object) -> controls.Regulators:
    """Regulators of the feeder's transformer, 120 V wide 2 V at a ratio of 60, with what is given instead."""
    columns: dict[str, object] = {
        "names": np.array([f"regulator {k}" for k in range(count)], dtype=str),
        **dict.fromkeys(("transformer", "measured_phase"), np.zeros(count, dtype=np.int64)),
        **dict.fromkeys(("winding", "measured_winding"), np.ones(count, dtype=np.int64)),
        **dict.fromkeys(("remote_from", "remote_to"), np.full(count, -2)),
        **dict.fromkeys(("remote_pt_ratio", "pt_ratio"), np.full(count, 60.0)),
        **dict.fromkeys(("v_set", "reverse_v_set"), np.full(count, 120.0)),
        **dict.fromkeys(("band_v", "reverse_band_v"), np.full(count, 2.0)),
        "ct_primary_a": np.full(count, 100.0),
        **dict.fromkeys(("r_v", "x_v", "z_v", "reverse_r_v", "reverse_x_v", "reverse_z_v"), np.zeros(count)),
        "delay_s": np.full(count, 30.0),
        "tap_delay_s": np.full(count, 2.0),
        "max_taps": np.full(count, 16),
        "v_limit": np.full(count, np.nan),
        **dict.fromkeys(
            ("is_inverse_time", "is_reversible", "is_cogeneration", "reverse_is_neutral"),
            np.zeros(count, dtype=np.bool_),
        ),
        "reverse_delay_s": np.full(count, 60.0),
        "reverse_threshold_kw": np.full(count, 100.0),
    }
    return controls.Regulators(**_with(columns, settings))  # type: ignore[arg-type]


def capacitor_controls(count: int = 1, **settings: object) -> controls.CapacitorControls:
    """Controls of the feeder's bank by the voltage at its end, on below 118 V and off above 122 V, with what is given instead."""
    columns: dict[str, object] = {
        "names": np.array([f"switch {k}" for k in range(count)], dtype=str),
        **dict.fromkeys(("capacitor", "pt_phase", "ct_phase"), np.zeros(count, dtype=np.int64)),
        "kind": np.full(count, int(controls.CapacitorControl.VOLTAGE)),
        "monitored_kind": np.full(count, int(controls.Monitored.LINE)),
        **dict.fromkeys(("monitored", "monitored_terminal"), np.ones(count, dtype=np.int64)),
        "on": np.full(count, 118.0),
        "off": np.full(count, 122.0),
        **dict.fromkeys(("pt_ratio", "ct_ratio"), np.full(count, 60.0)),
        **dict.fromkeys(("v_min", "v_max"), np.full(count, np.nan)),
        "override_bus": np.full(count, -1),
        **dict.fromkeys(("delay_on_s", "delay_off_s"), np.full(count, 15.0)),
        "dead_time_s": np.full(count, 300.0),
        "least_kvar_percent": np.full(count, 50.0),
    }
    return controls.CapacitorControls(**_with(columns, settings))  # type: ignore[arg-type]


def _with(columns: dict[str, object], settings: dict[str, object]) -> dict[str, object]:
    return {**columns, **{name: np.array([value]) for name, value in settings.items()}}
