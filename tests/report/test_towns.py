"""The page of a run with several towns: each town is drawn and told by itself, and what is of all is said to be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars

from heptagrid.assembly.place_names import Places
from heptagrid.assembly.world import build_world
from heptagrid.recording.results import Run
from heptagrid.report.areas import areas_of
from heptagrid.report.headline import changes
from heptagrid.report.several_terminal import tables_of_several
from heptagrid.report.towns import towns_of, towns_section
from heptagrid.scenario.load import DATA, load
from tests.report.summaries import summary


def town(name: str, peak_kw: float) -> dict[str, Any]:
    return {
        "name": name,
        "bus": 9 if name == "east" else 3,
        "customers": 500,
        "substations": 7,
        "imported_mwh": 10.0,
        "exported_mwh": 0.0,
        "lost_mwh": 0.5,
        "peak_kw": peak_kw,
        "peak_at": "2016-01-27T17:45:00+01:00",
        "customers_min_pu": 0.97,
        "customers_max_pu": 1.03,
        "violation_customer_minutes": 0.0,
        "max_transformer_pct": 60.0,
    }


def section(text: str, name: str) -> str:
    found = re.search(rf'<section id="{name}">.*?</section>', text, re.DOTALL)
    return found[0] if found else ""


def test_a_table_sets_towns_and_arms_side_by_side() -> None:
    made = summary()
    made["arms"]["conventional"]["towns"] = [town("east", 3000.0), town("west", 2000.0)]
    made["arms"]["smart"]["towns"] = [town("east", 2800.0), town("west", 2050.0)]
    manifest = {"zone": "UTC", "dates": []}
    shown = towns_section(made, manifest, None)
    rows = [re.findall(r"<td>(.*?)</td>", one) for one in re.findall(r"<tr>(.*?)</tr>", shown)]
    assert ["<b>west</b>", "–", "–", "3", "500", "7"] in rows
    peaks = [(one[0], one[1], one[3]) for one in rows if len(one) > 6]
    assert peaks == [
        ("<b>east</b>", "conventional", "3\u202f000"),
        ("", "smart", "2\u202f800"),
        ("", "difference", "\u2212200"),
        ("<b>west</b>", "conventional", "2\u202f000"),
        ("", "smart", "2\u202f050"),
        ("", "difference", "+50"),
    ]
    assert "exported" not in shown, "a column of zeros says nothing"


def test_a_town_without_customers_has_no_range_of_voltages() -> None:
    made = summary()
    for arm in made["arms"].values():
        nobody = {"customers": 0, "customers_min_pu": None, "customers_max_pu": None}
        arm["towns"] = [town("east", 3000.0), town("west", 40.0) | nobody]
    (table,) = tables_of_several(made)
    assert list(table.columns[4].cells) == ["0.970 to 1.030"] * 2 + ["–"] * 2


def test_places_are_called_by_their_towns_and_events_by_what_they_meet(tmp_path: Path) -> None:
    for name, where, called in (("two-towns", "all towns", " in west"), ("town", "the whole town", "")):
        file = tmp_path / f"{name}.toml"
        event = '\n[[events]]\nkind = "blackout"\nbegin = 3600.0\nwhere = "all"\nduration_s = 600.0\n'
        file.write_text((DATA / f"{name}.toml").read_text(encoding="utf-8") + event, encoding="utf-8")
        world = build_world(load(file))
        assert world.events[0].where == where
        last = len(world.endpoints.concentrators) - 1
        said = Places(world).name(int(world.endpoints.concentrators[last]))
        assert said == f"concentrator of substation {last}{called}"


def test_an_import_of_several_towns_is_theirs() -> None:
    assert "cut the towns' peak import" in changes(summary(), "towns")
    assert "cut the town's peak import" in changes(summary(), "town")


def test_towns_are_drawn_by_themselves(two_towns_day: Run) -> None:
    lists = {f"{name}_list": two_towns_day.table(f"{name}_list") for name in ("node", "transformer", "customer")}
    names = towns_of(two_towns_day.summary)
    east, west = areas_of(lists, names)
    assert (east.name, west.name) == ("east", "west")
    for area in (east, west):
        assert (area.nodes["parent"].to_numpy() < np.arange(len(area.nodes))).all()
        assert area.customers["node"].is_between(0, len(area.nodes) - 1).all()
        assert area.nodes["bus"].str.starts_with(f"{area.name}/").all()
        assert np.ptp(area.nodes["longitude_deg"].to_numpy()) < 0.1, "the towns are 20 km apart, each is small"
    (only,) = areas_of(lists, [""])
    assert only.nodes is lists["node_list"]


def test_the_page_tells_towns_apart(two_towns_day: Run) -> None:
    text = two_towns_day.report.read_text(encoding="utf-8")
    assert "17\u202f544 customers in 2 towns" in text
    assert "Peak import of all towns" in text
    maps = re.findall(r"<figcaption>([^<]*)</figcaption><svg class=\"map\"", section(text, "town"))
    assert maps == ["east, conventional", "east, smart", "west, conventional", "west, smart"]
    beside = section(text, "towns")
    assert "Import of east" in beside
    assert "Import of west" in beside
    assert "nb-iot" in beside
    assert "The same towns are run twice" in text
    assert "towns.west.messages.access" in section(text, "assumptions")
    said = re.sub(r'<section id="assumptions">.*?</section>|Map of the town,', "", text, flags=re.DOTALL)
    assert not re.search(r"\bnan\b|\bthe town\b", said, re.IGNORECASE)


def test_the_page_of_one_town_has_no_table_of_towns(day: Run) -> None:
    text = day.report.read_text(encoding="utf-8")
    assert not section(text, "towns")
    assert "towns and companies" not in text


def test_an_open_line_is_drawn_to_the_bus_that_it_would_lead_to(day: Run) -> None:
    network = (world := build_world(load("town"))).network
    nodes = day.table("node_list").with_columns(polars.Series("open", network.bus_of_node < 0))
    names, lines = world.grid.buses.names, world.grid.lines
    opened = nodes.filter("open")
    assert len(opened) == 8
    for line, bus, parent in opened.select("line", "bus", "parent").iter_rows():
        ends = {names[lines.from_bus[line]], names[lines.to_bus[line]]}
        assert bus in ends
        assert network.node_of_bus[names.tolist().index(bus)] != parent
