"""A run with two retailers and two aggregators in one town, beside the same with one of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars
import pytest

import heptagrid
from heptagrid.assembly.world import build_world
from heptagrid.foundation.domains import Domain
from heptagrid.inquiry.explain import explain
from heptagrid.inquiry.replay import scenario_of
from heptagrid.inquiry.trace import trace
from heptagrid.recording.results import Run
from heptagrid.report.bill_text import bill_text
from heptagrid.world.companies import Companies
from tests.conftest import shared_run

pytestmark = pytest.mark.long

ARMS = ("conventional", "smart")
COMPANIES = """
[retailers.stadtwerke]
share = 0.6
[retailers.greenpower]
share = 0.4
[retailers.greenpower.tariffs]
margin_ct_per_kwh = {margin}
[aggregators.flexo]
[aggregators.wattson]
[aggregators.wattson.aggregator]
plan_every_s = 1800
"""


@pytest.fixture(scope="module")
def two(lane_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return shared_run("two_of_each", tmp_path_factory, lambda out: run(lane_file, out, 9.0))


@pytest.fixture(scope="module")
def alike(lane_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Both retailers on the scenario's own terms."""
    own = heptagrid.load(lane_file).sections["tariffs"].margin_ct_per_kwh
    return shared_run("two_alike", tmp_path_factory, lambda out: run(lane_file, out, own))


def run(lane_file: Path, out: Path, margin_ct: float) -> Run:
    out.parent.mkdir(parents=True, exist_ok=True)
    file = out.parent / f"{out.name}.toml"
    file.write_text(lane_file.read_text(encoding="utf-8") + COMPANIES.format(margin=margin_ct), encoding="utf-8")
    return heptagrid.run(file, step_s=900, threads=1, days=2, out=out)


