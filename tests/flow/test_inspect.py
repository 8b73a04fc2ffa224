"""`heptagrid inspect`: what is in a network, and its maps."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from heptagrid.cli import main
from heptagrid.report.network_map import map_svg, map_text
from heptagrid.studies.flow.inventory import drawing, levels, loops
from tests.flow.cases import RING


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    path = tmp_path / "ring.m"
    path.write_text(RING)
    return path


def call(*words: object) -> Result:
    return CliRunner().invoke(main, ["inspect", *map(str, words)])


def test_what_is_in_a_network_is_counted(ring: Path) -> None:
    done = call(ring, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["counts"]["bus"] == {"count": 5, "in_service": 5}
    assert found["counts"]["line"] == {"count": 4, "in_service": 3}
    assert found["counts"]["transformer"] == {"count": 2, "in_service": 2}
    assert found["loads_kw"] == pytest.approx(330e3)
    assert found["shape"] == "meshed, 1 independent loop"
    assert [level["v_base_kv"] for level in found["levels"]] == [230.0, 110.0]


def test_a_network_that_cannot_be_solved_is_told_about_all_the_same(ring: Path) -> None:
    ring.write_text(RING.replace("1 3   0", "1 2   0"))
    done = call(ring, "--json")
    assert done.exit_code == 0 and "no slack bus" in json.loads(done.stdout)["solver"]


def test_the_map_is_drawn_in_the_terminal_and_as_svg(ring: Path, tmp_path: Path) -> None:
    done = call(ring, "--svg", tmp_path / "map.svg")
    assert done.exit_code == 0
    assert any(0x2800 < ord(sign) < 0x2900 for sign in done.stdout) and "■" in done.stdout
    picture = ET.parse(tmp_path / "map.svg").getroot()
    strokes = "".join(path.get("d", "") for path in picture.iter("{http://www.w3.org/2000/svg}path"))
    assert strokes.count("L") == 5 and strokes.count("h0") == 5
    words = [one.text for one in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"1", "2", "3", "4", "9", "230 kV, 3 buses", "110 kV, 2 buses"} <= set(words)
    titles = [one.text for one in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert titles.count("9") == 1 and "source, 1" in titles


def test_a_bus_without_coordinates_stands_between_its_neighbours() -> None:
    x, y = np.array([0.0, np.nan, 4.0]), np.array([0.0, np.nan, 2.0])
    chain = np.array([0, 1]), np.array([1, 2])
    found = drawing(["a", "b", "c"], x, y, np.array([20.0, 20.0, 0.4]), *chain, np.array([0]), np.arange(3))
    assert found.is_surveyed and (found.x[1], found.y[1]) == (2.0, 1.0)
    assert found.level.tolist() == [0, 0, 1]
    assert "coordinates" in map_text(found)


def test_without_coordinates_columns_count_branches_from_the_source() -> None:
    unknown = np.full(5, np.nan)
    found = drawing(
        list("abcde"),
        unknown,
        unknown,
        np.ones(5),
        np.array([0, 1, 1]),
        np.array([1, 2, 3]),
        np.array([0]),
        np.arange(5),
    )
    assert not found.is_surveyed
    assert found.x[:4].tolist() == [1.0, 2.0, 3.0, 3.0] and found.x[4] == 1.0


def test_loops_count_parallel_branches_and_parts() -> None:
    assert loops(4, np.array([0, 0, 1]), np.array([1, 1, 2])) == (1, 2)
    assert loops(3, np.array([0, 1]), np.array([1, 2])) == (0, 1)


def test_without_coordinates_no_two_strokes_cross() -> None:
    """A trunk of six with laterals of two, of which some fork."""
    pairs = [
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
        (4, 5),
        (1, 6),
        (6, 7),
        (6, 8),
        (1, 9),
        (9, 10),
        (2, 11),
        (11, 12),
        (11, 13),
        (3, 14),
    ]
    from_bus, to_bus = np.array(pairs).T
    unknown = np.full(15, np.nan)
    found = drawing(
        [str(k) for k in range(15)], unknown, unknown, np.ones(15), from_bus, to_bus, np.array([0]), np.arange(15)
    )
    assert len(set(zip(found.x.tolist(), found.y.tolist(), strict=True))) == 15
    assert len({found.y[k] for k in range(6)}) == 1, "the longest way is straight"
    for a, b in pairs:
        for c, d in pairs:
            if found.x[a] == found.x[c]:
                assert (found.y[a] - found.y[c]) * (found.y[b] - found.y[d]) >= 0.0


def test_the_inside_of_an_element_is_no_bus_and_buses_joined_by_couplings_are_counted_each() -> None:
    """Bus 1 is the inside of something; the file's b and c are one bus."""
    place = np.arange(3.0)
    found = drawing(
        ["a", "b", "c"],
        place,
        place,
        np.ones(3),
        np.array([0, 1]),
        np.array([1, 2]),
        np.array([0]),
        np.array([0, 2, 2]),
    )
    assert list(found.names) == ["a", "", "b, c"] and found.level_buses == [3]
    assert levels(np.ones(3), np.ones(3), np.array([0, 2, 2]))[0].buses == 3
    picture = map_svg(found, "three")
    assert picture.count("h0") == 2 and "1 kV, 3 buses" in picture
