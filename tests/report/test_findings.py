"""Headlines and verdicts tell the worst news first, of the arm in which it happened."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from heptagrid.report import terminal
from heptagrid.report.findings import findings, worst
from heptagrid.report.headline import changes, headline, title
from heptagrid.report.verdict import answers
from heptagrid.report.words import number
from tests.report.summaries import application, summary, with_business


def outside(arm: dict[str, Any], customers: int, lowest: float) -> None:
    """Some customers' voltage fell below the band."""
    arm["voltage"] |= {"customers_outside": customers, "customers_min_pu": lowest, "violation_customer_minutes": 60.0}


def overload(arm: dict[str, Any], what: str, count: int, most_pct: float) -> None:
    arm["loading"] |= {f"overloaded_{what}s": count, f"max_{what}_pct": most_pct}


def test_a_day_without_trouble_says_so() -> None:
    made = summary()
    assert findings(made) == []
    assert worst(made) == "The grid held, and none of the 1 applications in use missed its requirement over all."
    assert [one.word for one in answers(made)] == ["yes", "yes", "not known"]


def test_each_arm_has_its_own_lowest_voltage() -> None:
    made = summary()
    made["arms"]["conventional"]["voltage"]["customers_min_pu"] = 0.959
    made["arms"]["smart"]["voltage"]["customers_min_pu"] = 0.969
    reasons = answers(made)[0].reasons
    assert reasons[0].startswith("Smart arm: supply voltage 0.969 to")
    assert reasons[1].startswith("Conventional arm: supply voltage 0.959 to")
    assert "either arm" not in headline(made)


def test_a_blackout_and_an_overload_come_before_a_cheaper_bill() -> None:
    made = summary()
    for arm in made["arms"].values():
        arm["interruptions"]["customers"] = 955.0
    overload(made["arms"]["smart"], "transformer", 1, 123.0)
    said = title(made)
    assert said == (
        "955 customers lost their supply in both arms, and a transformer reached 123\u202f% of its rating in the smart arm only."
    )
    page = headline(made)
    assert page.index("955 customers") < page.index("0.50 EUR less")
    assert answers(made)[0].word == "no"


def test_trouble_of_the_smart_arm_comes_before_trouble_that_it_removed() -> None:
    made = summary()
    outside(made["arms"]["conventional"], 40, 0.88)
    made["arms"]["smart"]["requirements"][0] = application("meter reading", "missed", 0.5)
    assert title(made) == (
        "1 of 1 applications missed its requirement (meter reading), and 40 customers had a voltage outside 0.9 to 1.1 pu "
        "(lowest 0.880 pu) in the conventional arm only."
    )
    assert answers(made)[0].word == "yes; the conventional grid does not", "the smart arm's grid held"


def test_both_arms_figures_are_told_where_both_are_in_trouble() -> None:
    made = summary()
    overload(made["arms"]["smart"], "line", 2, 130.0)
    overload(made["arms"]["conventional"], "line", 5, 160.0)
    assert title(made) == (
        "2 lines carried more than their continuous rating, up to 130\u202f% in the smart arm (5, up to 160\u202f% in the conventional "
        "arm)."
    )


def test_at_most_three_findings_make_a_headline_and_the_worst_stand_first() -> None:
    made = summary("smart")
    smart = made["arms"]["smart"]
    smart["interruptions"]["customers"] = 1.0
    outside(smart, 1, 0.7)
    overload(smart, "transformer", 1, 100.2)
    overload(smart, "line", 1, 101.0)
    assert [one.order for one in findings(made)] == [1, 5, 6, 7]
    assert worst(made) == (
        "1 customer lost its supply, 1 customer had a voltage outside 0.9 to 1.1 pu (lowest 0.700 pu), and a transformer reached "
        "100.20\u202f% of its rating."
    )