@pytest.fixture(scope="module")
def one(lane_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    def make(out: Path) -> Run:
        return heptagrid.run(lane_file, step_s=900, threads=1, days=2, out=out)

    return shared_run("one_of_each", tmp_path_factory, make)


def companies_of(run: Run) -> Companies:
    return build_world(scenario_of(run.manifest)).companies


def paid(run: Run, arm: str, payer: str, reason: str) -> float:
    """What an account paid for a reason, less what it was paid, in EUR."""
    rows = run.ledger.filter((polars.col("arm") == arm) & (polars.col("reason") == reason))
    out, back = (rows.filter(polars.col(side) == payer)["amount_millicent"].sum() for side in ("payer", "payee"))
    return (out - back) / 1e5


@pytest.mark.parametrize("arm", ARMS)
def test_energy_messages_and_money_are_conserved(two: Run, arm: str) -> None:
    found = two.summary["arms"][arm]
    assert abs(found["energy_mwh"]["residual"]) < 1e-6
    assert found["messages"]["residual"] == 0 and found["messages"]["refused"] == {}
    assert found["money_eur"]["sum"] == 0


@pytest.mark.parametrize("arm", ARMS)
def test_the_companies_books_are_those_of_the_domain(two: Run, arm: str) -> None:
    found = two.summary["arms"][arm]
    books = found["companies"]
    assert [each["name"] for each in books] == [
        *("retailer stadtwerke", "retailer greenpower"),
        *("aggregator flexo", "aggregator wattson"),
    ]
    of_domain = found["money_eur"]["by_domain"][Domain.PROVIDERS]
    assert sum(each["margin_eur"] for each in books) == pytest.approx(of_domain, abs=1e-9)
    assert {*two.ledger["payer"], *two.ledger["payee"]}.isdisjoint({"providers"}), (
        "nothing is paid from the domain's own account"
    )
    for kind in ("retailer", "aggregator"):
        assert sum(each["customers"] for each in books if each["kind"] == kind) == two.summary["customers"]


def test_a_run_with_one_of_each_has_the_same_table_of_companies(one: Run) -> None:
    for arm in ARMS:
        books = one.summary["arms"][arm]["companies"]
        assert [each["name"] for each in books] == ["retailer", "aggregator"]
        assert [each["customers"] for each in books] == [one.summary["customers"]] * 2


def test_on_equal_terms_every_customer_is_billed_by_two_retailers_what_one_bills(alike: Run, one: Run) -> None:
    """In the conventional arm, where nobody's devices know the companies: each bill to the cent, and all fees and taxes."""
    name = "bill_eur_conventional"
    assert alike.bills[name].to_list() == one.bills[name].to_list()
    for reason in ("network_fee", "metering_fee", "taxes"):
        both = sum(paid(alike, "conventional", f"retailer {each}", reason) for each in ("stadtwerke", "greenpower"))
        assert both == pytest.approx(paid(one, "conventional", "retailer", reason), abs=1e-4)


def test_positions_and_losses_are_those_of_one_and_each_imbalance_is_its_own(alike: Run, one: Run) -> None:
    names = [f"retailer {each}" for each in ("stadtwerke", "greenpower")]
    bought = [paid(alike, "conventional", each, "wholesale_energy") for each in names]
    assert all(eur != 0.0 for eur in bought)
    assert sum(bought) == pytest.approx(paid(one, "conventional", "retailer", "wholesale_energy"), rel=1e-6)
    losses = [paid(each, "conventional", "distribution", "losses") for each in (alike, one)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)
    imbalances = [paid(alike, "conventional", each, "imbalance") for each in names]
    assert sum(imbalances) >= paid(one, "conventional", "retailer", "imbalance") - 1e-3, (
        "nobody's surplus nets another's lack"
    )
    books = {each["name"]: each for each in alike.summary["arms"]["conventional"]["companies"]}
    assert [books[each]["imbalance_eur"] for each in names] == pytest.approx(imbalances, abs=1e-9)


def test_each_point_pays_and_is_paid_by_its_own_companies_alone(two: Run) -> None:
    companies = companies_of(two)
    rows = two.ledger.filter(polars.col("arm") == "smart")
    for reasons, names, numbers in (
        (
            ("energy_bill", "standing_charge", "export_credit", "second_run", "final_run"),
            ("stadtwerke", "greenpower"),
            companies.retailer_of,
        ),
        (("flexibility",), ("flexo", "wattson"), companies.aggregator_of),
    ):
        seen = 0
        for row in rows.filter(polars.col("reason").is_in(reasons)).iter_rows(named=True):
            sides = {row["payer"], row["payee"]}
            points = [each for each in sides if each.startswith("point")]
            if points and "outside" not in sides:
                (other,) = sides - set(points)
                assert other.split()[1] == names[int(numbers[int(points[0].split()[1])])]
                seen += 1
        assert seen > 0


def test_customers_of_the_dearer_retailer_pay_its_margin(two: Run, alike: Run) -> None:
    name = "bill_eur_conventional"
    dearer = two.bills[name].to_numpy() > alike.bills[name].to_numpy()
    is_green = companies_of(two).retailer_of[: len(dearer)] == 1
    assert dearer.any() and not (dearer & ~is_green).any()


def test_a_customers_bill_is_explained_with_its_own_retailer(two: Run) -> None:
    companies = companies_of(two)
    for number, name in enumerate(("retailer stadtwerke", "retailer greenpower")):
        customer = int(np.flatnonzero(companies.retailer_of[: two.summary["customers"]] == number)[0])
        found = explain(two.folder, customer)
        assert found["retailer"] == name and found["remarks"] == []
        assert name in bill_text(found)
        aggregator = companies.aggregators[int(companies.aggregator_of[customer])]
        assert found["aggregator"] == f"aggregator {aggregator}"
        if found["devices"]:
            assert f"Aggregator {aggregator} " in bill_text(found)


def test_a_reading_is_traced_to_the_bill_of_its_own_retailer(two: Run) -> None:
    companies = companies_of(two)
    waves = two.waves.filter((polars.col("arm") == "smart") & (polars.col("topic") == "reading"))
    first_id = int(waves.filter(polars.col("messages") == len(companies.retailer_of)).row(140, named=True)["first_id"])
    told = set()
    for number in range(2):
        customer = int(np.flatnonzero(companies.retailer_of == number)[0])
        found = trace(two.folder, first_id + customer)
        assert f"gateway of customer {customer}" in str(found)
        follow = found["consequences"]
        assert {"energy_bill", "standing_charge"} <= {each["reason"] for each in follow["ledger"]}
        told.add(follow["day_reads"]["id"])
    assert len(told) == 2, "each retailer's own message with the day's reads"
