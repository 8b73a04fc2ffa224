"""The auction against GridLAB-D's: 82 scenes of its own tests, with the price and quantity that these assert.

Source: GridLAB-D 5.3, market/autotest (Battelle Memorial Institute; its license allows copies with this notice), bids and asserted results as figures. Left out: special modes with a
fixed side, bids of quantities below zero (which GridLAB-D turns round or drops, and we refuse), and periods in which bids are sent again.

Where our rules differ: GridLAB-D takes the middle of the last accepted bid and offer, and where that would call in another order, a price 0.0001 beside that order's; ours is the middle of all
prices that clear the market. It has a price, 0 traded, where nothing is; ours then has none, and says between which prices there would be one.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from heptagrid.planes.money.markets.double_auction import clear
from tests.clear.test_double_auction import Orders, auction

with (Path(__file__).parent / "gridlabd_scenes.csv").open(encoding="utf-8") as _file:
    SCENES = list(csv.DictReader(_file))
_BESIDE = 2e-4  # GridLAB-D's bid offset


def orders(text: str) -> Orders:
    """Orders written as quantity@price."""
    return [(float(price), float(quantity)) for quantity, _, price in (one.partition("@") for one in text.split())]


@pytest.mark.parametrize("scene", SCENES, ids=[f"{one['file']} {one['time']}" for one in SCENES])
def test_a_scene_clears_as_in_gridlabd(scene: dict[str, str]) -> None:
    found = clear(auction(orders(scene["bids"]), orders(scene["offers"]))).figures
    theirs, ours, low, high = float(scene["price"]), found["price"], found["price_low"], found["price_high"]
    if scene["quantity"]:
        assert found["cleared_quantity"] == pytest.approx(float(scene["quantity"]))
    if scene["relation"] == "same":
        assert ours == pytest.approx(theirs, abs=_BESIDE)
    elif scene["relation"] == "no trade":
        ends = [float(str(one)) for one in (low, high) if one is not None]
        assert ours is None and theirs == pytest.approx(sum(ends) / len(ends), abs=_BESIDE)
    else:
        assert float(str(low)) - _BESIDE <= theirs <= float(str(high)) + _BESIDE
