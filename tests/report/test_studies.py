"""Sweeps and comparisons say the worst of their points first, and how they come to the two points that they compare."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from heptagrid.foundation.domains import DOMAIN_NAMES
from heptagrid.report.compare_page import lines
from heptagrid.report.studies_terminal import compare_summary, sweep_summary
from heptagrid.report.value_headline import headline, sentences
from heptagrid.scale.figures import MEANINGS, meanings

USUAL = {"customers_min_pu": 0.97, "transformer_pct": 60.0, "line_pct": 50.0, "peak_kw": 12_000.0}


def flat(values: dict[str, float]) -> dict[str, float | None]:
    """Every figure there is: those given, and else nothing or nought."""
    found: dict[str, float | None] = {}
    for name, one in MEANINGS.items():
        found |= {name: 0.0} | {f"{name}.{part}": 0.0 for part in one.parts}
    for name in ("operating_eur_per_year", "npv_eur", "total_eur_per_year", "total_npv_eur"):
        found |= {key: None for key in found if key.partition(".")[0] == name}
    return found | USUAL | values


def swept(varied: dict[str, list[Any]], figures: list[dict[str, float]]) -> dict[str, Any]:
    """The content of a sweep; figures are of its points, the last key's values changing fastest."""
    ats: list[dict[str, Any]] = [{}]
    for key, values in varied.items():
        ats = [at | {key: value} for at in ats for value in values]
    points = [
        {
            "at": at,
            "label": ", ".join(f"{key}={value}" for key, value in at.items()),
            "figures": {
                name: None if value is None else {"mean": value, "min": value, "max": value}
                for name, value in flat(one).items()
            },
        }
        for at, one in zip(ats, figures, strict=True)
    ]
    keys = [{"key": k, "values": v, "is_number": not isinstance(v[0], str), "unit": "1"} for k, v in varied.items()]
    return {
        **{"varied": keys, "points": points, "figures": meanings(), "dates": ["2016-01-27"]},
        **{"customers": 1000, "horizon_years": 2.0, "discount_rate": 0.0},
    }


def test_the_worst_point_is_told_first_though_it_lies_between_the_ends() -> None:
    content = swept(
        {"vehicles.share": [0.0, 0.5, 1.0]},
        [{}, {"transformer_pct": 123.0, "violation_customer_minutes": 40.0}, {"transformer_pct": 90.0}],
    )
    said = sentences(content, DOMAIN_NAMES)
    assert said[0] == (
        "At vehicles.share=0.5 voltage is outside the band for 40 customer-minutes, and a transformer carries 123\u202f% of its rating."
    )
    assert said[1].startswith("When vehicles.share goes from 0 to 1, the smart grid's peak import stays at 12.00 MW")


def test_a_sweep_over_two_keys_says_which_curve_it_describes() -> None:
    content = swept(
        {"break.access": [0, 1], "vehicles.share": [0.1, 0.5]},
        [{"peak_kw": 1000.0}, {"peak_kw": 5000.0}, {"peak_kw": 2000.0}, {"peak_kw": 9000.0}],
    )
    said = sentences(content, DOMAIN_NAMES)[1]
    assert "(at vehicles.share=0.1, the first of 2 values)" in said
    assert "rises from 1.00 to 2.00 MW" in said


def test_technologies_are_compared_by_what_they_miss_and_not_by_the_order_in_which_they_were_named() -> None:
    content = swept(
        {"messages.access.technology": ["lte-m", "lorawan", "wi-sun-50k"]},
        [{"missed_pct": 0.3}, {"missed_pct": 52.6, "requirements_missed": 5.0}, {"missed_pct": 0.1}],
    )
    said = sentences(content, DOMAIN_NAMES)
    assert said[0] == "At messages.access.technology=lorawan 5 applications missed their requirement."
    assert said[1].startswith(
        "When wi-sun-50k is replaced by lorawan (messages.access.technology; of 3 the one that misses least"
    )
    assert "0.10 to 52.60\u202f%" in said[1]


def test_money_is_told_per_customer_and_who_loses_stands_before_who_gains() -> None:
    # 1,000 customers and one day: 300 EUR are 0.30 EUR per customer and day; the state's part is what the domains' leave of the whole.
    gains = {"net_benefit_eur.distribution": -300.0, "net_benefit_eur.customers": 450.0, "total_benefit_eur": 100.0}
    said = sentences(swept({"break.access": [0, 1]}, [{}, gains]), DOMAIN_NAMES)[-1]
    assert said.startswith("From break.access=0 to break.access=1 the smart grid's net benefit")
    assert said.endswith(
        "goes from 0.000 to +0.100 EUR per customer and day, a change of +0.100: distribution \u22120.300, the state \u22120.050, "
        "customers +0.450."
    )


