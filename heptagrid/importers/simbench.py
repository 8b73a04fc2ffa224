"""Reads a SimBench grid by its code, such as 1-MV-urban--0-sw, from the data that the package `simbench` carries.

Source: Meinecke and others, SimBench, Energies 13(12), 2020. A grid is a pandapower network; its loads and units stand at their ratings,
and its taps are ratio taps: the type table states dVm, per cent of the voltage a step, which the package's converter leaves without a type.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from heptagrid.foundation.errors import FileError
from heptagrid.importers.importer import Importer, Reading
from heptagrid.importers.pandapower import convert, package, quiet
from heptagrid.importers.pandapower_taps import settle
from heptagrid.world.balanced.network import BalancedNetwork

# Version, voltage levels, kind of grid, lower grids, scenario of the future, whether with all switches.
_CODE = re.compile(r"[01]-[A-Za-z]+(?:_data)?-[\w.]*-[\w.]*-[012]-(?:no_)?sw")


def read(source: str, reading: Reading | None = None) -> BalancedNetwork:
    """The grid with a code.

    Raises
    ------
    FileError
        If there is no such grid; as `heptagrid.importers.pandapower.convert` otherwise.
    MissingPackageError
        If simbench is not installed.
    """
    with quiet():
        simbench = package("a SimBench grid", "simbench")
        codes = simbench.collect_all_simbench_codes()
        if source not in codes:
            near = get_close_matches(source, codes, n=3)
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            raise FileError(source, [f"is not a code of a SimBench grid{meant}"])
        net = with_taps(simbench.get_simbench_net(source))
    return convert(net, source, reading or Reading())


def with_taps(net: Any) -> Any:
    """The network, its taps typed as SimBench's data has them; what remains undecided is told where it is converted."""
    settle(net)
    return net


SIMBENCH = Importer(
    "simbench",
    "SimBench code (such as 1-MV-urban--0-sw)",
    BalancedNetwork,
    claims=lambda source: _CODE.fullmatch(source.strip()) is not None,
    read=read,
)
