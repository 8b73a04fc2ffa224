"""The page of a city: one map and one reading for all its areas, whose size does not grow with the city; tables that are cut say so."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

from heptagrid.recording.results import Run
from heptagrid.report import town as town_module
from heptagrid.report.city_map import SQUARE, city_maps
from heptagrid.report.profile import distances_km, envelope_charts
from heptagrid.report.several_terminal import tables_of_several
from heptagrid.report.town import town_section
from heptagrid.report.town_map import VOLTAGE_CLASSES, class_of, worst_pct
from heptagrid.report.towns import MOST_CHARTS, MOST_ROWS, greatest, towns_of, towns_section
from tests.report.summaries import summary
from tests.report.test_towns import town

ARMS = ["conventional", "smart"]


@pytest.fixture(scope="module")
def lists(two_towns_day: Run) -> dict[str, pl.DataFrame]:
    return {f"{name}_list": two_towns_day.table(f"{name}_list") for name in ("node", "transformer", "customer")}


def test_many_nodes_are_drawn_on_one_map_for_each_arm(
    lists: dict[str, pl.DataFrame], two_towns_day: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = towns_of(two_towns_day.summary)
    assert town_section(lists, ARMS, "towns", names).count('<svg class="map"') == 4, "a map for each town and arm"
    monkeypatch.setattr(town_module, "MOST_DRAWN", 1000)
    shown = town_section(lists, ARMS, "towns", names)
    assert re.findall(r"<figcaption>([^<]*)</figcaption><svg class=\"map city\"", shown) == ARMS
    assert shown.count(">east</text>") == shown.count(">west</text>") == 2
    assert "about as far" in shown and shown.count("Voltage over distance") == 4, (
        "title and label of a chart for each arm"
    )


def test_a_square_has_the_worst_voltage_of_its_nodes(lists: dict[str, pl.DataFrame]) -> None:
    nodes = lists["node_list"]
    shown = city_maps(lists, {"smart": "smart"}, ["east", "west"])
    strokes = dict(re.findall(r'<path class="square (v\d)" d="([^"]*)"', shown))
    found = {
        style for _, _, style in (VOLTAGE_CLASSES[k] for k in set(class_of(VOLTAGE_CLASSES, worst_pct(nodes, "smart"))))
    }
    assert VOLTAGE_CLASSES[int(class_of(VOLTAGE_CLASSES, max(worst_pct(nodes, "smart"), key=abs)))][2] in strokes
    assert set(strokes) <= found
    squares = sum(int(length) // SQUARE for path in strokes.values() for length in re.findall(r"h(\d+)", path))
    assert 0 < squares <= len(nodes)


def test_an_envelope_holds_all_nodes(lists: dict[str, pl.DataFrame]) -> None:
    nodes = lists["node_list"]
    farthest_km, (chart,) = envelope_charts(nodes, {"smart": "smart"})
    assert farthest_km == distances_km(nodes["parent"].to_numpy(), nodes["length_km"].to_numpy()).max()
    assert len(chart) < 20_000


def test_a_map_does_not_grow_with_its_city() -> None:
    """Half a million nodes at random, with voltages at random, are the worst there is."""
    rng, count, stations = np.random.default_rng(3), 500_000, 20_000
    place = {"longitude_deg": 10.0 + rng.uniform(0.0, 1.0, count), "latitude_deg": 50.0 + rng.uniform(0.0, 0.7, count)}
    nodes = pl.DataFrame(
        place
        | {
            "parent": np.maximum(np.arange(count) - 1, -1),
            "line": np.arange(count),
            "line_name": "x",
            "length_km": 0.01,
        }
        | {
            "vn_kv": np.where(np.arange(count) % 50 == 0, 20.0, 0.4),
            "branch_peak_pct_smart": rng.uniform(0, 120, count),
        }
        | {"v_min_smart": rng.uniform(0.85, 1.0, count), "v_max_smart": rng.uniform(1.0, 1.15, count)}
    )
    transformers = (
        nodes.head(stations)
        .select("longitude_deg", "latitude_deg")
        .with_columns(
            name=pl.lit("T"),
            sn_kva=400.0,
            peak_pct_smart=rng.uniform(0, 120, stations),
            missed_smart=rng.integers(0, 5, stations),
        )
    )
    customers = pl.DataFrame({"node": np.arange(count), "outside_min_smart": rng.uniform(0.0, 9.0, count)})
    lists = {"node_list": nodes, "transformer_list": transformers, "customer_list": customers}
    assert len(city_maps(lists, {"smart": "smart"}, ["a"])) < 2_500_000


def test_towns_of_which_no_peak_is_known_come_last() -> None:
    made = summary()
    for arm in made["arms"].values():
        arm["towns"] = [town("a", 5.0), town("b", 3.0) | {"peak_kw": None}, town("c", 4.0)]
    assert greatest(made, 2) == [0, 2]


def test_tables_of_many_towns_are_cut_and_say_so() -> None:
    made = summary()
    for arm in made["arms"].values():
        arm["towns"] = [town(f"area-{k + 1}", 100.0 * ((7 * k) % 30)) for k in range(30)]
    manifest = {"zone": "UTC", "dates": ["d"]}
    infeeds = pl.DataFrame(
        {"arm": ["smart"] * 60, "run_day": [0] * 60, "time_ns": [0, 3600 * 10**9] * 30}
        | {"town": np.repeat(np.arange(30), 2), "p_kw": np.arange(60.0)}
    )
    shown = towns_section(made, manifest, infeeds)
    kept = [f"area-{k + 1}" for k in greatest(made, MOST_ROWS)]
    assert len(kept) == MOST_ROWS and kept[0] != "area-1"
    assert re.findall(r"<td><b>(area-\d+)</b></td>", shown) == kept * 2
    assert f"show {MOST_ROWS} of 30 areas" in shown
    assert len(re.findall(r"<figcaption>", shown)) == MOST_CHARTS
    (table,) = tables_of_several(made)
    assert table.row_count == 2 * MOST_ROWS and f"{MOST_ROWS} of 30 areas" in str(table.caption)
