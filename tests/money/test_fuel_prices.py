"""The price basis: what is given holds, what is missing or below zero is said, and figures by hand."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.foundation.errors import ScenarioError
from heptagrid.importers.rts import read_bulk
from heptagrid.planes.money.fuel_prices import FUELS, Parameters, basis_of, costs_of
from heptagrid.scenario.load import BULK

OWN = {f"{fuel.replace(' ', '_')}_eur_per_mmbtu": 1.0 for fuel in FUELS} | {"co2_eur_per_t": 0.0}


@pytest.mark.parametrize("key", OWN)
def test_an_own_basis_needs_every_price(key: str) -> None:
    given = {name: price for name, price in OWN.items() if name != key}
    with pytest.raises(ScenarioError, match=rf"fuel_prices\.{key}: the basis 'own' needs it"):
        basis_of(Parameters(basis="own", **given))
    assert basis_of(Parameters(basis="own", **OWN)).co2_eur_per_t == 0.0


@pytest.mark.parametrize("basis", ["eu-2024", "own"])
def test_a_price_below_zero_is_no_price(basis: str) -> None:
    with pytest.raises(ScenarioError, match=r"fuel_prices\.coal_eur_per_mmbtu = -0\.5: write a price from 0 on, or -1"):
        basis_of(Parameters(basis=basis, **OWN | {"coal_eur_per_mmbtu": -0.5}))


def test_prices_of_the_basis_by_hand() -> None:
    """Gas 34.80 EUR/MWh by the higher heating value; coal of 6000 kcal/kg net, 0.955 of the higher value; 1 MWh is 3.412142 million Btu, 1 kcal 4.1868 kJ."""
    prices = basis_of(Parameters()).eur_per_mmbtu
    coal_gj_per_t, gj_per_mmbtu = 6000.0 * 4.1868e-3, 1.055056
    assert prices["gas"] == pytest.approx(34.80 / 3.412142, rel=1e-3)
    assert prices["coal"] == pytest.approx(112.13 / 1.0824 / coal_gj_per_t * gj_per_mmbtu * 0.955, rel=2e-3)
    assert prices["nuclear"] == pytest.approx(6.12 / 3.412142, rel=3e-3)
    assert prices["light oil"] == pytest.approx(735.0 / 1.0824 / 45.6 * gj_per_mmbtu, rel=2e-3)
    assert prices["heavy oil"] == pytest.approx(507.0 / 1.0824 / 42.9 * gj_per_mmbtu, rel=3e-3)


def test_carbon_is_priced_by_what_a_unit_burns() -> None:
    """A combined cycle of 355 MW at full output: 7.057 million Btu a MWh, 53.524 kg each, so 377.7 kg a MWh; at 65 EUR/t 24.55 EUR."""
    units = read_bulk(BULK).units
    p_mw = units.p_max_mw * (units.names == "107_CC_1")
    with_price, without = (
        costs_of(units, Parameters(co2_eur_per_t=one)).per_h(p_mw, units.p_min_mw) for one in (65.0, 0.0)
    )
    assert with_price[1] / p_mw.sum() == pytest.approx(0.3777, rel=1e-3)
    assert (with_price[0] - without[0]) / p_mw.sum() == pytest.approx(24.55, rel=1e-3)
    assert np.isfinite(costs_of(units, Parameters()).block_eur).all()
