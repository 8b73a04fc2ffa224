"""The local market through a whole run: bids, the gate, the price, what devices do, and who pays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from heptagrid import Simulation
from heptagrid.assembly.span import Phase
from heptagrid.contracts import local_market
from heptagrid.foundation.contract import Contract, Delivery, Wave
from heptagrid.foundation.reasons import Reason
from heptagrid.foundation.transport import Listener
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR
from heptagrid.scenario.schema import Scenario
from heptagrid.world.accounts import FIRST_POINT
from heptagrid.world.local_markets import QUANTILES
from tests.local_market.conftest import Street

pytestmark = pytest.mark.long

OAK = 2  # the market of customers 0 to 3


class Heard(Listener):
    """Waves of local markets, each with its first message's index."""

    def __init__(self) -> None:
        self.waves: list[tuple[int, Wave]] = []

    def of(self, contract: Contract[Any], begin_ns: int) -> tuple[int, Wave]:
        """The wave of a contract for an interval."""
        (found,) = [
            (first, one)
            for first, one in self.waves
            if one.contract is contract and one.payload.interval_ns == begin_ns
        ]
        return found

    def sent(self, first: int, wave: Wave) -> None:
        if "local" in wave.topic or wave.topic.startswith("bid."):
            self.waves.append((first, wave))

    def travelled(self, deliveries: list[Delivery], lost: Any) -> None: ...

    def refused(self, wave: Wave, reason: str) -> None: ...


def begun(scenario: Scenario, **more: Any) -> Simulation:
    simulation = Simulation(scenario, "smart", **more)
    simulation.begin()
    return simulation


def test_three_devices_through_the_whole_chain(street: Street) -> None:
    """Three vehicles bid for 15 kW: by hand the most urgent gets its 11 kW, the next the 4 that are left and sets the price, the last nothing; each pays for
    its kWh what that price lies above the grid's, and distribution has the sum."""
    simulation = begun(street("heat_pumps.share=0", "batteries.share=0"))
    world, grid = simulation.world, simulation.grid
    heard = Heard()
    grid.transport.listen(heard)
    vehicles, bidders, market = grid.customers.devices["vehicles"], grid.customers.bidders, grid.local_market
    assert world.local_markets and bidders and market
    timetable = world.local_markets.timetable
    while simulation.phase is not Phase.COUNTED or simulation.recorder.result.steps < 12:
        simulation.step()
    # An hour after midnight all are at home. The next step ends with bids for the interval that begins ten minutes later.
    vehicles.content_kwh[:] = 60.0
    vehicles.content_kwh[:3] = (38.0, 46.0, 53.0)
    quantiles = np.linspace(0.02, 0.06, QUANTILES)
    bidders.start(np.full(4, 0.03), np.full(4, 0.01), np.tile(quantiles, (4, 1)))
    simulation.step()
    step = simulation.last_step
    assert step is not None
    begin_ns = timetable.bids_for(step.end_ns)
    assert begin_ns is not None
    first_bid, bids = heard.of(local_market.bid("vehicles"), begin_ns)
    _, load = heard.of(local_market.LOAD, begin_ns)
    assert bids.source.tolist() == [0, 1, 2]

    need_kwh, leaves_ns = vehicles.charging_need(begin_ns)
    share = need_kwh[:3] / 11.0 / ((leaves_ns[:3] - begin_ns) / 3.6e12)
    by_hand = 0.02 + 0.04 * share
    assert bids.payload.full_eur_per_kwh == pytest.approx(by_hand, rel=1e-9)
    assert by_hand[0] > by_hand[1] > by_hand[2] > 0.0
    now_kw = vehicles.orders.table.flexible_kw[:3]
    assert bids.payload.now_kw.tolist() == now_kw.tolist()
    load_kw = load.payload.p_kw[OAK] - now_kw.sum()
    world.local_markets.capacity_kw[OAK] = load_kw + 15.0

    simulation.step()
    first_price, told = heard.of(local_market.PRICE, begin_ns)
    price = told.payload.price_eur_per_kwh
    assert told.destination.tolist() == [0, 1, 2]
    assert price == pytest.approx(by_hand[1]) and told.payload.buy_share == pytest.approx(4.0 / 11.0)
    assert (told.cause >= 0).all() and first_price > first_bid
    assert market.cleared[-1].clearing.import_kw[OAK] == pytest.approx(load_kw + 15.0)

    simulation.step()  # the step before the interval: the price arrives
    simulation.step()
    assert vehicles.orders.table.flexible_kw[:3] == pytest.approx([11.0, 4.0, 0.0])

    while simulation.step():  # not finished: what was put into the batteries by hand is in no balance
        pass
    rows = polars.DataFrame(grid.ledger.rows())
    paid = rows.filter(
        (polars.col("reason") == Reason.LOCAL_MARKET) & polars.col("cause").is_in([first_bid, first_bid + 1])
    )
    above = by_hand[1] - grid.price_at(begin_ns) / 1000.0
    expected = np.rint(np.array([11.0, 4.0]) / 12.0 * above * MILLICENT_PER_EUR)
    assert paid["payer"].to_list() == [FIRST_POINT, FIRST_POINT + 1]
    assert paid["amount_millicent"].to_list() == expected.tolist()


