"""A run whose last reads of each day come two hours late, and one of whose access networks is jammed from evening to morning.

Bills go out on estimates; late reads, and registers where no read ever comes, put them right in the second settlement run.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import polars
import pytest

import heptagrid
from heptagrid.assembly.world import build_world
from heptagrid.contracts import metering
from heptagrid.foundation.domains import Kind
from heptagrid.inquiry.consequences import consequences
from heptagrid.inquiry.explain import explain
from heptagrid.inquiry.replay import Replay, scenario_of
from heptagrid.inquiry.trace import trace
from heptagrid.inquiry.waves import Waves
from heptagrid.planes.messages.kernel.message_tracer import WatchedQueue
from heptagrid.recording.results import Run
from heptagrid.report.bill_text import bill_text
from tests.conftest import shared_run

pytestmark = pytest.mark.long

CENT = Decimal("0.01")


JAMMED = 5  # a substation
EVENTS = f"""
name = "late"
[city]
customers = 600
[[events]]
kind = "jam"
where = {JAMMED}
begin = 72000
duration_s = 28800
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two days of the smart arm, of a small city: every read is on its way for hours. The jam is from 20:00 to 04:00."""
    settings = ["messages.access.delay_s=7300"]  # a hop of two hours: later than readings may be
    file = tmp_path_factory.mktemp("late") / "late.toml"
    file.write_text(EVENTS, encoding="utf-8")

    def make(out: Path) -> Run:
        return heptagrid.run(file, step_s=900, single="smart", threads=1, days=2, settings=settings, out=out)

    return shared_run("late", tmp_path_factory, make)


def lines_of(run: Run, point: int) -> polars.DataFrame:
    """The point's lines of the ledger, with what it owes in cents, but for flexibility."""
    name = f"point {point}"
    owes = polars.when(polars.col("payer") == name).then(1).otherwise(-1) * polars.col("amount_millicent")
    mine = (polars.col("payer") == name) | (polars.col("payee") == name)
    rows = run.ledger.filter(mine & (polars.col("reason") != "flexibility"))
    return rows.with_columns((owes / 1000.0).alias("owed_cents"))


@pytest.fixture(scope="module")
def customer(run: Run) -> int:
    """The customer on the flat tariff, without local generation and outside the jam, with the greatest correction."""
    world = build_world(scenario_of(run.manifest))
    plain = np.flatnonzero((world.owned.tariff_of == 0) & (world.plan.topology.group[world.plan.gateways] != JAMMED))
    plain = plain[~np.isin(plain, world.owned.unit_point)]
    corrected = run.ledger.filter((polars.col("reason") == "second_run") & polars.col("payer").str.starts_with("point"))
    for name in corrected.sort("amount_millicent", descending=True)["payer"].to_list():
        if int(name.split()[1]) in plain:
            return int(name.split()[1])
    raise AssertionError("nobody was billed too little")


def rounded(amount_eur: Decimal) -> Decimal:
    return amount_eur.quantize(CENT, ROUND_HALF_UP)


