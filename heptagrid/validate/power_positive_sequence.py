"""A circuit reduced to its positive sequence, which stands for three equal phases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from heptagrid.studies.flow import api
from heptagrid.studies.flow.snapshot import Totals
from heptagrid.validate.case import DATA, Finding, NotRun, case

FOLDER = DATA / "positive_sequence"
BY_HAND = "one phase of the circuit solved by hand, times three"


@case(
    "positive-sequence",
    plane="power",
    kind="exact",
    source="OpenDSS (dss-python 0.15.7, engine 0.14.5), its own totals, tolerance 1e-9, recorded",
)
def positive_sequence(live: bool) -> Iterator[Finding]:
    """Totals after MakePosSeq: those of three phases, as OpenDSS reports them, and as arithmetic says."""
    if find_spec("dss") is None:
        raise NotRun("totals", 'dss-python is not installed; pip install "heptagrid[networks]"')
    ours = api.flow(str(FOLDER / "feeder.dss")).totals
    recorded = json.loads((FOLDER / "totals.json").read_text())
    yield from _findings(recorded, ours, "")
    yield from _findings(_by_hand(), ours, BY_HAND)


def _findings(expected: dict[str, float], ours: Totals, source: str) -> Iterator[Finding]:
    for name, value in expected.items():
        words, unit = name.rsplit("_", 1)
        title = f"{words.replace('_', ' ')}{', reactive' if unit == 'kvar' else ''}{', by hand' if source else ''}"
        yield Finding(
            title, value, getattr(ours, name), 1e-6, relative=True, unit=unit.replace("kw", "kW"), source=source
        )


def _by_hand() -> dict[str, float]:
    """A third of 900 kW at a power factor of 0.9 and of 300 kvar, behind the source's 0.05 + 0.5j ohm and the line's 0.3 + 0.6j."""
    emf_v = 12470.0 / np.sqrt(3.0)
    load_va = 300e3 * (1.0 + 1j * np.tan(np.arccos(0.9)))
    capacitor_s = 1j * 100e3 / emf_v**2
    v = complex(emf_v)
    for _ in range(100):
        current_a = (load_va / v).conjugate() + capacitor_s * v
        v = emf_v - (0.35 + 1.1j) * current_a
    fed_in = (emf_v - (0.05 + 0.5j) * current_a) * current_a.conjugate() * 3e-3
    lost = (0.3 + 0.6j) * abs(current_a) ** 2 * 3e-3
    return {"fed_in_kw": fed_in.real, "fed_in_kvar": fed_in.imag, "losses_kw": lost.real, "losses_kvar": lost.imag}
