"""A plan's folder: tables, a map, a page, and a network over which the message plane carries readings."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.cli import main
from heptagrid.foundation.errors import OutputError
from heptagrid.report.plan_page import page
from heptagrid.studies.plan.api import plan

SMALL = ["city.customers=700", "plan.meters_per_site=200"]


def test_a_plans_network_carries_its_readings(tmp_path: Path) -> None:
    found = plan("city", ["wi-sun-50k", "lorawan"], settings=SMALL, out=tmp_path / "p", carry_hours=1.0)
    mesh = tmp_path / "p/wi-sun-50k"
    carried = heptagrid.carry(mesh / "network.toml", mesh / "traffic.csv", seed=found.seed)
    told, own = carried.summary(), found.planned[0].carried
    assert own is not None and own["sent"] == told["sent"] == 4 * 700
    assert told["delivered"] == own["delivered"] and told["p95_s"] == own["p95_s"]
    assert own["delivered_pct"] > 99.0
    with (mesh / "meters.csv").open(encoding="utf-8") as file:
        meters = list(csv.DictReader(file))
    with (mesh / "sites.csv").open(encoding="utf-8") as file:
        sites = {row["site"]: int(row["meters"]) for row in csv.DictReader(file)}
    assert len(meters) == 700
    assert sites == {name: sum(row["site"] == name for row in meters) for name in sites}
    drawn = json.loads((mesh / "sites.geojson").read_text(encoding="utf-8"))
    assert len(drawn["features"]) == len(sites)
    html = page(found)
    assert html.count("<svg") == 2 and html.count("<rect") == sum(len(one.plan.place) for one in found.planned)
    with pytest.raises(OutputError, match="--force"):
        plan("city", ["wi-sun-50k"], settings=SMALL, out=tmp_path / "p")


def test_the_command_writes_the_folder_and_the_page(tmp_path: Path) -> None:
    words = [
        "plan",
        "city",
        "--customers",
        "400",
        "--technology",
        "g3-plc",
        "--out",
        str(tmp_path / "p"),
        "--carry",
        "1",
    ]
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 0, told.stderr
    assert "delivered, %" in told.stdout
    assert (tmp_path / "p/plan.html").exists() and (tmp_path / "p/g3-plc/uncovered.csv").exists()
