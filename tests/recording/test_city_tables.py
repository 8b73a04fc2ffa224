"""What a city keeps: days of nodes in pieces are the days of a town's table, voltages and reads are rounded to their step, a sample has its share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.cli import main
from heptagrid.foundation.errors import UsageError
from heptagrid.recording import node_quarters
from heptagrid.recording.node_quarters import NodeQuarters
from heptagrid.recording.pieces import read_days
from heptagrid.recording.section import Parameters, rounded
from heptagrid.recording.tables import TableWriter, as_tables, join_parts, parts_of

FULL = ["record.voltages=all", "record.voltage_step_pu=0", "record.read_step_wh=0", "record.transformers=steps"]


def days_of_nodes(folder: Path, nodes: int, *, spools: bool = False) -> list[Path]:
    """Two days of random voltages, the second stopped after an hour; the parts."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    writer = TableWriter(folder, "smart.000", {"arm": "smart", "run_day": 0}, spools)
    kept = NodeQuarters(nodes, Parameters())
    for first, quarters in ((0, 96), (96, 4)):
        for quarter in range(first, first + quarters):
            for _ in range(2):
                kept.follow(rng.uniform(0.95, 1.05, nodes), 450.0)
            kept.keep(quarter, writer)
        kept.write_day(writer)
    return parts_of(folder, "nodes")


def test_days_in_pieces_are_the_same_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = 9000  # more than a block
    whole = days_of_nodes(tmp_path / "whole", nodes)
    monkeypatch.setattr(node_quarters, "_PIECE", 5 * nodes)  # of eight quarter hours, for hours are whole
    pieces = days_of_nodes(tmp_path / "pieces", nodes)
    assert (len(whole), len(pieces)) == (2, 13)
    expected = pl.concat([pl.read_parquet(one) for one in whole])
    assert expected["v_min_pu"].list.len().unique().sort().to_list() == [4, 96]
    assert read_days(pieces).equals(expected)
    join_parts(tmp_path / "pieces", tmp_path)
    assert pl.read_parquet(tmp_path / "nodes.parquet").equals(expected)
    assert list((tmp_path / "pieces").iterdir()) == []


def test_a_live_grid_holds_four_hours_of_the_towns_nodes_and_tells_the_same(tmp_path: Path) -> None:
    nodes = 9000
    whole, pieces = days_of_nodes(tmp_path / "whole", nodes), days_of_nodes(tmp_path / "live", nodes, spools=True)
    assert (len(whole), len(pieces)) == (2, 7)
    with as_tables(pieces) as tables:
        assert read_days(tables).equals(pl.concat([pl.read_parquet(one) for one in whole]))
    for one in ("whole", "live"):
        (tmp_path / f"{one}-joined").mkdir()
        join_parts(tmp_path / one, tmp_path / f"{one}-joined")
    joined, expected = (pl.read_parquet(tmp_path / f"{one}-joined" / "nodes.parquet") for one in ("live", "whole"))
    assert joined.equals(expected)


def test_rounding_is_by_half_a_step_at_most() -> None:
    values = np.random.default_rng(2).uniform(0.9, 1.1, 1000).astype(np.float32)
    steps = rounded(values, 0.0001).astype(np.float64) / 0.0001
    assert np.abs(steps - np.rint(steps)).max() < 1e-3, "but for the last bit of 32"
    assert np.abs(rounded(values, 0.0001) - values).max() <= 0.00005 + 1e-7
    assert rounded(values, 0.0) is values


@pytest.fixture(scope="module")
def small_cities(tmp_path_factory: pytest.TempPathFactory) -> tuple[heptagrid.Run, heptagrid.Run]:
    """A day of a small city in quarter hours, as a city is recorded and with everything that is computed."""
    out, settings = tmp_path_factory.mktemp("cities"), ["city.customers=1200"]
    compact = heptagrid.run(
        "city", settings=settings, step_s=900, single="conventional", threads=1, out=out / "compact"
    )
    full = heptagrid.run(
        "city", settings=settings + FULL, step_s=900, single="conventional", threads=1, out=out / "full"
    )
    return compact, full


def test_what_is_recorded_changes_nothing_else(small_cities: tuple[heptagrid.Run, heptagrid.Run]) -> None:
    compact, full = small_cities
    assert compact.manifest["ledger_chain"] == full.manifest["ledger_chain"]
    assert compact.table("node_list").equals(full.table("node_list")), "worst voltages are those computed"
    assert compact.summary["arms"]["conventional"]["energy_mwh"] == full.summary["arms"]["conventional"]["energy_mwh"]


