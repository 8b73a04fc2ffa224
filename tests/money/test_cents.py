"""Bills are in whole cents, line by line, with the tax rounded once."""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import Dates
from heptagrid.planes.money import postings, settlement
from heptagrid.planes.money.cents import cents, invoice
from heptagrid.planes.money.ledger import Ledger
from heptagrid.planes.money.posted import PostedPayments
from heptagrid.planes.money.tariffs import billing_rules, network_fees
from heptagrid.world.accounts import Accounts


def test_tax_is_on_the_sum_of_the_lines() -> None:
    """After invoiceninja issue 11075 and EN 16931, BR-CO-17: 50 x 241.67 = 12,083.50; x 0.20 = 2,416.70.

    By line 48.334 is 48.33, and 50 of them 2,416.50: the lines lack 0.20.
    """
    one = invoice(np.full(50, 241.67), 0.2)
    assert (one.net, one.tax, one.gross) == (1_208_350, 241_670, 1_450_020)
    assert one.line_taxes.sum() == 241_650
    assert one.rounding == 20


def test_half_a_cent_goes_away_from_zero() -> None:
    assert cents([0.005, -0.005, 0.0049, 2.675, 1.005, -1.005]).tolist() == [1, -1, 0, 268, 101, -101]


def test_every_line_of_a_customers_bill_is_whole_cents_and_the_ledger_balances() -> None:
    rng = np.random.default_rng(3)
    points, supply = 300, billing_rules.Parameters()
    used, fed_in = rng.random((96, points)), rng.random((96, points)) * (rng.random(points) < 0.3)
    everybody = np.ones(points, dtype=bool)
    exact = billing_rules.bills(
        *(
            used,
            fed_in,
            rng.uniform(0.0, 0.2, 96),
            rng.random(points),
            everybody,
            1 / 366,
            supply,
            network_fees.Parameters(),
        )
    )
    bills = billing_rules.in_cents(exact, supply)
    for name in vars(bills):
        line = getattr(bills, name)
        assert (np.rint(line * 1e5) % 1000 == 0).all(), name
    net_ct = sum(
        np.rint(getattr(bills, name) * 100) for name in ("energy", "network", "state", "standing", "base", "metering")
    )
    tax_ct = np.rint((bills.energy_vat + bills.standing_vat + bills.rounding) * 100)
    assert tax_ct.tolist() == [(19 * int(ct) + 50) // 100 for ct in net_ct], "19 % of the lines, half a cent up"
    assert np.abs(bills.net - exact.net).max() < 0.05, "eight lines and a tax, each within half a cent"
    accounts = Accounts(points)
    ledger = Ledger(accounts)
    payments, everyone = PostedPayments(ledger, 0), np.arange(points)
    (retailer,), (aggregator,) = accounts.of_retailers.tolist(), accounts.of_aggregators.tolist()
    postings.pay_bills(payments, retailer, everyone, bills, Dates(0, 0))
    postings.pass_fees_on(payments, retailer, bills, Dates(0, 0))
    moved_eur = settlement.flexibility_eur(rng.random(points), supply)
    postings.pay_flexibility(payments, aggregator, everyone, moved_eur, Dates(0, 0), np.full(points, -1))
    totals = ledger.totals()
    totals.check()
    rows = ledger.rows()
    assert (rows["amount_millicent"] % 1000 == 0).all()
    assert totals.by_domain[Domain.CUSTOMERS] % 1000 == 0


def test_a_published_bill_of_three_supplies_is_met_to_the_cent() -> None:
    """Stadtwerke Wittenberg, example of an invoice (31.12.2008): nets of electricity, gas and water, their taxes and the gross sums."""
    nets_eur, rates = np.array([428.67, 1699.43, 236.80]), (0.19, 0.19, 0.07)
    found = [invoice(np.array([net]), rate) for net, rate in zip(nets_eur, rates, strict=True)]
    assert [int(one.tax) for one in found] == [8145, 32289, 1658]
    assert [int(one.gross) for one in found] == [51012, 202232, 25338]
    assert sum(int(one.gross) for one in found) == 278582


def test_a_published_yearly_bill_of_3931_kwh_is_met_to_the_cent() -> None:
    """Stadtwerke Rostock, example of a yearly bill (2014/15): net 864.75 EUR, 19 % tax 164.30, gross 1,029.05."""
    found = invoice(np.array([864.75]), 0.19)
    assert (int(found.tax), int(found.gross)) == (16430, 102905)
