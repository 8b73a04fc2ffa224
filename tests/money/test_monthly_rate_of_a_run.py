"""A run whose customers have a rate of OpenEI's database: what accrues in the ledger is what the months' lines say, to the cent."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars
import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.cli import main
from heptagrid.domains.operations.meter_store import ReadStatus
from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.errors import ScenarioError
from heptagrid.foundation.time import NS_PER_QUARTER, S_PER_QUARTER
from heptagrid.inquiry.explain import explain
from heptagrid.inquiry.run_bill import run_bill
from heptagrid.planes.money.rates.accrual import Opening, accrue
from heptagrid.planes.money.rates.taxes import Tax
from heptagrid.planes.money.rates.urdb import rate_of
from heptagrid.planes.money.rates.use import Use
from heptagrid.recording.results import Run
from heptagrid.scenario.load import load
from tests.conftest import shared_run

LANE = Path(__file__).parents[1] / "cases/lane/lane.dss"
HOURS = [[1 if 12 <= hour < 20 else 0 for hour in range(24)] for _ in range(12)]
RATE: dict[str, Any] = {
    "utility": "Sample Electric",
    "name": "Time of use",
    "energyratestructure": [
        [{"rate": 0.10, "max": 200, "sell": 0.04}, {"rate": 0.12, "sell": 0.04}],
        [{"rate": 0.25, "max": 200, "sell": 0.09}, {"rate": 0.27, "sell": 0.09}],
    ],
    "energyweekdayschedule": HOURS,
    "energyweekendschedule": [[0] * 24] * 12,
    "flatdemandstructure": [[{"rate": 5.0}]],
    "flatdemandmonths": [0] * 12,
    "demandratchetpercentage": [0.5] * 12,
    "fixedchargefirstmeter": 10.0,
    "mincharge": 80.0,
    "dgrules": "Net Billing Hourly",
}
OF_THE_RATE = (
    "energy_bill",
    "standing_charge",
    "demand_charge",
    "rounding",
    "export_credit",
    "second_run",
    "final_run",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The last two days of February and the first of March 2016; in a second arm a third of the messages is lost on each link of the access network."""
    file = tmp_path_factory.mktemp("rate") / "rate.json"
    file.write_text(json.dumps(RATE))
    settings = [
        f"tariffs.monthly_rate.file={file}",
        "tariffs.monthly_rate.tax_share=0.07",
        "run.start=2016-02-28",
    ]

    def make(out: Path) -> Run:
        return heptagrid.run(
            feeder=LANE,
            step_s=900,
            single="smart",
            threads=1,
            days=3,
            out=out,
            settings=settings,
            break_={"access": 0.3},
        )

    return shared_run("lane-monthly-rate", tmp_path_factory, make)


@pytest.mark.long
def test_the_ledger_holds_what_the_months_say_to_the_cent(run: Run) -> None:
    months = run.table("monthly_bills")
    assert set(months["month"]) == {"2016-02", "2016-03"}
    assert not months["is_billed"].any()
    assert set(zip(months["days"].round(2), months["of_days"], strict=True)) == {(2.0, 29), (1.0, 31)}
    ledger = run.ledger.filter(polars.col("reason").is_in(OF_THE_RATE))
    assert "second_run" in set(ledger["reason"])
    for (arm, customer), mine in months.group_by(["arm", "customer"]):
        name, posted = f"point {customer}", ledger.filter(polars.col("arm") == arm)
        owed = posted.filter(polars.col("payer") == name)["amount_millicent"].sum()
        owed -= posted.filter(polars.col("payee") == name)["amount_millicent"].sum()
        assert owed == 1000 * mine["amount_cents"].sum()


