"""A rate: what a customer pays, as data. Its bill is `bill.bill`."""

from __future__ import annotations

from dataclasses import dataclass, field

from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.export import Export
from heptagrid.planes.money.rates.line import Element
from heptagrid.planes.money.rates.minimum import Minimum
from heptagrid.planes.money.rates.no_export import NoExport
from heptagrid.planes.money.rates.taxes import Tax


@dataclass(frozen=True)
class Rate:
    """energy: by the kWh. export: the rule for what is fed in. elements: all other charges, in the order of the bill's lines."""

    energy: Energy
    export: Export = field(default_factory=NoExport)
    elements: tuple[Element, ...] = ()
    minimum: Minimum | None = None
    taxes: tuple[Tax, ...] = ()
    name: str = ""
    currency: str = "USD"