def test_money_and_energy_balance(street: Street) -> None:
    """A full day with every device: what customers pay each other and distribution sums to zero in the market, and what was cleared is what flows."""
    simulation = begun(street("heat_pumps.share=1", "local_market.capacity_pct=20"))
    while simulation.step():
        pass
    result = simulation.finish()
    market = simulation.grid.local_market
    assert market is not None
    paid = {
        (reason, payer, payee): amount_eur
        for reason, payer, payee, amount_eur in result.money.by_reason()
        if reason in ("local_market", "congestion_surplus")
    }

    def net(reason: str, payer: str, payee: str) -> float:
        return paid.get((reason, payer, payee), 0.0) - paid.get((reason, payee, payer), 0.0)

    begin_ns, end_ns = simulation.span.start_ns, simulation.span.end_ns
    owed = sum(float(one.owed_eur.sum()) for one in market.cleared if begin_ns <= one.begin_ns < end_ns)
    assert owed > 0.0, "the transformers are short in the evening"
    assert net("local_market", "customers", "providers") == pytest.approx(owed, abs=1e-9)
    assert net("congestion_surplus", "providers", "markets") == pytest.approx(owed, abs=1e-9)
    assert net("congestion_surplus", "markets", "distribution") == pytest.approx(owed, abs=1e-9)
    assert result.money.sum == 0
    for one in market.cleared:
        served_kw = np.where(one.clearing.price < 1.0, 1.0, one.clearing.buy_share) * np.maximum(
            one.grid.uncontrolled_kw, 0.0
        )
        given_kw = one.sold_kw + one.clearing.import_kw + np.maximum(-one.grid.uncontrolled_kw, 0.0)
        assert one.bought_kw + served_kw == pytest.approx(given_kw, abs=1e-6)
        assert (np.abs(one.clearing.import_kw) <= one.grid.capacity_kw + 1e-9).all()


def test_with_all_messages_lost_devices_work_as_without_a_market(street: Street) -> None:
    lost = "messages.access.loss=1"
    with_market, without = begun(street(lost)), begun(street(lost, "local_market.enabled=false"))
    for _ in range(200):
        with_market.step()
        without.step()
        ours, theirs = (one.grid.terminals.point_p_kw for one in (with_market, without))
        assert np.array_equal(ours, theirs)
    market = with_market.grid.local_market
    assert market is not None and sum(int(one.bids_arrived.sum()) for one in market.cleared) == 0
    assert max(len(with_market.grid.customers.devices[name].owner) for name in ("vehicles", "heat_pumps")) > 0


def test_a_run_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(street: Street, tmp_path: Path) -> None:
    """Saved between bids and clearing, with bids, prices and orders under way."""
    first = begun(street("heat_pumps.share=1", "local_market.capacity_pct=20"))
    for _ in range(61):
        first.step()
    first.save(tmp_path / "saved")
    again = Simulation.restore(tmp_path / "saved")
    for _ in range(20):
        first.step()
        again.step()
        ours, theirs = (one.grid.terminals.point_p_kw for one in (first, again))
        assert np.array_equal(ours, theirs)
    markets = first.grid.local_market, again.grid.local_market
    assert markets[0] is not None and markets[1] is not None
    assert np.array_equal(markets[0].cleared[-1].clearing.price, markets[1].cleared[-1].clearing.price)
    assert markets[1].cleared[-1].bids_arrived.sum() > 0


def test_two_threads_change_nothing(street: Street) -> None:
    """Two threads: the same to the last bit."""
    one, two = begun(street(), threads=1), begun(street(), threads=2)
    for _ in range(40):
        one.step()
        two.step()
    assert np.array_equal(one.grid.terminals.point_p_kw, two.grid.terminals.point_p_kw)
