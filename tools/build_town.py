"""Rebuild the town's data from the `simbench` and `demandlib` packages (development only).

    python tools/build_town.py [heptagrid/scenario/data/town]

Network and profiles are SimBench's semi-urban medium- and low-voltage grid, weather is the German weather
service's test reference year of region 3. The files come out the same, byte by byte, every time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

CODE = "1-MVLV-semiurb-all-0-sw"
REGION = 3


def main(folder: Path) -> None:
    import simbench

    folder.mkdir(parents=True, exist_ok=True)
    net = simbench.get_simbench_net(CODE)
    table, names = profile_table(net)
    np.save(folder / "profiles.npy", table)
    arrays = grid_arrays(net, names)
    arrays["profile_names"] = np.array(names)
    save_arrays(folder / "grid.npz", arrays)
    np.save(folder / "weather.npy", weather(REGION))


def profile_table(net: Any) -> tuple[np.ndarray, list[str]]:
    """All load and unit profiles rounded to int32 millionths, (quarters, columns), and their names."""
    columns: dict[str, np.ndarray] = {}
    for kind in ("load", "renewables"):
        frame = net.profiles[kind]
        columns |= {name: frame[name].to_numpy(float) for name in frame.columns if name != "time"}
    relative = np.column_stack(list(columns.values()))
    millionths = np.rint(relative * 1e6).astype(np.int32)
    worst = np.abs(millionths * 1e-6 - relative).max()
    assert worst < 5.1e-7, f"a profile is off by {worst}"
    assert len(millionths) == 35136
    return millionths, list(columns)


def grid_arrays(net: Any, names: list[str]) -> dict[str, np.ndarray]:
    """The arrays of `heptagrid.world.grid.Grid`, one per field, named `table_field`."""
    assert net.switch.et.isin(["b", "l", "t"]).all()
    assert net.switch.closed[net.switch.et == "t"].all(), "an open transformer switch is not expected"
    for table in ("bus", "line", "load", "sgen", "trafo"):
        assert net[table].in_service.all(), f"a {table} out of service is not expected"
    position = {bus: k for k, bus in enumerate(net.bus.index)}
    column = {name: k for k, name in enumerate(names)}
    bus = net.bus
    points = [json.loads(text)["coordinates"] for text in bus.geo]
    line, trafo, load, unit = net.line, net.trafo, net.load, net.sgen
    couplings = net.switch[net.switch.et == "b"]
    closed = closed_ends(net)
    assert (line.parallel == 1).all() and (trafo.parallel == 1).all() and (trafo.tap_side == "hv").all()
    assert (line.df == 1).all() and (load.get("scaling", 1.0) == 1.0).all() and (unit.get("scaling", 1.0) == 1.0).all()
    controlled = trafo.autoTap.to_numpy(int) == 1
    assert (trafo.autoTapSide[controlled] == "lv").all()

    def at(buses: Any) -> np.ndarray:
        return np.array([position[one] for one in buses], dtype=np.int64)

    return {
        "buses_names": bus.name.to_numpy(str),
        "buses_vn_kv": bus.vn_kv.to_numpy(float),
        "buses_longitude_deg": np.array([point[0] for point in points]),
        "buses_latitude_deg": np.array([point[1] for point in points]),
        "lines_names": line.name.to_numpy(str),
        "lines_from_bus": at(line.from_bus),
        "lines_to_bus": at(line.to_bus),
        "lines_from_closed": closed[:, 0],
        "lines_to_closed": closed[:, 1],
        "lines_r_ohm": (line.r_ohm_per_km * line.length_km).to_numpy(float),
        "lines_x_ohm": (line.x_ohm_per_km * line.length_km).to_numpy(float),
        "lines_c_nf": (line.c_nf_per_km * line.length_km).to_numpy(float),
        "lines_g_us": (line.g_us_per_km * line.length_km).to_numpy(float),
        "lines_max_i_ka": line.max_i_ka.to_numpy(float),
        "lines_length_km": line.length_km.to_numpy(float),
        "transformers_names": trafo.name.to_numpy(str),
        "transformers_hv_bus": at(trafo.hv_bus),
        "transformers_lv_bus": at(trafo.lv_bus),
        **{
            f"transformers_{field}": trafo[field].to_numpy(float)
            for field in ("sn_mva", "vn_hv_kv", "vn_lv_kv", "vk_percent", "vkr_percent", "pfe_kw", "i0_percent")
        },
        **{
            f"transformers_{field}": trafo[field].to_numpy(np.int64)
            for field in ("tap_neutral", "tap_min", "tap_max", "tap_pos")
        },
        "transformers_tap_step_percent": trafo.tap_step_percent.to_numpy(float),
        "transformers_has_controller": controlled,
        "transformers_controller_v_pu": np.where(controlled, trafo.autoTapSetp.to_numpy(float), np.nan),
        "switches_from_bus": at(couplings.bus),
        "switches_to_bus": at(couplings.element),
        "switches_closed": couplings.closed.to_numpy(bool),
        "loads_names": load.name.to_numpy(str),
        "loads_bus": at(load.bus),
        "loads_p_kw": load.p_mw.to_numpy(float) * 1000.0,
        "loads_q_kvar": load.q_mvar.to_numpy(float) * 1000.0,
        "loads_p_profile": np.array([column[f"{name}_pload"] for name in load.profile]),
        "loads_q_profile": np.array([column[f"{name}_qload"] for name in load.profile]),
        "loads_profile_names": load.profile.to_numpy(str),
        "units_names": unit.name.to_numpy(str),
        "units_bus": at(unit.bus),
        "units_p_kw": unit.p_mw.to_numpy(float) * 1000.0,
        "units_q_kvar": unit.q_mvar.to_numpy(float) * 1000.0,
        "units_profile": np.array([column[name] for name in unit.profile]),
        "units_kinds": unit.type.to_numpy(str),
        "infeed_bus": np.array(position[net.ext_grid.bus.iloc[0]]),
        "infeed_v_pu": np.array(float(net.ext_grid.vm_pu.iloc[0])),
    }


def closed_ends(net: Any) -> np.ndarray:
    """Whether the (from, to) end of each line is connected, (lines, 2)."""
    position = {line: k for k, line in enumerate(net.line.index)}
    closed = np.ones((len(net.line), 2), dtype=bool)
    open_ones = net.switch[(net.switch.et == "l") & ~net.switch.closed]
    for bus, line in zip(open_ones.bus, open_ones.element, strict=True):
        end = 0 if net.line.from_bus[line] == bus else 1
        closed[position[line], end] = False
    return closed


def weather(region: int) -> np.ndarray:
    """Hourly outdoor temperature (C) and global horizontal radiation (W/m2), (8760, 2) float32.

    Hour 1 of the file is the mean over 00:00 to 01:00 Central European Time, without daylight saving.
    """
    import demandlib

    path = next(Path(demandlib.__file__).parent.rglob(f"TRY2010_{region:02d}_Jahr.dat"))
    rows = [line.split() for line in path.read_text(encoding="latin-1").splitlines()]
    start = next(k for k, row in enumerate(rows) if row and row[0] == "***") + 1
    header = next(row for row in rows if row[:2] == ["RG", "IS"])
    data = [row for row in rows[start:] if row]
    assert len(data) == 8760
    t, beam, diffuse = header.index("t"), header.index("B"), header.index("D")
    values = [[float(row[t]), float(row[beam]) + float(row[diffuse])] for row in data]
    return np.array(values, dtype=np.float32)


def save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """An uncompressed .npz whose bytes depend on the arrays alone (fixed dates inside)."""
    import io
    import zipfile

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asarray(values), allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), buffer.getvalue(), zipfile.ZIP_DEFLATED
            )


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "heptagrid/scenario/data/town"))
