"""heptagrid: a whole smart grid, power, messages and money under one clock.

import heptagrid
run = heptagrid.run("town", days=1)
run.summary["difference"]["primary_peak_kw"], run.totals
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heptagrid.foundation.errors import HeptagridError
    from heptagrid.recording.results import Run, open_run
    from heptagrid.scale.compare import compare
    from heptagrid.scale.run import resume, run
    from heptagrid.scale.sweep import sweep
    from heptagrid.scenario.load import load
    from heptagrid.scenario.schema import Scenario
    from heptagrid.simulation.simulation import Simulation
    from heptagrid.studies.bill.api import bill
    from heptagrid.studies.carry.api import carry
    from heptagrid.studies.clear.api import clear
    from heptagrid.studies.flow.api import flow, inspect
    from heptagrid.studies.plan.api import plan

_WHERE = {
    "run": "heptagrid.scale.run",
    "resume": "heptagrid.scale.run",
    "open_run": "heptagrid.recording.results",
    "Run": "heptagrid.recording.results",
    "Simulation": "heptagrid.simulation.simulation",
    "flow": "heptagrid.studies.flow.api",
    "inspect": "heptagrid.studies.flow.api",
    "carry": "heptagrid.studies.carry.api",
    "plan": "heptagrid.studies.plan.api",
    "clear": "heptagrid.studies.clear.api",
    "bill": "heptagrid.studies.bill.api",
    "sweep": "heptagrid.scale.sweep",
    "compare": "heptagrid.scale.compare",
    "load": "heptagrid.scenario.load",
    "Scenario": "heptagrid.scenario.schema",
    "HeptagridError": "heptagrid.foundation.errors",
}

__all__ = [
    "HeptagridError",
    "Run",
    "Scenario",
    "Simulation",
    "bill",
    "carry",
    "clear",
    "compare",
    "flow",
    "inspect",
    "load",
    "open_run",
    "plan",
    "resume",
    "run",
    "sweep",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use, so that importing heptagrid costs nothing."""
    if name not in _WHERE:
        raise AttributeError(f"module 'heptagrid' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
