"""Conservation by voltage reduction: loads that draw less at a lower voltage (conservation factor: percent for each percent)."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow, gain, switch
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """How much less loads draw."""

    counted: bool = parameter(False, **switch("whether the effect of voltage on use, which is not simulated, counts"))
    factor: float = parameter(
        0.4,
        info="percent of energy saved for each percent of voltage",
        unit="1",
        low=0.0,
        high=2.0,
        likely=(0.2, 0.7),
        source="0.4 of Australian homes (Ellens, Berry and West 2012, CSIRO, abstract); the upper end is that of the Pacific Northwest, "
        "0.69 (NEEA 2007, source not read)",
    )
    reduction_pct: float = parameter(
        2.0,
        info="how far meters' readings let the voltage be lowered beyond what the run did",
        unit="%",
        low=0.0,
        high=10.0,
        likely=(0.0, 4.0),
        source="assumption: the lower half of the band saves 1 to 3 % of energy (Metering International, December 2007, on NEEA's study)",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """The run's own change of mean voltage and the further reduction, at the wholesale price."""
    before, after = observed.conventional.voltage_pu, observed.smart.voltage_pu
    run_pct = 100.0 * (before - after) if before is not None and after is not None else 0.0
    saved_mwh = values.factor * (run_pct + values.reduction_pct) / 100.0 * observed.conventional.consumed_mwh
    return [gain("energy at lower voltage", Domain.CUSTOMERS, saved_mwh * observed.price_eur_per_mwh)]


BENEFIT = Benefit(
    "voltage_reduction",
    "conservation by voltage reduction",
    Parameters,
    flows,
    not_simulated="a run's loads draw the same power at any voltage",
)
