"""What meters and communication items of `heptagrid.planes.money.telecom` cost, as flows of whoever pays for them."""

from __future__ import annotations

from collections.abc import Iterable

from heptagrid.planes.money import business, telecom
from heptagrid.planes.money.benefits.benefit import Flow, gain
from heptagrid.planes.money.benefits.observed import Observed


def item_flows(observed: Observed, names: Iterable[str], factor: float = 1.0) -> list[Flow]:
    """What some items cost in the smart arm, less what they cost in the conventional one, times a factor.

    Plain meters count only as far as they would be due (`business.plain_meter_due_share`).
    """
    chosen = frozenset(names)
    flows = []
    for sign, arm in ((-factor, observed.smart), (factor, observed.conventional)):
        once_eur = {one.name: one.amount_eur for one in business.device_investments(arm.stocks, observed.rules)}
        yearly_eur = telecom.opex_eur(arm.stocks, 1.0)
        flows += [
            gain(
                name,
                telecom.ITEMS[name].payer,
                sign * yearly_eur[name],
                sign * once_eur.get(name, 0.0),
                telecom.ITEMS[name].lifetime_years,
            )
            for name in yearly_eur
            if name in chosen
        ]
    return flows