@pytest.mark.long
def test_what_was_read_in_full_comes_to_the_rates_own_bill(run: Run) -> None:
    """Of a customer all of whose reads of the last day were there, its March is the rate's, billed from its meter alone."""
    zone, rate = ZoneInfo(run.manifest["zone"]), rate_of(RATE).rate
    is_smart = polars.col("arm") == "smart"
    march = run.table("monthly_bills").filter(is_smart & (polars.col("month") == "2016-03"))
    meters = run.meters.filter(is_smart)
    last = meters.filter(polars.col("first_quarter") == meters["first_quarter"].max())
    checked = 0
    for day in last.iter_rows(named=True):
        lines = march.filter(polars.col("customer") == day["meter"])
        if set(day["status"]) != {int(ReadStatus.MEASURED)} or not len(lines):
            continue
        energies = [np.array(day[name])[:, np.newaxis] for name in ("import_kwh", "export_kwh")]
        calendar = Calendar.of(day["first_quarter"] * NS_PER_QUARTER, 96, S_PER_QUARTER, zone)
        taxed = replace(rate, taxes=(Tax("tax", 0.07),))
        alone, _ = accrue(taxed, Use(calendar, *energies), Opening())
        # February's peak lasts into March by half, so only what knows nothing of it is the same.
        energy = [k for k, one in enumerate(alone.lines) if one.rule in ("energy", "net billing", "fixed")]
        stated = lines.filter(polars.col("line").is_in([alone.lines[k].name for k in energy]))["amount_cents"].sum()
        assert stated == alone.in_cents.lines[energy, 0, 0].sum()
        checked += 1
    assert checked


@pytest.mark.long
def test_explain_and_bill_say_each_line_and_that_it_has_accrued(run: Run) -> None:
    found = explain(run.folder, 3, "2016-02-29")
    assert any("2016-02 has accrued by the customer's rate" in one for one in found["remarks"])
    assert not any("not the one that the run recorded" in one for one in found["remarks"])
    lines = [(one["line"], one["amount_millicent"]) for one in found["lines"]]
    names = [name for name, _ in lines]
    assert len(names) == len(set(names))
    assert {"demand", "fixed charge", "tax on energy", "tax on power and minimum"} <= set(names)
    assert any(name.startswith("energy, period 2, tier 1 (up to 13.7931 kWh)") for name in names)
    (day,) = (one for one in run_bill(run.folder, 3)["days"] if one["day"] == "2016-02-29")
    assert sum(amount for _, amount in lines) == sum(one["amount_millicent"] for one in day["lines"])
    done = CliRunner().invoke(main, ["bill", str(run.folder), "3"])
    assert done.exit_code == 0, done.output
    assert "2016-02, accrued for 2 of 29 days: no bill yet" in done.output
    assert "highest power and minimum of the month" in done.output


def test_a_file_that_is_no_rate_is_refused_with_its_field(tmp_path: Path) -> None:
    file = tmp_path / "rate.json"
    file.write_text(json.dumps(RATE | {"fixedchargefirstmeter": "ten"}))
    with pytest.raises(ScenarioError, match=r"tariffs.monthly_rate.file = .*fixedchargefirstmeter"):
        load("town", [f"tariffs.monthly_rate.file={file}"])
    file.write_text(json.dumps(RATE | {"demandwindow": 20}))
    with pytest.raises(ScenarioError, match=r"tariffs.monthly_rate.file = .*demandwindow: 20 minutes are no whole"):
        load("town", [f"tariffs.monthly_rate.file={file}"])
    with pytest.raises(ScenarioError, match=r"tariffs.monthly_rate.file = .*nowhere.json"):
        load("town", ["tariffs.monthly_rate.file=nowhere.json"])


def test_a_file_lies_beside_the_scenario_or_where_the_command_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scenario").mkdir()
    beside, here = tmp_path / "scenario/beside.json", tmp_path / "here.json"
    for file in (beside, here):
        file.write_text(json.dumps(RATE))
    scenario = tmp_path / "scenario/mine.toml"
    scenario.write_text('name = "mine"\n[tariffs.monthly_rate]\nfile = "beside.json"\nshare = 0.25\n')
    monkeypatch.chdir(tmp_path)
    assert load(scenario).sections["tariffs.monthly_rate"].file == str(beside)
    own = load(scenario, ["tariffs.monthly_rate.file=here.json"]).sections["tariffs.monthly_rate"]
    assert (own.file, own.share) == (str(here), 0.25)
