"""All prices are euro of 2024."""

import pytest

from heptagrid.foundation.parameters import declarations
from heptagrid.planes.money import business, telecom
from heptagrid.planes.money.prices import CONSUMER_PRICES, PER_EUR_2024, eur_2024
from heptagrid.planes.money.tariffs import billing_rules, network_fees

SECTIONS = (billing_rules.Parameters, network_fees.Parameters, telecom.Parameters, business.Parameters)


def test_a_euro_of_2024_is_a_euro():
    assert eur_2024(1.0, "EUR", 2024) == 1.0


def test_a_dollar_of_2024_is_exchanged_at_the_average_rate_of_2024():
    assert eur_2024(1.0824, "USD", 2024) == pytest.approx(1.0)


def test_a_dollar_of_2010_grows_with_american_prices_first():
    assert eur_2024(100.0, "USD", 2010) == pytest.approx(100.0 * 313.689 / 218.056 / 1.0824)


def test_european_prices_rose_by_the_published_quarter_from_2014_to_2023():
    """Eurostat states 25-odd percent for 2014 to 2023; chained yearly rates are rounded to 0.1 each."""
    index = CONSUMER_PRICES["EUR"]
    assert index[2023] / index[2014] == pytest.approx(1.26, abs=0.015)


def test_every_currency_has_its_rate_and_the_price_year():
    assert CONSUMER_PRICES.keys() == PER_EUR_2024.keys()
    assert all(2024 in index and 2013 in index for index in CONSUMER_PRICES.values())


def test_a_year_that_is_not_known_is_refused():
    with pytest.raises(KeyError):
        eur_2024(1.0, "USD", 1979)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_default_lies_in_its_range_and_names_its_source(section):
    declared = list(declarations(section))
    assert declared
    for name, _, default, declaration in declared:
        assert declaration.source and declaration.unit, name
        assert declaration.low <= default <= declaration.high, name