def test_bill_and_second_run_of_a_day_come_to_the_bill_of_its_true_energy(run: Run) -> None:
    """By hand, after EN 16931: every line in whole cents, the tax once on all of them; German prices as the manifest states them."""
    given = {name: {k: v["value"] for k, v in one.items()} for name, one in run.manifest["scenario"].items()}
    supply, fees = given["tariffs"], given["network_fees"]
    world = build_world(scenario_of(run.manifest))
    first_day = run.meters.filter(polars.col("first_quarter") == polars.col("first_quarter").min())
    used_kwh = {row["meter"]: sum(Decimal(one) for one in row["import_kwh"]) for row in first_day.iter_rows(named=True)}
    ct_by_kwh = [
        supply["flat_procurement_eur_per_mwh"] / 10 + supply["margin_ct_per_kwh"],
        fees["energy_ct_per_kwh"],
        supply["levies_ct_per_kwh"] + supply["concession_ct_per_kwh"] + supply["electricity_tax_ct_per_kwh"],
    ]
    eur_by_year = [supply["standing_eur_per_year"], fees["base_eur_per_year"], fees["metering_eur_per_year"]]
    by_day = [rounded(Decimal(one) / 366) for one in eur_by_year]
    plain = np.setdiff1d(np.flatnonzero(world.owned.tariff_of == 0), world.owned.unit_point)
    jammed = np.flatnonzero(world.plan.topology.group[world.plan.gateways] == JAMMED)
    corrected = 0
    for point in np.setdiff1d(plain, jammed)[:40].tolist():
        lines = [rounded(used_kwh[point] * Decimal(f"{ct:.6f}") / 100) for ct in ct_by_kwh] + by_day
        net = sum(lines)
        owed = net + rounded(net * Decimal(str(supply["vat_share"])))
        mine = lines_of(run, point)
        of_first_day = (polars.col("at_ns") == polars.col("at_ns").min()) | (polars.col("reason") == "second_run")
        posted = mine.filter(of_first_day)["owed_cents"].sum()
        assert posted == pytest.approx(float(owed * 100), abs=1e-6), point
        corrected += int((mine["reason"] == "second_run").sum())
    assert corrected > 10, "most bills had rested on estimates"
    for point in np.intersect1d(
        plain, jammed
    ).tolist():  # a register knows the night's energy, not how much of it was before midnight
        assert "second_run" in lines_of(run, point)["reason"].to_list(), point


def test_only_reads_that_never_came_stay_estimates(run: Run) -> None:
    smart = run.summary["arms"]["smart"]
    metering, points = smart["metering"], run.meters["meter"].n_unique()
    assert smart["messages"]["residual"] == 0 and smart["money_eur"]["sum"] == 0.0
    assert (
        metering["expected"] == 2 * 96 * points == sum(metering[name] for name in ("received", "estimated", "settled"))
    )
    statuses = np.array(run.meters.sort("first_quarter")["status"].to_list()).reshape(2, points, 96)
    billed_on_estimates = (statuses == 1).sum(axis=(1, 2))
    assert (statuses[:, :, -6:] == 1).all(), "no read of the last hour and a half comes before the bills are made"
    assert metering["estimated"] == billed_on_estimates[1], (
        "the first day's have come since, or registers have settled them"
    )
    settled_at_once = int((statuses[1] == 3).sum())
    assert 0 < settled_at_once < metering["settled"], (
        "of the evening by second runs, of the night with the second day's bills"
    )
    bills = run.bills
    off_kwh = (bills["delivered_kwh_smart"] - bills["billed_kwh_smart"]).sum()
    assert metering["unread_energy_mwh"] - metering["estimated_energy_mwh"] == pytest.approx(
        off_kwh / 1000.0, abs=0.02
    ), "with the few points that are no customers"
    bills = run.bills["bill_eur_smart"].to_numpy()
    for point in range(0, len(bills), 97):
        flexibility = run.ledger.filter(
            (polars.col("reason") == "flexibility") & (polars.col("payee") == f"point {point}")
        )["amount_millicent"].sum()
        assert bills[point] == pytest.approx(lines_of(run, point)["owed_cents"].sum() / 100 - flexibility / 1e5)


def late_reading(run: Run) -> dict[str, Any]:
    """The wave of readings that left half an hour before the second day."""
    table = run.waves.filter(polars.col("topic") == "reading").sort("first_sent_ns")
    midnight = int(run.meters["first_quarter"].max()) * 900 * 10**9
    return table.filter(polars.col("first_sent_ns") >= midnight - 1800 * 10**9).row(0, named=True)