def test_bills_that_rest_on_estimates_are_no_saving() -> None:
    made = summary("conventional", "smart", "intact")
    made["arms"]["smart"]["metering"] = {"expected": 96_000, "estimated": 96_000}
    made["break"] = {
        "classes": {"access": 1.0},
        "against_intact": {
            "primary_peak_kw": 2000.0,
            "energy_lost_mwh": 0.2,
            "violation_customer_minutes": 0.0,
            "mean_bill_eur": -0.3,
            "by_domain_eur": [0.0] * 7,
            "estimated_reads": 96_000,
            "estimation_error_mwh": 12.0,
            "min_pu": -0.01,
            "max_pu": 0.0,
        },
    }
    assert title(made) == (
        "With broken links (access, 100\u202f% lost): 100.0\u202f% of the meter reads were estimated, and bills rest on the estimates."
    )
    assert "paid" not in changes(made)
    assert "no gain or loss of the customers" in headline(made)
    assert answers(made)[2].reasons[1].startswith("100.0\u202f% of the meter reads are estimates")
    made |= {"scenario": "town", "seed": 1, "difference": None}
    for arm in made["arms"].values():
        kinds = {kind: {"p99_s": None} for kind in ("meter_reading", "setpoint", "alarm", "dispatch")}
        arm["messages"] |= {"by_kind": kinds, "lost": 0, "residual": 0}
        arm["energy_mwh"]["residual"] = arm["money_eur"]["sum"] = 0.0
    with (console := Console(width=200)).capture() as captured:
        console.print(terminal.summary(made, {"dates": ["2016-01-27"], "typical_days": []}))
    (line,) = (one for one in captured.get().splitlines() if one.startswith("broken links against intact ones"))
    assert "96\u202f000 more meter reads estimated, mean bill −0.30 EUR: as bills rest on estimates, no gain" in line


def test_bills_of_days_that_stand_for_a_year_are_told_by_the_year() -> None:
    """By hand: the customers receive 2,000 EUR a year more, each of 1,000 customers 2.00."""
    made = with_business(summary(), [0.0] * 7)
    made["days"] = 12
    [row] = (one for one in made["business"]["rows"] if one["domain"] == "customers")
    row["operating_eur_per_year"] = 2.0 * made["customers"]
    assert "The mean customer paid 2.00 EUR a year less." in changes(made)


def test_a_few_estimates_still_let_the_bill_be_told() -> None:
    made = summary()
    made["arms"]["smart"]["metering"]["estimated"] = 960  # 1 %, not more
    assert "0.50 EUR less" in changes(made)


