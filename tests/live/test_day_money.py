"""Money of the day so far comes to what the ledger posts for the day."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from heptagrid.assembly.span import Phase
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.reasons import Reason
from heptagrid.live.day_money import DayMoney, MoneyState
from heptagrid.live.traffic import Traffic
from heptagrid.planes.messages.tables import N_DELIVERED
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR, Totals
from heptagrid.scenario.load import revised
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.simulation import Simulation

OUTSIDE = 7


class Day:
    """A day of the lane, run to the end of its closing hour. last: money as it stood at the day's end."""

    def __init__(self, scenario: Scenario) -> None:
        self.simulation = Simulation(revised(scenario, ["run.step_s=900"]), "smart")
        self.simulation.begin()
        self.traffic = Traffic(self.simulation.world.points)
        self.simulation.grid.transport.listen(self.traffic)
        money = DayMoney(self.simulation.grid)
        self.last: MoneyState = money.state
        while self.simulation.step():
            step, phase = self.simulation.last_step, self.simulation.phase
            assert step is not None
            money.count(step, is_wanted=phase is Phase.CLOSING)
            if phase is not Phase.CLOSING:
                self.last = money.state
        self.posted_by_end = money.state.posted
        self.posted: Totals = self.simulation.grid.ledger.totals([self.last.since_ns])

    def paid(self, *reasons: Reason) -> np.ndarray:
        """(9, 9) EUR posted for the day."""
        return np.asarray(self.posted.paid[list(reasons)].sum(axis=0) / MILLICENT_PER_EUR)


@pytest.fixture(scope="module")
def day(lane: Scenario) -> Day:
    return Day(lane)


def test_customers_owe_what_they_are_billed(day: Day) -> None:
    """Bills are in whole cents and rest on reads, some of which come late: 2 % are allowed."""
    paid = day.paid(Reason.ENERGY_BILL, Reason.STANDING_CHARGE, Reason.ROUNDING)
    owed = day.last.owed[Domain.CUSTOMERS, Domain.PROVIDERS]
    assert owed == pytest.approx(paid[Domain.CUSTOMERS, Domain.PROVIDERS], rel=0.02)
    assert owed > 1.0


def test_fees_and_taxes_are_passed_on(day: Day) -> None:
    paid = day.paid(Reason.NETWORK_FEE, Reason.METERING_FEE, Reason.TAXES)
    for payee in (Domain.DISTRIBUTION, OUTSIDE):
        assert day.last.owed[Domain.PROVIDERS, payee] == pytest.approx(paid[Domain.PROVIDERS, payee], rel=0.02)


def test_what_the_infeed_took_is_bought_once(day: Day) -> None:
    """The spread of imbalance is taken by the quarter hour here and there."""
    paid = day.paid(Reason.WHOLESALE_ENERGY, Reason.IMBALANCE, Reason.LOSSES)
    owed = day.last.owed
    net = paid[Domain.MARKETS, Domain.GENERATION] - paid[Domain.GENERATION, Domain.MARKETS]
    assert owed[Domain.MARKETS, Domain.GENERATION] - owed[Domain.GENERATION, Domain.MARKETS] == pytest.approx(
        net, rel=0.02, abs=0.05
    )
    assert owed[:, Domain.MARKETS].sum() == pytest.approx(owed[Domain.MARKETS].sum()), "the market keeps nothing"


def test_the_transmission_system_is_paid_to_the_cent(day: Day) -> None:
    paid = day.paid(Reason.USE_OF_SYSTEM, Reason.PEAK_DEMAND)
    owed = day.last.owed[Domain.DISTRIBUTION, Domain.TRANSMISSION]
    assert owed == pytest.approx(paid[Domain.DISTRIBUTION, Domain.TRANSMISSION], abs=0.01)


def test_bills_of_all_make_what_is_owed(day: Day) -> None:
    owed = day.last.owed
    net = owed[Domain.CUSTOMERS].sum() - owed[:, Domain.CUSTOMERS].sum()
    assert day.last.bill_parts.sum() == pytest.approx(net)


def test_what_is_posted_is_all_that_the_ledger_holds(day: Day) -> None:
    assert day.last.posted.sum() == 0.0, "a day is posted on the next"
    assert day.posted_by_end.sum() > 1.0
    assert np.allclose(day.posted_by_end, day.simulation.grid.ledger.totals().paid.sum(axis=0) / MILLICENT_PER_EUR)


def test_every_message_is_delivered_lost_or_under_way(day: Day) -> None:
    found = day.traffic.state(day.simulation.last_step.end_ns if day.simulation.last_step else 0)
    counts = day.simulation.grid.transport.counts()
    assert found.under_way >= 0
    of_waves = np.delete(counts.counters[N_DELIVERED], Kind.ACK).sum()
    assert found.delivered.sum() >= of_waves > 0, "it counts since the warm-up began, and no acknowledgements"
    assert (found.heard_ns > 0).all(), "every gateway was heard"


def test_the_last_messages_of_a_place_are_its_own(day: Day) -> None:
    end_ns = day.last.since_ns + 24 * 3600 * 10**9
    found = day.traffic.last_of(3, 10, end_ns)
    assert len(found) == 10
    assert all(3 in (one.source, one.destination) for one in found)
    assert [one.sent_ns for one in found] == sorted((one.sent_ns for one in found), reverse=True)
    assert {one.fate for one in found} <= {"delivered", "under way", *("link_loss", "collision", "buffer", "access")}


def test_under_a_monthly_rate_tiers_and_fixed_charges_count(lane: Scenario, tmp_path: Path) -> None:
    """Most of a day is beyond the first tier, of a kWh a day, and the fixed charge is by the day: the ledger posts both, and the day comes to them by its end, the closing days of the warm-up included."""
    file = tmp_path / "rate.json"
    flat = [[0] * 24] * 12
    tiers = [{"rate": 0.05, "max": 1, "unit": "kWh daily"}, {"rate": 0.50}]
    rate = {"energyratestructure": [tiers], "fixedchargefirstmeter": 30.0, "flatdemandstructure": [[{"rate": 2.0}]]}
    rate |= {"energyweekdayschedule": flat, "energyweekendschedule": flat, "flatdemandmonths": [0] * 12}
    file.write_text(json.dumps(rate))
    day = Day(revised(lane, [f"tariffs.monthly_rate.file={file}"]))
    paid = day.paid(Reason.ENERGY_BILL, Reason.STANDING_CHARGE, Reason.DEMAND_CHARGE, Reason.ROUNDING)
    posted = paid[Domain.CUSTOMERS, Domain.PROVIDERS] - paid[Domain.PROVIDERS, Domain.CUSTOMERS]
    owed = day.last.owed[Domain.CUSTOMERS, Domain.PROVIDERS] - day.last.owed[Domain.PROVIDERS, Domain.CUSTOMERS]
    assert owed == pytest.approx(posted, rel=0.02)
    assert posted > 10.0