def test_money_over_the_years_is_an_annuity_per_customer_and_year() -> None:
    # Without interest, 2 years' present value of 6,000 EUR for 1,000 customers is 3 EUR per customer and year.
    parts = {f"npv_eur.{name}": 0.0 for name in DOMAIN_NAMES}
    worth = {"npv_eur": 4000.0, "npv_eur.customers": 4000.0, "total_npv_eur": 6000.0}
    content = swept({"break.access": [0, 1]}, [{**parts, "npv_eur": 1e-9, "total_npv_eur": 0.0}, {**parts, **worth}])
    said = sentences(content, DOMAIN_NAMES)[-1]
    assert "+3.00 EUR per customer and year, a change of +3.00: the state +1.00, customers +2.00." in said
    assert "with what must be bought" in said


def test_money_at_a_point_with_estimates_is_not_told_as_a_gain_alone() -> None:
    content = swept({"break.access": [0, 1]}, [{}, {"estimated_pct": 100.0, "total_benefit_eur": 100.0}])
    said = sentences(content, DOMAIN_NAMES)[-1]
    assert said.endswith("no gain: 100.0\u202f% of the meter reads are estimated (break.access=1).")


def test_a_sweep_without_trouble_says_so_and_names_are_escaped_on_the_page() -> None:
    content = swept({"a.<b>": ["x", "y"]}, [{}, {}])
    assert (
        sentences(content, DOMAIN_NAMES)[0]
        == "At all 2 points the grid holds, and no application missed its requirement."
    )
    assert "<b>)" not in headline(content, DOMAIN_NAMES)


def printed(renderable: Any) -> str:
    console = Console(width=140)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def test_a_sweep_prints_its_result_in_the_terminal() -> None:
    said = printed(
        sweep_summary(swept({"vehicles.share": [0.0, 1.0]}, [{"line_pct": 42.0}, {"line_pct": 117.0, "vehicles": 9.0}]))
    )
    assert said.startswith("At vehicles.share=1.0 a line carries 117\u202f% of its continuous rating.")
    rows = [line.split() for line in said.splitlines() if line.startswith(("0 ", "1 "))]
    assert [row[:5] for row in rows] == [["0", "0.970", "0", "60.0", "42.0"], ["1", "0.970", "0", "60.0", "117.0"]]
    assert "vehicles" in said.split("worth")[0] and "heat pumps" not in said, (
        "counts that do not vary are left to the page"
    )


def test_a_comparison_tells_of_the_run_in_trouble_first() -> None:
    figures = [flat({}), flat({"transformer_pct": 150.0, "total_benefit_eur": -40.0, "peak_kw": 14_000.0})]
    runs = [
        {
            "label": name,
            **{"customers": 1000, "annuity_factor": None, "dates": ["2016-01-27"]},
            "figures": one,
            "less_first": {k: None if v is None else v - (figures[0][k] or 0.0) for k, v in one.items()},
        }
        for name, one in zip(("mine", "other"), figures, strict=True)
    ]
    runs[1] |= {"by": "net_benefit_eur", "gains": [], "loses": []}
    content = {"runs": runs, "figures": meanings()}
    said = lines(content)
    assert said[0] == "other: a transformer carries 150\u202f% of its rating."
    assert said[1] == "mine: the grid holds, and no application missed its requirement."
    assert "2.00 MW higher" in said[2] and "0.040 EUR per customer and day lower" in said[2]
    assert "Highest line loading, %" in printed(compare_summary(content))


def test_findings_at_different_points_each_say_where() -> None:
    content = swept({"break.access": [0, 1]}, [{"line_pct": 117.0}, {"requirements_missed": 2.0}])
    assert sentences(content, DOMAIN_NAMES)[0] == (
        "A line carries 117\u202f% of its continuous rating (at break.access=0), and 2 applications missed their requirement (at "
        "break.access=1)."
    )


def test_what_does_not_change_stays() -> None:
    said = sentences(
        swept({"vehicles.share": [0.1, 0.4], "break.wan": [0, 1]}, [{"peak_kw": 12_001.0}] * 4), DOMAIN_NAMES
    )
    assert "the smart grid's peak import stays at 12.00 MW, and the share of messages lost or late stays at" in said[1]
    assert said[-1].startswith("From vehicles.share=0.1 to vehicles.share=0.4 the smart grid's net benefit")
    assert said[-1].endswith("stays at 0.000 EUR per customer and day: nobody gains or loses.")
