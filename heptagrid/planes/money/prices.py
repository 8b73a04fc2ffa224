"""One currency and one price year: euro of 2024.

An amount of another year is first brought to 2024 with the consumer prices of its own currency, then
exchanged at the average rate of 2024; so one rate holds for everything.
"""

from __future__ import annotations

from itertools import accumulate

CURRENCY = "EUR"
PRICE_YEAR = 2024

# Units of a currency per EUR, average of 2024: the mean of the European Central Bank's 256 daily
# reference rates of that year (published as 1.0824 USD and 0.84662 GBP).
PER_EUR_2024 = {"EUR": 1.0, "USD": 1.0824, "GBP": 0.84662}

# Consumer prices in the United States: annual averages of CPI-U, all items, 1982-84 = 100
# (Bureau of Labor Statistics, series CUUR0000SA0).
_UNITED_STATES = {
    2008: 215.303,
    2010: 218.056,
    2011: 224.939,
    2012: 229.594,
    2013: 232.957,
    2014: 236.736,
    2015: 237.017,
    2016: 240.007,
    2017: 245.120,
    2018: 251.107,
    2019: 255.657,
    2020: 258.811,
    2021: 270.970,
    2022: 292.655,
    2023: 304.702,
    2024: 313.689,
}

# Consumer prices in the United Kingdom: CPI, all items, 2015 = 100 (Office for National Statistics,
# series D7BT; source not read).
_UNITED_KINGDOM = {
    2010: 89.4,
    2011: 93.4,
    2012: 96.1,
    2013: 98.5,
    2014: 100.0,
    2015: 100.0,
    2016: 100.7,
    2017: 103.4,
    2018: 105.9,
    2019: 107.8,
    2020: 108.7,
    2021: 111.6,
    2022: 121.7,
    2023: 130.5,
    2024: 133.9,
}

# Consumer prices in the European Union: annual average rates of change of the HICP, percent (Eurostat,
# Statistics Explained "Consumer prices - inflation", 2015 to 2023; 2011 to 2014 and 2024: source not read).
_EUROPEAN_UNION_CHANGE = {
    2011: 2.9,
    2012: 2.6,
    2013: 1.3,
    2014: 0.4,
    2015: 0.1,
    2016: 0.2,
    2017: 1.7,
    2018: 1.9,
    2019: 1.5,
    2020: 0.7,
    2021: 2.9,
    2022: 9.2,
    2023: 6.4,
    2024: 2.6,
}
_EUROPEAN_UNION = dict(
    zip(
        range(2010, PRICE_YEAR + 1),
        accumulate(
            _EUROPEAN_UNION_CHANGE.values(), lambda level, change: level * (1.0 + change / 100.0), initial=100.0
        ),
        strict=True,
    )
)

CONSUMER_PRICES = {"EUR": _EUROPEAN_UNION, "USD": _UNITED_STATES, "GBP": _UNITED_KINGDOM}


def eur_2024(amount: float, currency: str, year: int) -> float:
    """An amount of `currency` in prices of `year`, in EUR of 2024.

    Raises
    ------
    KeyError
        If the currency or its year is not in the tables above.
    """
    index = CONSUMER_PRICES[currency]
    return amount * index[PRICE_YEAR] / index[year] / PER_EUR_2024[currency]
