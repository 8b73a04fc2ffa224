"""The map of a communication network: nodes where the file puts them, every hop once, and a cross on who is out of reach."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.report.communication_map import communication_map
from heptagrid.studies.carry.api import carry
from heptagrid.studies.carry.layout import layout
from heptagrid.studies.carry.medium_rows import SHARED_QUEUE

PLACES = {"a": (0, 0), "b": (0, 80), "c": (60, 140), "far <1>": (1000, 0), "centre": (0, 1000)}
MEDIA = """
[[medium]]
name = "street"
access = "csma-ca"
members = ["a", "b", "c", "far <1>"]
rate_bps = 50e3
range_m = 100
[[link]]
from = "a"
to = "centre"
rate_bps = 1e6
[[link]]
from = "centre"
to = "a"
rate_bps = 1e6
[[medium]]
access = "queue"
members = ["centre", "a"]
rate_bps = 1e6
"""


def files(folder: Path, is_surveyed: bool = True) -> list[str]:
    places = {name: f"x_m = {x}\ny_m = {y}" if is_surveyed else "" for name, (x, y) in PLACES.items()}
    nodes = "".join(f'[[node]]\nname = "{name}"\n{place}\n' for name, place in places.items())
    (folder / "network.toml").write_text(nodes + MEDIA)
    rows = [f"{k},{name},centre,100" for k, name in enumerate(("a", "b", "c", "far <1>"))]
    (folder / "traffic.csv").write_text("\n".join(["sent_s,source,destination,bytes", *rows]) + "\n")
    return [str(folder / "network.toml"), str(folder / "traffic.csv")]


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_hops_are_drawn_once_and_only_where_they_are_in_reach(tmp_path: Path) -> None:
    """a to b are 80 m, b to c 85 m, a to c 152 m; 100 m are in reach. The fourth is 1 km away from all."""
    carried = carry(*map(Path, files(tmp_path)))
    found = layout(carried.network, carried.uncovered)
    assert found.is_surveyed and found.x_m.tolist() == [0, 0, 60, 1000, 0]
    hops = {one.name: one for one in found.hops}
    assert hops["links"].pairs.tolist() == [[0, 4]], "there and back is one stroke"
    assert hops["street"].pairs.tolist() == [[0, 1], [1, 2]]
    assert (hops[SHARED_QUEUE].pairs.tolist(), hops[SHARED_QUEUE].members.tolist()) == ([], [0, 4])
    assert found.is_uncovered.tolist() == [False, False, False, True, False]


def test_the_cross_stands_on_the_uncovered_node(tmp_path: Path) -> None:
    words = [*files(tmp_path), "--svg", str(tmp_path / "map.svg")]
    result = CliRunner().invoke(main, ["carry", *words])
    assert result.exit_code == 0, result.output
    assert result.output.rstrip().endswith(f"map: {tmp_path / 'map.svg'}")
    svg = (tmp_path / "map.svg").read_text()
    [group] = [one for one in ElementTree.fromstring(svg).iter() if one.get("class") == "uncovered"]
    [cross] = list(group)
    # 1,000 m by 1,000 m fill 1,000 by 1,000 beside a margin of 30; the node stands in the lower right corner.
    assert cross.get("d") == "M1023.0 1023.0l14 14m0 -14l-14 14"
    assert cross[0].text == "far <1>: uncovered"
    legend = texts(svg)
    for words_of_legend in (
        "5 nodes; placed by the file's coordinates",
        "links: 1 pair of nodes",
        "street: 2 pairs of nodes",
        "shared queue: 2 members, each in reach of each; drawn from their middle",
        "uncovered, 1 of these nodes: out of reach of those that they exchange messages with",
    ):
        assert words_of_legend in legend
    assert "far <1>" in legend, "names are escaped, once"


def test_without_coordinates_the_map_says_so(tmp_path: Path) -> None:
    carried = carry(*map(Path, files(tmp_path, is_surveyed=False)))
    svg = communication_map(layout(carried.network, carried.uncovered), "no places")
    assert "5 nodes; the file has no coordinates: in a circle, in its order" in texts(svg)
    assert not any("uncovered" in words for words in texts(svg)), "all at one point reach each other"
    circles = list(ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}circle"))
    assert len({(one.get("cx"), one.get("cy")) for one in circles}) == 6, "five places, and the legend's"


@pytest.mark.parametrize("same", ["network.toml", "traffic.csv", "out.csv"])
def test_a_map_takes_the_place_of_nothing_else(same: str, tmp_path: Path) -> None:
    words = [*files(tmp_path), "--out", str(tmp_path / "out.csv"), "--svg", str(tmp_path / same)]
    before = (tmp_path / "network.toml").read_bytes()
    result = CliRunner().invoke(main, ["carry", *words])
    assert result.exit_code == 5 and same in result.output
    assert (tmp_path / "network.toml").read_bytes() == before and not (tmp_path / "out.csv").exists()
