"""Distances count on every medium: who is in reach, who hears whom, and who is out of everyone's reach."""

from __future__ import annotations

import math
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.planes.messages.technology import technologies
from heptagrid.studies.carry.medium_rows import METHOD_DEFAULTS
from heptagrid.studies.carry.network_file import build_network
from tests.carry.networks import WORDS, carried
from tests.carry.reference import Message

S = 1_000_000_000


def pair(far_m: float, **medium: Any) -> dict[str, Any]:
    nodes = [{"name": "g"}, {"name": "d", "x_m": far_m}]
    return {"node": nodes, "medium": [{"members": ["g", "d"], **medium}]}


def share_at(far_m: float, **medium: Any) -> float:
    """Of 200 messages, one every ten seconds, from a device to the base."""
    found = carried(pair(far_m, **medium), [Message(k, 10 * k * S, 1, 0, 20) for k in range(200)], 1)
    return float(np.mean(found.delivered_ns >= 0))


@pytest.mark.parametrize("name", [name for name, each in technologies().items() if each.medium and each.budget])
def test_nothing_arrives_beyond_the_link_budget_on_any_medium(name: str) -> None:
    """Twice the reach of the budget: 10 dB and more below the sensitivity, every frame of a thousand is lost."""
    budget = technologies()[name].budget
    assert budget is not None
    assert share_at(2.0 * budget.reach_m(-1.0), technology=name) == 0.0
    assert share_at(2.0 * budget.reach_m(-1.0), technology=name, range_m=math.inf) == 0.0
    assert share_at(1.0, technology=name) > 0.95


def test_wi_fi_delivers_nothing_at_200_m_as_medium_or_link() -> None:
    """20 dBm less 40 + 35 lg 200 = 120.5 dB are 26.5 dB below the -74 dBm that 24 Mbit/s need."""
    assert share_at(200.0, technology="wi-fi") == 0.0
    link = {"from": "d", "to": "g", "technology": "wi-fi"}
    tables = {"node": pair(200.0)["node"], "link": [link]}
    found = carried(tables, [Message(k, 10 * k * S, 1, 0, 20) for k in range(200)], 1)
    assert (found.delivered_ns < 0).all()


def test_a_written_range_holds_whatever_the_budget() -> None:
    assert share_at(31.0, technology="wi-fi", range_m=30) == 0.0
    assert share_at(29.0, technology="wi-fi", range_m=30) > 0.95
    assert share_at(10_001.0, access="csma", rate_bps=1e6, range_m=10_000) == 0.0
    assert share_at(400.0, technology="wi-fi", range_m=500, loss=0.0) == 1.0


@pytest.mark.parametrize("method", sorted(METHOD_DEFAULTS))
def test_range_and_budget_hold_whatever_the_method(method: str) -> None:
    """Wi-Fi reaches some 40 m; without a technology those who are too far apart relay, through a queue too."""
    given = {"access": method, "slot_s": 0.01} if method in ("tdma", "slotted-aloha") else {"access": method}
    assert share_at(200.0, technology="wi-fi", **given) == 0.0
    assert share_at(31.0, technology="wi-fi", range_m=30, **given) == 0.0
    assert share_at(31.0, rate_bps=1e6, range_m=30, **given) == 0.0
    assert share_at(29.0, rate_bps=1e6, range_m=30, **given) == 1.0
    nodes = [{"name": name, "x_m": x} for name, x in (("a", 0.0), ("b", 25.0), ("c", 50.0))]
    medium = {"members": ["a", "b", "c"], "rate_bps": 1e6, "range_m": 30, **given}
    found = carried({"node": nodes, "medium": [medium]}, [Message(0, 0, 0, 2, 20)], 1)
    assert (WORDS[found.status[0]], found.hops[0]) == ("delivered", 2)
    found = carried({"node": nodes, "medium": [medium | {"technology": "wi-fi"}]}, [Message(0, 0, 0, 2, 20)], 1)
    assert WORDS[found.status[0]] == "uncovered"


@pytest.mark.parametrize("method", ["csma", "csma-ca", "dcf", "tdma", "queue"])
def test_a_frame_is_lost_by_distance_whatever_the_method(method: str) -> None:
    """At 38 m Wi-Fi is 20 - 40 - 35 lg 38 + 74 = -1.3 dB above its sensitivity, so 1 / (1 + 9 / 10^0.43) = 0.23 of its frames fail."""
    given = {"access": method, "slot_s": 0.01} if method == "tdma" else {"access": method}
    share = share_at(38.0, technology="wi-fi", retries=0, ack_s=0.001, **given)
    assert share == pytest.approx(0.99 * 0.77, abs=0.09)


def test_stations_of_a_single_hop_technology_do_not_relay() -> None:
    nodes = [{"name": name, "x_m": x} for name, x in (("a", 0.0), ("b", 25.0), ("c", 50.0))]
    tables = {"node": nodes, "medium": [{"members": ["a", "b", "c"], "technology": "wi-fi"}]}
    found = carried(tables, [Message(0, 0, 0, 1, 20), Message(1, S, 0, 2, 20)], 1)
    assert [WORDS[status] for status in found.status] == ["delivered", "uncovered"]
    tables["medium"][0]["technology"] = "ieee-802.15.4"  # whose routers relay
    found = carried(tables, [Message(0, 0, 0, 2, 20)], 1)
    assert (WORDS[found.status[0]], found.hops[0]) == ("delivered", 2)


