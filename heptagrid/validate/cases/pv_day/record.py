"""Makes the day with photovoltaics and records OpenDSS's answers to it.

python heptagrid/validate/cases/pv_day/record.py
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from heptagrid.importers.circuit_file import write_circuit
from heptagrid.importers.importer import Reading
from heptagrid.importers.opendss import read
from heptagrid.validate.power_inverters import (
    BARE,
    DAYS,
    FOLDER,
    MINUTES,
    SCENARIO,
    answer,
    feeder_folder,
    opendss_day,
    scenario,
    write_answer,
)
from heptagrid.world.circuit.circuit import Floats

SEED = 123
PER_LOAD = 1.2  # photovoltaics at a load, of its rated power
TRUNK_BUSES, TRUNK_KW = ("18", "48", "67", "76", "105"), 350.0
LOAD = re.compile(r"(?i)new load\.(\S+)\s+bus1=(\S+)\s+phases=1\s+conn=wye.*?kw=([\d.]+)")


def sun() -> Floats:
    """Clear from six to seven, but for clouds that come and go at random and take three minutes to."""
    rng = np.random.default_rng(SEED)
    hour = np.arange(1, MINUTES + 1) / 60.0
    clear = np.clip(np.sin(np.pi * (hour - 6.0) / 13.0), 0.0, None) ** 1.2 * ((hour > 6.0) & (hour < 19.0))
    cover, at, is_cloudy = np.zeros(MINUTES), 0, False
    while at < MINUTES:
        length = int(rng.exponential(7.0 if is_cloudy else 14.0)) + 2
        cover[at : at + length] = rng.uniform(0.45, 0.8) if is_cloudy else 0.0
        at, is_cloudy = at + length, not is_cloudy
    return np.round(clear * (1.0 - np.convolve(cover, np.ones(3) / 3.0, mode="same")), 4)


def load() -> Floats:
    """A morning and an evening peak, with noise from minute to minute."""
    rng = np.random.default_rng(SEED + 1)
    hour = np.arange(1, MINUTES + 1) / 60.0
    peaks = 0.25 * np.exp(-(((hour - 8.0) / 2.2) ** 2)) + 0.5 * np.exp(-(((hour - 19.2) / 2.6) ** 2))
    return np.round(0.45 + peaks + 0.08 * np.sin(hour) + 0.02 * rng.standard_normal(MINUTES), 4)


def with_photovoltaics(folder: Path) -> Path:
    """The script of the feeder with photovoltaics at full sun."""
    lines = [f"Redirect {BARE}"]
    for line in (folder / "IEEE123Loads.DSS").read_text(encoding="utf-8").splitlines():
        found = LOAD.match(line)
        if found:
            kw = float(found[3]) * PER_LOAD
            lines.append(f"New PVSystem.{found[1]} bus1={found[2]} phases=1 kv=2.4 kva={kw} pmpp={kw}")
            lines.append("~ irradiance=1 %cutin=0 %cutout=0 vminpu=0.8 vmaxpu=1.2")
    for bus in TRUNK_BUSES:
        lines.append(f"New PVSystem.trunk{bus} bus1={bus} phases=3 kv=4.16 kva={TRUNK_KW} pmpp={TRUNK_KW}")
        lines.append("~ irradiance=1 %cutin=0 %cutout=0 vminpu=0.8 vmaxpu=1.2")
    lines += ["Set voltagebases=[4.16 0.48]", "Calcvoltagebases"]
    path = folder / "photovoltaics.dss"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def main() -> None:
    """Write circuit, profiles and answers."""
    np.savez_compressed(SCENARIO, sun=sun(), load=load())
    with feeder_folder() as folder:
        write_circuit(read(str(with_photovoltaics(folder)), Reading(controls=True)), FOLDER / "circuit.npz")
    given = scenario()
    for day in DAYS:
        result = opendss_day(given, day)
        write_answer(day.answers, answer(result))
        moves = np.abs(np.diff(result.taps, axis=0)).sum(axis=0).tolist()
        least, most = result.v_pu.min(), result.v_pu.max()
        print(f"{day.name}: {least:.4f} to {most:.4f} pu, taps moved {moves}, {result.q_kvar.min():.0f} kvar least")


if __name__ == "__main__":
    main()
