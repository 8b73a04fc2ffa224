"""The ledger balances whatever is posted, and cannot be altered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.errors import ConservationError
from heptagrid.foundation.payments import Dates
from heptagrid.foundation.reasons import REASON_NAMES, Reason
from heptagrid.planes.money.ledger import Ledger, Totals, eur, millicent
from heptagrid.planes.money.posted import PostedPayments
from heptagrid.world.accounts import FIRST_POINT, OUTSIDE, REST_BUYERS, REST_GENERATION, Accounts

NOW = Dates(0, 0)
POINTS = 5
REST = {REST_BUYERS, REST_GENERATION}

accounts = st.integers(0, len(Accounts(POINTS)) - 1)
amounts = st.floats(-1e6, 1e6)
payments = st.lists(st.tuples(accounts, accounts, amounts, st.sampled_from(Reason)), max_size=40)


def posted(rows: list[tuple[int, int, float, Reason]]) -> Ledger:
    ledger = Ledger(Accounts(POINTS))
    for payer, payee, amount_eur, reason in rows:
        mixed = (payer in REST) != (payee in REST) and OUTSIDE not in (payer, payee)
        if payer != payee and not mixed:
            ledger.transfer(payer, payee, amount_eur, NOW, reason)
    return ledger


@given(payments)
def test_all_accounts_sum_to_exactly_zero_whatever_is_posted(rows):
    ledger = posted(rows)
    assert int(ledger.balances().sum()) == 0
    assert ledger.totals().sum == 0


@given(payments)
def test_received_less_paid_is_matrix_columns_less_rows_plus_outside(rows):
    totals = posted(rows).totals()
    matrix = totals.matrix
    assert (totals.matrix >= 0).all()
    assert np.array_equal(totals.by_domain, matrix.sum(axis=0) - matrix.sum(axis=1) + totals.outside_by_domain)
    totals.check()


def test_the_state_receives_taxes_less_premiums_and_nothing_else():
    # 30 EUR of taxes less 12 EUR of premiums, and 1 EUR of tax in the second settlement run; the telecom bill goes to others outside.
    rows = [
        (Domain.PROVIDERS, OUTSIDE, 30.0, Reason.TAXES),
        (OUTSIDE, FIRST_POINT, 12.0, Reason.FEED_IN_PREMIUM),
        (Domain.PROVIDERS, OUTSIDE, 1.0, Reason.SECOND_RUN),
        (FIRST_POINT, Domain.PROVIDERS, 5.0, Reason.FINAL_RUN),
        (Domain.OPERATIONS, OUTSIDE, 100.0, Reason.TELECOM),
    ]
    assert posted(rows).totals().state == 1_900_000  # thousandths of a cent


@given(payments)
def test_the_matrix_is_what_a_plain_loop_over_the_rows_adds_up(rows):
    ledger = posted(rows)
    matrix = np.zeros((7, 7), dtype=np.int64)
    balance = dict.fromkeys(range(len(ledger.accounts)), 0)
    columns = ledger.rows()
    for payer, payee, amount in zip(columns["payer"], columns["payee"], columns["amount_millicent"], strict=True):
        balance[int(payer)] -= int(amount)
        balance[int(payee)] += int(amount)
        row, column = (column_of(int(one)) for one in (payer, payee))
        if row < 7 and column < 7:
            matrix[row, column] += amount
    assert np.array_equal(ledger.totals().matrix, matrix)
    assert ledger.balances().tolist() == list(balance.values())
    assert ledger.totals().by_domain[Domain.CUSTOMERS] == balance[3] + sum(balance[k] for k in range(10, 15))
    assert ledger.totals().by_domain[Domain.PROVIDERS] == balance[6] + balance[15] + balance[16]


def column_of(account: int) -> int:
    """The customers' for metering points, the service providers' for the retailer and the aggregator after them."""
    if account < FIRST_POINT:
        return account
    return Domain.CUSTOMERS if account < FIRST_POINT + POINTS else Domain.PROVIDERS


def test_every_company_has_an_account_and_a_name_of_its_own():
    accounts = Accounts(2, ("north", "south"), ("east",))
    assert accounts.names[FIRST_POINT:] == ["point 0", "point 1", "retailer north", "retailer south", "aggregator east"]
    assert [accounts.names[k] for k in accounts.of_aggregators] == ["aggregator east"]
    assert Accounts(0).names[FIRST_POINT:] == ["retailer", "aggregator"]


@given(payments, payments)
def test_totals_of_two_ledgers_add_up_to_those_of_one(first, second):
    apart = posted(first).totals() + posted(second).totals()
    together = posted(first + second).totals()
    assert np.array_equal(apart.paid, together.paid)
    assert np.array_equal(apart.received_less_paid, together.received_less_paid)


@given(st.lists(amounts, min_size=1, max_size=20))
def test_arrays_post_the_same_rows_as_single_payments(amounts_eur):
    at_once, one_by_one = Ledger(Accounts(20)), Ledger(Accounts(20))
    payees = at_once.accounts.of_points[: len(amounts_eur)]
    at_once.transfer(Domain.PROVIDERS, payees, amounts_eur, Dates(7, 0), Reason.EXPORT_CREDIT, cause=3)
    for payee, amount_eur in zip(payees, amounts_eur, strict=True):
        one_by_one.transfer(Domain.PROVIDERS, payee, amount_eur, Dates(7, 0), Reason.EXPORT_CREDIT, cause=3)
    for name, column in at_once.rows().items():
        assert np.array_equal(column, one_by_one.rows()[name])


def test_a_negative_amount_swaps_payer_and_payee():
    ledger = Ledger(Accounts(1))
    assert ledger.transfer(Domain.PROVIDERS, Domain.MARKETS, -2.5, NOW, Reason.WHOLESALE_ENERGY).tolist() == [-250_000]
    rows = ledger.rows()
    assert (rows["payer"][0], rows["payee"][0], rows["amount_millicent"][0]) == (
        Domain.MARKETS,
        Domain.PROVIDERS,
        250_000,
    )


def test_an_amount_that_rounds_to_nothing_leaves_no_row():
    ledger = Ledger(Accounts(1))
    ledger.transfer(0, 1, [0.0, 4e-6, 1e-5], NOW, Reason.FUEL)
    assert len(ledger) == 1


def test_rounding_is_half_to_even_thousandths_of_a_cent():
    assert millicent([0.5e-5, 1.5e-5, 2.5e-5, -1.5e-5]).tolist() == [0, 2, 2, -2]
    assert eur(millicent(123.45678)) == 123.45678


def test_payments_between_customers_stand_on_the_diagonal():
    ledger = Ledger(Accounts(2))
    ledger.transfer(FIRST_POINT, FIRST_POINT + 1, 1.0, NOW, Reason.FLEXIBILITY)
    totals = ledger.totals()
    assert totals.matrix[Domain.CUSTOMERS, Domain.CUSTOMERS] == 100_000
    assert totals.by_domain[Domain.CUSTOMERS] == 0


def test_the_rest_is_in_the_ledger_but_in_no_domain():
    ledger = Ledger(Accounts(1))
    ledger.transfer(REST_BUYERS, REST_GENERATION, 1e6, NOW, Reason.REST_ENERGY)
    totals = ledger.totals()
    assert not totals.matrix.any() and not totals.by_domain.any() and not totals.outside_by_domain.any()
    assert list(totals.by_reason()) == [("rest_energy", "rest", "rest", 1e6)]


def test_outside_by_domain_is_received_from_outside_less_paid_to_it():
    ledger = Ledger(Accounts(1))
    ledger.transfer(Domain.GENERATION, OUTSIDE, 3.0, NOW, Reason.FUEL)
    ledger.transfer(OUTSIDE, FIRST_POINT, 1.0, NOW, Reason.FEED_IN_PREMIUM)
    summary = ledger.totals().summary()
    assert summary["outside_by_domain"] == [-3.0, 0, 0, 1.0, 0, 0, 0] == summary["by_domain"]
    assert summary["sum"] == 0.0


@pytest.mark.parametrize(
    ("payer", "payee", "amount_eur"),
    [
        (0, 0, 1.0),
        (0, 99, 1.0),
        (-1, 0, 1.0),
        (0, 1, np.nan),
        (0, 1, np.inf),
        (0, 1, 1e12),
        (REST_BUYERS, Domain.GENERATION, 1.0),
        (Domain.PROVIDERS, REST_GENERATION, 1.0),
    ],
)
def test_a_payment_that_cannot_be_is_refused_and_leaves_nothing(payer, payee, amount_eur):
    ledger = Ledger(Accounts(2))
    with pytest.raises(ConservationError):
        ledger.transfer([1, payer], [2, payee], [1.0, amount_eur], NOW, Reason.FUEL)
    assert len(ledger) == 0


def test_posted_rows_cannot_be_written():
    ledger = Ledger(Accounts(2))
    ledger.transfer(0, 1, 1.0, NOW, Reason.FUEL)
    for column in ledger.rows().values():
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 2


def test_rows_already_read_stay_as_they_were_when_the_ledger_grows():
    ledger = Ledger(Accounts(2))
    ledger.transfer(0, 1, 1.0, NOW, Reason.FUEL)
    before = ledger.rows()["amount_millicent"]
    ledger.transfer(0, 1, np.full(5000, 2.0), NOW, Reason.FUEL)
    assert before.tolist() == [100_000]
    assert len(ledger) == 5001


def test_a_total_that_does_not_balance_is_noticed():
    honest = posted([(0, 1, 5.0, Reason.FUEL)]).totals()
    cooked = Totals(honest.paid, honest.received_less_paid + np.eye(1, 9, dtype=np.int64)[0])
    with pytest.raises(ConservationError, match="does not balance"):
        cooked.check()


def test_totals_and_balances_may_be_of_some_days_alone():
    ledger = Ledger(Accounts(1))
    ledger.transfer(0, 1, 1.0, Dates(30, 10), Reason.FUEL)
    ledger.transfer(0, 1, 2.0, Dates(30, 20), Reason.SECOND_RUN)
    assert ledger.totals([20]).matrix[0, 1] == 200_000 == ledger.balances([20])[1]
    assert ledger.totals([10, 20]).matrix[0, 1] == 300_000 == ledger.totals().matrix[0, 1]
    assert not ledger.totals([]).paid.any()


def test_what_is_paid_for_a_day_before_the_count_is_not_posted():
    ledger = Ledger(Accounts(1))
    payments = PostedPayments(ledger, first_ns=20)
    for of_ns in (19, 20):
        payments.pay(Reason.FUEL, Domain.GENERATION, OUTSIDE, 1.0, Dates(30, of_ns))
        payments.pass_on(Reason.LOSSES, Domain.DISTRIBUTION, Domain.MARKETS, Domain.GENERATION, 1.0, Dates(30, of_ns))
    assert ledger.rows()["of_ns"].tolist() == [20, 20, 20]
    assert ledger.totals().by_domain[Domain.MARKETS] == 0


def test_every_reason_says_what_it_is():
    assert all(reason.meaning for reason in Reason)
    assert len(set(REASON_NAMES)) == len(Reason)