def test_a_city_keeps_rounded_extremes_and_reads(small_cities: tuple[heptagrid.Run, heptagrid.Run]) -> None:
    compact, full = small_cities
    for name, step in (("v_min_pu", 0.0001), ("v_max_pu", 0.0001)):
        off = compact.nodes[name].explode().to_numpy() - full.nodes[name].explode().to_numpy()
        assert 0.0 < np.abs(off).max() <= step / 2 + 1e-7
    assert "v_mean_pu" in full.nodes.columns and "v_mean_pu" not in compact.nodes.columns
    for name in ("import_kwh", "export_kwh"):
        read = compact.meters[name].explode().to_numpy().astype(np.float64) * 1000.0
        assert np.abs(read - np.rint(read)).max() < 1e-3, "whole Wh"
        assert np.abs(read / 1000.0 - full.meters[name].explode().to_numpy()).max() <= 0.0005 + 1e-6
    assert len(compact.transformers) == 96 * len(compact.table("transformer_list"))


def test_disk_of_a_customers_day(small_cities: tuple[heptagrid.Run, heptagrid.Run]) -> None:
    """0.7 kB are what a city may take; what one of a million takes is measured in benchmarks/results.py."""
    tables = ("nodes", "meters", "node_list", "customer_list", "bills", "transformers", "ledger")
    bytes_of = [(small_cities[0].folder / f"{name}.parquet").stat().st_size for name in tables]
    assert sum(bytes_of) / 1200 < 700.0


def test_curves_are_those_of_the_tables(small_cities: tuple[heptagrid.Run, heptagrid.Run]) -> None:
    run = small_cities[0]
    reads, members = run.meters.sort("meter"), run.table("customer_list")
    name = run.table("transformer_list")["name"][int(members["transformer"][7])]
    mine = members.filter(pl.col("transformer") == members["transformer"][7])["customer"].to_numpy()
    import_kwh = np.array(reads["import_kwh"].to_list())
    day, curve = run.customer(7), run.substation(name)
    assert day["import_kwh"].to_numpy() == pytest.approx(import_kwh[7])
    volts = run.nodes.filter(pl.col("node") == members["node"][7])["v_min_pu"][0]
    assert day["v_min_pu"].to_list() == volts.to_list()
    assert str(day["time"][0]) == "2016-01-27 00:00:00+01:00" and len(day) == len(curve) == 96
    assert curve["customers"].unique().to_list() == [len(mine)] and len(mine) > 5
    assert curve["import_kw"].to_numpy() == pytest.approx(4.0 * import_kwh[mine].sum(axis=0))
    assert (curve["v_min_pu"] <= day["v_min_pu"]).all() and (curve["v_max_pu"] >= day["v_max_pu"]).all()
    shares = run.percentiles("import_kwh", [50, 100])
    assert shares["p50"].to_numpy() == pytest.approx(np.median(import_kwh[:1200], axis=0))
    assert shares["p100"].to_numpy() == pytest.approx(import_kwh[:1200].max(axis=0))
    assert run.percentiles("v_min_pu", [0])["p0"].min() == pytest.approx(run.nodes["v_min_pu"].explode().min())


def test_what_has_no_curve_is_said(small_cities: tuple[heptagrid.Run, heptagrid.Run]) -> None:
    run = small_cities[0]
    for ask, words in (
        (lambda: run.customer(1200), "no customer 1200"),
        (lambda: run.substation("T0"), "no transformer 'T0'"),
        (lambda: run.percentiles("v_mean_pu"), "did not keep v_mean_pu"),
        (lambda: run.percentiles("status"), "no percentiles of 'status'"),
        (lambda: run.percentiles("import_kwh", [101]), "from 0 to 100"),
        (lambda: run.customer(0, "smart"), "no arm 'smart'"),
    ):
        with pytest.raises(UsageError, match=words):
            ask()


def test_a_curve_is_printed_or_written(small_cities: tuple[heptagrid.Run, heptagrid.Run], tmp_path: Path) -> None:
    run = small_cities[0]
    told = CliRunner().invoke(main, ["curve", str(run.folder), "--customer", "7"])
    assert told.exit_code == 0 and told.output == run.customer(7).write_csv()
    asked = ["curve", str(run.folder), "--percentiles", "v_min_pu", "--out", str(tmp_path / "v.csv")]
    assert CliRunner().invoke(main, asked).output == ""
    assert (tmp_path / "v.csv").read_text(encoding="utf-8").startswith("time,p1,p5,p25,p50,p75,p95,p99\n2016-01-27T00:")
    assert CliRunner().invoke(main, ["curve", str(run.folder)]).exit_code == 2