def test_a_late_reading_leads_to_its_second_run(run: Run, customer: int) -> None:
    waves = Waves(run, "smart", 0)
    [line] = lines_of(run, customer).filter(polars.col("reason") == "second_run").iter_rows(named=True)
    told = waves.of(line["cause"])
    assert (told.topic, told.sender, told.receiver) == ("late_reads", "operations", "providers")
    assert waves.of(told.cause).topic == "reading"
    last, replay = late_reading(run), Replay(run)
    message = last["first_id"] + customer
    quarter = last["first_sent_ns"] // (900 * 10**9) - 1
    wave = Mock(kind=Kind.METER_READING, contract=metering.READING, payload=Mock(quarter=quarter))
    late = Mock(delivered_ns=last["last_sent_ns"] + 7300 * 10**9, source=int(replay.world.endpoints.gateways[customer]))
    found = consequences(message, wave, late, waves, replay)
    assert "day_reads" not in found and found["late_reads"]["id"] == line["cause"]
    assert found["ledger"] == [
        {"reason": "second_run", "settlement_run": "second", "lines": 1, "amount_eur": line["amount_millicent"] / 1e5}
    ]
    in_time = Mock(delivered_ns=last["last_sent_ns"], source=late.source)
    assert "late_reads" not in consequences(message, wave, in_time, waves, replay)


@pytest.mark.slow  # a replay of a day and a half
def test_a_reading_that_takes_hours_is_traced_hop_by_hop_to_its_second_run(
    run: Run, customer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops = []
    plain = WatchedQueue._look
    monkeypatch.setattr(WatchedQueue, "_look", lambda *given: stops.append(given[2]) or plain(*given))
    last = late_reading(run)
    found = trace(run.folder, last["first_id"] + customer)
    assert found["remarks"] == []
    assert (found["outcome"]["status"], found["root"]) == ("late", "a measurement: the quarter hour had ended")
    copies = found["copies"]
    first = copies[0]
    assert (
        first["sent"] >= f"{run.manifest['dates'][0]}T23:30" and first["arrived"] >= f"{run.manifest['dates'][1]}T01:3"
    )
    for copy in copies:
        for hop in copy["hops"]:
            far_s = 7300.0 if hop["class"] == "access" else 0.0
            assert far_s < hop["propagation_s"] < far_s + 0.2, "the access network alone takes hours"
        spent = sum(hop[one] for hop in copy["hops"] for one in ("queue_s", "contention_s", "air_s", "propagation_s"))
        assert spent == pytest.approx(copy["took_s"], abs=1e-6)
    [line] = lines_of(run, customer).filter(polars.col("reason") == "second_run").iter_rows(named=True)
    assert found["consequences"]["late_reads"]["id"] == line["cause"]
    assert found["consequences"]["ledger"] == [
        {"reason": "second_run", "settlement_run": "second", "lines": 1, "amount_eur": line["amount_millicent"] / 1e5}
    ]
    hops = sum(len(copy["hops"]) for copy in copies)
    assert len(stops) < 20 * (hops + len(copies)) + 4 * 8, "everybody else's events are passed over"


@pytest.mark.slow  # two replays of two days
def test_both_bills_tell_of_the_second_run(run: Run, customer: int) -> None:
    first, second = run.manifest["dates"]
    [line] = lines_of(run, customer).filter(polars.col("reason") == "second_run").iter_rows(named=True)
    before = explain(run.folder, customer, first)
    assert before["remarks"] == []
    [correction] = before["reads"]["corrections"]
    assert (correction["settlement_run"], correction["billed_with"]) == ("second", second)
    assert correction["message"]["id"] == line["cause"]
    assert correction["amount_eur"] == pytest.approx(line["owed_cents"] / 100)
    assert correction["reads"] + correction["settled"] == before["reads"]["estimated"] > 0
    assert "were estimated" in bill_text(before) and "came late" in bill_text(before)
    after = explain(run.folder, customer, second)
    assert after["remarks"] == [], "the lines add up to the ledger"
    [shown] = [one for one in after["lines"] if one["reason"] == "second_run"]
    assert (shown["message"], shown["amount_millicent"]) == (line["cause"], line["amount_millicent"])
    assert shown["line"].startswith(f"second settlement run of {first}, {correction['reads']} late reads")
    assert shown["kwh"] == pytest.approx(correction["changed_kwh"])