def test_one_meter_out_of_reach_is_reported_and_the_others_are_served(tmp_path: Path) -> None:
    """99 meters within 250 m of a Wi-SUN border router, one at 1.5 km from everyone."""
    random = np.random.default_rng(3)
    places = [(0.0, 0.0), *random.uniform(-170.0, 170.0, (99, 2)).tolist(), (1500.0, 0.0)]
    names = ["g", *(f"m{k}" for k in range(100))]
    text = "".join(
        f'[[node]]\nname = "{name}"\nx_m = {x}\ny_m = {y}\n' for name, (x, y) in zip(names, places, strict=True)
    )
    text += f'[[medium]]\ntechnology = "wi-sun-50k"\nmembers = {names}\n'.replace("'", '"')
    network, traffic, out = tmp_path / "network.toml", tmp_path / "traffic.csv", tmp_path / "out.csv"
    network.write_text(text)
    traffic.write_text("sent_s,source,destination,bytes\n" + "".join(f"{k},m{k},g,100\n" for k in range(100)))
    result = CliRunner().invoke(main, ["carry", str(network), str(traffic), "--out", str(out)])
    assert result.exit_code == 0, result.output
    counts = dict(line.split(maxsplit=1) for line in result.output.splitlines() if " " in line)
    assert (counts["delivered"], counts["uncovered"], counts["uncovered_nodes"]) == ("99", "1", "'m99'")
    assert out.read_text().splitlines()[-1] == "99,m99,g,100,,uncovered,0"


def test_who_reaches_whom_in_a_large_mesh_takes_memory_for_hops_and_not_for_pairs() -> None:
    """6000 members 1 m apart in a line, each of which reaches its neighbours: 2 x 5999 hops. A table of all pairs takes 288 MB."""
    names = [f"n{k}" for k in range(6000)]
    nodes = [{"name": name, "x_m": float(k)} for k, name in enumerate(names)]
    medium = {"members": names, "access": "csma-ca", "rate_bps": 1e6, "range_m": 1.5, "loss": 0.0}
    tracemalloc.start()
    network = build_network({"node": nodes, "medium": [medium]}, "network")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    ends = np.stack([network.graph.source, network.graph.destination])
    assert ends.shape == (2, 2 * 5999) and (np.abs(ends[0] - ends[1]) == 1).all()
    assert most < 200e6


def test_four_hundred_pairs_out_of_each_others_reach_do_not_collide() -> None:
    """ALOHA, all at once, each pair 10 km from the next."""
    nodes = [
        {"name": f"{end}{k}", "x_m": 1e4 * k, "y_m": y} for k in range(400) for end, y in (("s", 0.0), ("r", 50.0))
    ]
    members = [node["name"] for node in nodes]
    tables = {"node": nodes, "medium": [{"access": "aloha", "rate_bps": 5e4, "range_m": 100, "members": members}]}
    found = carried(tables, [Message(k, 0, 2 * k, 2 * k + 1, 100) for k in range(400)], 1)
    assert (found.status == 0).all()


def test_four_hundred_frames_at_one_receiver_all_collide() -> None:
    nodes = [{"name": f"n{k}", "x_m": float(k)} for k in range(401)]
    medium = {"access": "aloha", "rate_bps": 5e4, "members": [node["name"] for node in nodes]}
    messages = [Message(k, k, 1 + k, 0, 100) for k in range(400)]
    found = carried({"node": nodes, "medium": [medium]}, messages, 1)
    assert {WORDS[status] for status in found.status} == {"collision"}


@pytest.mark.parametrize(
    ("name", "reach_m"), [("g3-plc", 616.7), ("g3-plc-fcc", 427.3), ("prime", 584.6), ("bpl", 166.7)]
)
def test_a_power_line_station_is_heard_as_far_as_its_budget_reaches(name: str, reach_m: float) -> None:
    """(sent - coupling - sensitivity) / loss per km: (23 - 20 + 34) / 60, (23 - 20 + 44) / 110, (23 - 20 + 35) / 65, (19 - 20 + 26) / 150."""
    medium = technologies()[name].medium
    assert medium is not None
    assert medium.sense_m == pytest.approx(reach_m, abs=0.1)
    assert medium.interfere_m == medium.sense_m


@pytest.mark.parametrize("name", ["g3-plc", "prime"])
def test_two_meters_that_cannot_hear_each_other_collide_at_the_concentrator(name: str) -> None:
    """Both stand 400 m from it, on either side; they send within each other's frame, of which 40 ms are longer than any wait."""
    nodes = [{"name": "dc"}, {"name": "left", "x_m": -400.0}, {"name": "right", "x_m": 400.0}]
    medium = {"technology": name, "members": ["dc", "left", "right"], "retries": 0}
    messages = [Message(2 * k + j, 10 * k * S + j, 1 + j, 0, 250) for k in range(100) for j in range(2)]
    share = {}
    for sense_m in (None, 1000.0):
        row = medium if sense_m is None else medium | {"sense_m": sense_m, "interfere_m": sense_m}
        found = carried({"node": nodes, "medium": [row]}, messages, 1)
        share[sense_m] = float(np.mean([WORDS[status] == "collision" for status in found.status]))
    assert share[None] > 0.7
    assert share[1000.0] < 0.35