def test_money_is_told_in_euros_per_customer_and_year_losers_first() -> None:
    # 1,000 customers and 10 years' worth: 10,000 EUR of net present value are 1 EUR per customer and year.
    made = with_business(summary(), [0.0, 0.0, -30_000.0, 50_000.0, -70_000.0, 0.0, 10_000.0])
    pays = answers(made)[2]
    assert pays.word == "no"
    assert "\u22124.00 EUR per customer and year" in pays.reasons[0]
    assert pays.reasons[1].startswith(
        "Operations \u22127.00, distribution \u22123.00, service providers +1.00, customers +5.00"
    )
    assert title(made) == "The smart grid costs 4.00 EUR per customer and year more than it brings."
    gains = with_business(summary(), [50_000.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert "it pays 5.00 EUR per customer and year" in title(gains)


def test_what_the_state_receives_less_is_no_gain_of_all_together() -> None:
    # The domains gain 5 EUR per customer and year; the state loses 7,000 EUR of taxes a year, 7 EUR per customer.
    made = with_business(summary(), [50_000.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], state_eur_per_year=-7000.0)
    pays = answers(made)[2]
    assert pays.word == "no" and "\u22122.00 EUR per customer and year" in pays.reasons[0]
    assert pays.reasons[1].startswith("The state \u22127.00, bulk generation +5.00")
    day = summary()
    day["arms"]["smart"]["money_eur"] = {"by_domain": [0.0] * 3 + [100.0] + [0.0] * 3, "state": -60.0}
    assert answers(day)[2].reasons[1].endswith("the state \u22120.060, customers +0.100; together +0.040.")


def test_a_control_that_did_not_settle_is_told_with_its_arm() -> None:
    made = summary()
    made["hunting"] = [{"arm": "conventional", "control": "regcontrol.r1", "steps": 3, "first": ""}]
    assert title(made) == (
        "A control (regcontrol.r1) of taps or capacitors did not settle in some steps in the conventional arm only."
    )
    assert answers(made)[0].word == "yes; the conventional grid does not"
    made["hunting"] += [{"arm": "smart", "control": name, "steps": 3, "first": ""} for name in ("a", "b", "a")]
    assert title(made).startswith(
        "2 controls of taps or capacitors did not settle in some steps in the smart arm (1 in"
    )
    assert answers(made)[0].word == "no"


def test_what_was_missed_in_places_comes_before_the_good_news_and_last_among_the_bad() -> None:
    made = summary()
    made["arms"]["smart"]["requirements"].append(application("bill", "met", places_missed=2))
    assert title(made) == (
        "An application missed its requirement in some access networks (bill in 2 of 100); none of the 2 applications in use missed its "
        "requirement over all, and the grid held."
    )
    assert answers(made)[1].word == "none missed over all"
    overload(made["arms"]["smart"], "line", 1, 130.0)
    assert title(made).endswith("and an application missed its requirement in some access networks (bill in 2 of 100).")


def test_a_share_that_falls_short_reads_as_less_than_what_is_asked() -> None:
    made = summary()
    made["arms"]["smart"]["requirements"] = [application("direct load control", "missed", 0.99496, reliability=0.995)]
    assert "direct load control (99.496\u202f% in time)" in answers(made)[1].reasons[0]


@pytest.mark.parametrize(("most_pu", "said"), [(1.1003, "1.1003"), (1.10004, "1.10004"), (1.104, "1.104")])
def test_a_voltage_outside_the_band_does_not_read_as_its_limit(most_pu: float, said: str) -> None:
    made = summary()
    made["arms"]["smart"]["voltage"] |= {"customers_outside": 2, "customers_max_pu": most_pu}
    assert f"outside 0.9 to 1.1 pu (highest {said} pu)" in title(made)


def test_changes_of_peak_and_losses_are_verbs_with_their_objects_in_a_unit_that_shows_them() -> None:
    made = summary()  # 5,000 kW and 1 MWh in the conventional arm; 500 kW and 0.1 MWh less in the smart arm
    assert changes(made, "feeder").startswith(
        "The smart grid cut the feeder's peak import by 500 kW (10.0\u202f%) and cut losses by 0.10 MWh (10.0\u202f%);"
    )
    made["arms"]["conventional"]["energy_mwh"]["lost"] = 0.0041
    made["difference"] |= {"energy_lost_mwh": 0.002, "primary_peak_kw": 0.1}
    assert changes(made).startswith(
        "The smart grid left the town's peak import as it was and raised losses by 2.0 kWh (48.8\u202f%);"
    )


def test_a_flow_that_was_not_found_is_told() -> None:
    made = summary()
    made["unconverged"] = [{"arm": "smart", "feeder": 3, "steps": 2}]
    assert title(made) == "The flow of 1 feeder was not found in some steps in the smart arm only."


def test_what_is_not_refuted_is_not_called_met() -> None:
    made = summary()
    made["arms"]["smart"]["requirements"] = [
        application("meter reading", "met", 0.999, places_missed=7),
        application("market bid", "not refuted"),
    ]
    (reason,) = answers(made)[1].reasons
    assert reason == (
        "Missed in places: meter reading (in 7 of 100 access networks); 1 of 2 applications in use met their requirement; not refuted, but "
        "too few messages to show it: market bid."
    )


def test_the_terminal_begins_as_the_page_does() -> None:
    made = summary("smart") | {"scenario": "town", "seed": 1, "difference": None}
    smart = made["arms"]["smart"]
    overload(smart, "transformer", 1, 123.0)
    took_s = {"meter_reading": 1.0, "setpoint": 8.1, "alarm": None, "dispatch": 1.0}
    smart["messages"] |= {"by_kind": {kind: {"p99_s": s} for kind, s in took_s.items()}, "lost": 0, "residual": 0}
    smart["energy_mwh"]["lost"] = 0.0041
    smart["energy_mwh"]["residual"] = 0.0
    smart["money_eur"]["sum"] = 0.0
    console = Console(width=100, file=None, record=True, quiet=False)
    with console.capture() as captured:
        console.print(terminal.summary(made, {"dates": ["2016-01-27"], "typical_days": []}))
    lines = captured.get().splitlines()
    assert lines[1].rstrip() == "A transformer reached 123\u202f% of its rating."
    assert lines[2].startswith("Does the grid hold? no")
    assert any(line.startswith("highest line loading, %") and number(60.0, 1) in line for line in lines)
    assert any(line.startswith("lost in the network, kWh") and "4.1" in line for line in lines), (
        "as MWh it would read 0.00"
    )
    (slow,) = (line for line in lines if line.startswith("99 %"))
    assert "set-point 8.1" in slow and "alarm" not in slow, "no alarm was sent"
