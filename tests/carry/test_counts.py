"""What became of every message of three small networks, counted by hand: by word, by row, by hop."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.studies.carry.traffic_file import WORDS

Rows = list[dict[str, str]]

LINE = """
[[node]]
name = "a"
[[node]]
name = "b"
[[node]]
name = "c"
[[link]]
from = "a"
to = "b"
rate_bps = 1e6
[[link]]
from = "b"
to = "c"
rate_bps = 5e5
queue_packets = 1
"""
STAR = """
[[node]]
name = "g"
[[node]]
name = "d"
x_m = 100
[[node]]
name = "e"
x_m = 100
[[medium]]
technology = "lorawan"
channels = 1
loss = 0.0
delay_s = 0.0
members = ["g", "d", "e"]
"""
MESH = """
[[node]]
name = "n0"
[[node]]
name = "n1"
x_m = 25
[[node]]
name = "n2"
x_m = 50
[[node]]
name = "far"
x_m = 5000
[[medium]]
technology = "ieee-802.15.4"
loss = 0.0
members = ["n0", "n1", "n2", "far"]
"""


def carried(folder: Path, network: str, traffic: str) -> tuple[dict[str, Any], Rows]:
    """The counts that the command prints, and the rows that it writes."""
    (folder / "network.toml").write_text(network)
    (folder / "traffic.csv").write_text(traffic)
    files = [str(folder / name) for name in ("network.toml", "traffic.csv", "out.csv")]
    result = CliRunner().invoke(main, ["carry", *files[:2], "--out", files[2], "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), list(csv.DictReader(Path(files[2]).read_text().splitlines()))


def adds_up(counts: dict[str, Any], rows: Rows) -> None:
    """Every row has one word, and the counts are those of the rows."""
    assert counts["sent"] == len(rows) == sum(counts[word] for word in WORDS)
    assert all(counts[word] == sum(row["status"] == word for row in rows) for word in WORDS)
    assert all((row["status"] == "delivered") == bool(row["delivered_s"]) for row in rows)


def test_a_line_with_one_place_before_its_slower_half(tmp_path: Path) -> None:
    """1000 bytes take 8 ms, then 16. They come to b at 8, 16, 24, 32 and 40 ms; at 32 ms one is being sent and one waits."""
    counts, rows = carried(tmp_path, LINE, "sent_s,source,destination,bytes\n" + "0,a,c,1000\n" * 5)
    adds_up(counts, rows)
    assert [row["delivered_s"] for row in rows] == ["0.024000000", "0.040000000", "0.056000000", "", "0.072000000"]
    assert [row["hops"] for row in rows] == ["2", "2", "2", "1", "2"] and rows[3]["status"] == "dropped"
    assert (counts["delivered"], counts["dropped"], counts["hop_events"]) == (4, 1, 10)
    assert counts["mean_s"] == pytest.approx(0.048) and counts["p50_s"] == pytest.approx(0.040)


def test_a_star_whose_gateway_answers_waits_and_gives_up(tmp_path: Path) -> None:
    """Two uplinks of one channel meet, so that the answer to the first is not sent. The third is heard; of its two answers one goes
    and one is stale. Of three commands to e, which is heard at 500 s, one goes, one is over at 100 s, and one waits for ever.
    """
    traffic = """name,sent_s,source,destination,bytes,answers,uplink_timeout_s
u1,0,d,g,20,,
u2,0.01,e,g,20,,
a1,,g,d,1,u1,
u3,200,d,g,20,,
a3,,g,d,1,u3,
b3,,g,d,1,u3,
c1,10,g,e,1,,
c2,10,g,e,1,,90
u4,500,e,g,20,,
c3,600,g,e,1,,
"""
    counts, rows = carried(tmp_path, STAR, traffic)
    adds_up(counts, rows)
    status = ["collision", "collision", "not sent", "delivered", "delivered"]
    status += ["stale", "delivered", "stale", "delivered", "waiting"]
    assert [row["status"] for row in rows] == status
    assert [row["hops"] for row in rows] == ["1" if each == "delivered" else "0" for each in status]
    assert counts["hop_events"] == 9, "all but the answer that was not sent"


def test_a_mesh_of_two_hops_with_one_member_out_of_reach(tmp_path: Path) -> None:
    """25 m are a hop of 30 m, 50 m are two: three messages cross the medium twice, two of neighbours once, and one not at all."""
    traffic = (
        "sent_s,source,destination,bytes\n0,n0,n2,50\n1,n2,n0,50\n2,n0,n2,50\n3,n0,n1,50\n4,n1,n2,50\n5,far,n0,50\n"
    )
    counts, rows = carried(tmp_path, MESH, traffic)
    adds_up(counts, rows)
    assert [row["hops"] for row in rows] == ["2", "2", "2", "1", "1", "0"]
    assert (counts["delivered"], counts["uncovered"], counts["hop_events"]) == (5, 1, 8)
    assert counts["uncovered_nodes"] == ["far"]
