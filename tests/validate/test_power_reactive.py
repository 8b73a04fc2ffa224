"""The functions of customers' inverters against OpenDSS on a published feeder, and what its volt-var does to the highest voltage."""

from __future__ import annotations

import pytest

from heptagrid.validate.power_reactive import FUNCTIONS, Function, ours, recorded

OF = {one.name: one for one in FUNCTIONS}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.name)
def test_voltages_are_those_of_opendss(function: Function) -> None:
    """Recorded with seven digits; cos phi(P) is a curve of points here."""
    assert ours(function) == pytest.approx(recorded()[function.name], abs=1e-6)


def test_volt_var_lowers_the_highest_voltage_by_what_opendss_says() -> None:
    theirs = recorded()
    lowered_pu = ours(OF["unity"]).max() - ours(OF["volt-var-b"]).max()
    assert lowered_pu == pytest.approx(theirs["unity"].max() - theirs["volt-var-b"].max(), abs=1e-6)
    assert lowered_pu > 0.01
