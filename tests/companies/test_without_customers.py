"""A company whose share is so small that no customer is its own: it works, and comes to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import heptagrid

pytestmark = pytest.mark.long

NOBODYS = "[retailers.some]\n[retailers.none]\nshare = 1e-6\n[aggregators.some]\n[aggregators.none]\nshare = 1e-6\n"


def test_a_company_without_customers_comes_to_nothing(lane_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(lane_file.read_text(encoding="utf-8") + NOBODYS, encoding="utf-8")
    run = heptagrid.run(file, step_s=900, threads=1, out=tmp_path / "run")
    for name in ("conventional", "smart"):
        arm = run.summary["arms"][name]
        assert arm["money_eur"]["sum"] == 0 and arm["messages"]["residual"] == 0
        for company in arm["companies"]:
            if company["name"].endswith(" none"):
                figures = {key: value for key, value in company.items() if key not in ("kind", "name")}
                assert set(figures.values()) == {0}, figures
        sold = [one for one in arm["companies"] if one["kind"] == "retailer"]
        assert sold[0]["customers"] == 17 and sold[0]["received_eur"] > 0.0
    assert "NaN" not in (run.folder / "report.html").read_text(encoding="utf-8")
