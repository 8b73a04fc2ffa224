"""Messages that cause others: polls and answers, blocks sent one at a time, a frame to many; times by hand."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from heptagrid.foundation.errors import FileError
from heptagrid.studies.carry.api import Carried, carry


def carried(tmp_path: Path, network: str, traffic: str, seed: int = 1) -> tuple[Carried, list[dict[str, Any]]]:
    """What became of the traffic, and the rows of the file that says it."""
    (tmp_path / "network.toml").write_text(network)
    (tmp_path / "traffic.csv").write_text(traffic)
    out = tmp_path / "out.csv"
    found = carry(tmp_path / "network.toml", tmp_path / "traffic.csv", out, seed=seed)
    return found, list(csv.DictReader(out.read_text().splitlines()))


def nodes(*names: str) -> str:
    return "".join(f'[[node]]\nname = "{name}"\n' for name in names)


def both_ways(a: str, b: str, rate_bps: float, delay_s: float = 0.0, more: str = "") -> str:
    one = "".join(
        f'[[link]]\nfrom = "{x}"\nto = "{y}"\nrate_bps = {rate_bps}\ndelay_s = {delay_s}\n{more}'
        for x, y in ((a, b), (b, a))
    )
    return one


def one_way(a: str, b: str, rate_bps: float, more: str = "") -> str:
    return f'[[link]]\nfrom = "{a}"\nto = "{b}"\nrate_bps = {rate_bps}\n{more}'


def test_a_modbus_poll_of_256_bytes_each_way_takes_742_ms(tmp_path: Path) -> None:
    # A character of 11 bits carries 8: 9600 baud are 6981.8 bit/s of bytes, 115,200 baud 83,781.8. Each way 293.3 ms on the slow
    # line, 24.4 ms on the fast one, 0.02 ms and 3 ms on the network between; 100 ms to think. RuggedCom's example rounds to 650 ms.
    network = nodes("master", "gateway", "far gateway", "rtu")
    network += both_ways("master", "gateway", 115_200 * 8 / 11) + both_ways("gateway", "far gateway", 1e8, 0.003)
    network += both_ways("far gateway", "rtu", 9600 * 8 / 11)
    traffic = "name,sent_s,source,destination,bytes,answers,think_s\n"
    traffic += "poll 1,0,master,rtu,256,,\nanswer 1,,rtu,master,256,poll 1,0.1\n"
    traffic += "poll 2,,master,rtu,256,answer 1,0\nanswer 2,,rtu,master,256,poll 2,0.1\n"
    found, rows = carried(tmp_path, network, traffic)
    one_way_s = 256 * 11 / 9600 + 256 * 11 / 115_200 + 256 * 8 / 1e8 + 0.003
    cycle_s = 2 * one_way_s + 0.1
    assert abs(cycle_s - 0.742) < 0.0005
    assert [float(row["delivered_s"]) for row in rows] == pytest.approx(
        [one_way_s, cycle_s, cycle_s + one_way_s, 2 * cycle_s], abs=1e-8
    )
    assert float(rows[2]["left_s"]) == float(rows[1]["delivered_s"]), "the next poll leaves when the answer has come"
    assert found.summary()["sent"] == found.summary()["delivered"] == 4


def test_blocks_sent_one_at_a_time_wait_for_each_acknowledgement(tmp_path: Path) -> None:
    # Stop and wait: a block of 1250 bytes takes 100 ms at 100 kbit/s, an acknowledgement of 25 bytes 2 ms, and 10 ms each way:
    # 122 ms a block (Tanenbaum, Computer Networks, section 3.3).
    network = nodes("head end", "meter") + both_ways("head end", "meter", 1e5, 0.01)
    traffic = "sent_s,source,destination,bytes,answers,ack_timeout_s,retries,ack_bytes\n0,head end,meter,1250,,1,3,25\n"
    traffic += "".join(f",head end,meter,1250,{k},1,3,25\n" for k in range(1, 100))
    _, rows = carried(tmp_path, network, traffic)
    assert float(rows[-1]["acknowledged_s"]) == pytest.approx(100 * 0.122, abs=1e-9)
    assert {row["copies"] for row in rows} == {"1"}


def test_a_block_that_is_not_acknowledged_in_time_is_sent_again(tmp_path: Path) -> None:
    # The line up is down for 0.3 s: the copies of 0 and 0.2 s are lost, that of 0.4 s arrives 10 ms later.
    network = nodes("head end", "meter") + both_ways("head end", "meter", 1e6)
    network += '[[outage]]\nfrom = "head end"\nto = "meter"\nend_s = 0.3\n'
    head = "sent_s,source,destination,bytes,ack_timeout_s,retries,ack_bytes\n"
    _, rows = carried(tmp_path, network, head + "0,head end,meter,1250,0.2,3,125\n")
    assert (rows[0]["status"], rows[0]["copies"]) == ("delivered", "3")
    assert float(rows[0]["delivered_s"]) == pytest.approx(0.41) and float(rows[0]["acknowledged_s"]) == pytest.approx(
        0.411
    )
    _, rows = carried(tmp_path, network, head + "0,head end,meter,1250,0.2,1,125\n")
    assert (rows[0]["status"], rows[0]["copies"]) == ("outage", "2")


def test_an_answer_that_is_lost_is_given_again_when_the_request_comes_again(tmp_path: Path) -> None:
    network = nodes("master", "rtu") + both_ways("master", "rtu", 1e6)
    network += '[[outage]]\nfrom = "rtu"\nto = "master"\nend_s = 0.5\n'
    traffic = "sent_s,source,destination,bytes,answers,think_s,ack_timeout_s,retries\n"
    traffic += "0,master,rtu,125,,,1,2\n,rtu,master,125,1,0.1,,\n"
    _, rows = carried(tmp_path, network, traffic)
    # Asked at 0 and, unanswered, at 1 s: 1 ms there, 100 ms to think, 1 ms back.
    assert [row["copies"] for row in rows] == ["2", "2"]
    assert float(rows[0]["delivered_s"]) == pytest.approx(0.001) and float(rows[1]["delivered_s"]) == pytest.approx(
        1.102
    )
    assert float(rows[0]["acknowledged_s"]) == pytest.approx(1.102)


def test_what_waits_for_a_message_that_is_lost_is_not_sent_and_says_why(tmp_path: Path) -> None:
    network = nodes("master", "rtu") + both_ways("master", "rtu", 1e6, more="loss = 1.0\n")
    traffic = "sent_s,source,destination,bytes,answers\n0,master,rtu,125,\n,rtu,master,125,1\n,master,rtu,125,2\n"
    found, rows = carried(tmp_path, network, traffic)
    assert [row["status"] for row in rows] == ["lost", "not sent", "not sent"]
    assert rows[1]["reason"] == "row 1 (line 2) is lost" and rows[2]["reason"] == "row 2 (line 3) is not sent"
    counts = found.summary()
    assert counts["sent"] == 3 and counts["lost"] == 1 and counts["not sent"] == 2


SUBSCRIBERS = [f"s{k}" for k in range(20)]
GROUP = f'[[group]]\nname = "subscribers"\nmembers = {SUBSCRIBERS}\n'.replace("'", '"')


def substation(group: str = GROUP) -> str:
    """Two devices and twenty subscribers at one switch, 100 Mbit/s."""
    text = nodes("ied", "other", "switch", *SUBSCRIBERS) + group
    text += one_way("ied", "switch", 1e8) + one_way("other", "switch", 1e8)
    return text + "".join(one_way("switch", name, 1e8) for name in SUBSCRIBERS)


def test_goose_to_twenty_subscribers_is_one_frame_on_each_line(tmp_path: Path) -> None:
    # 148 bytes take 11.84 us at 100 Mbit/s: there at 23.68 us, everywhere, and 1 + 20 frames on the lines, not 40.
    found, rows = carried(tmp_path, substation(), "sent_s,source,destination,bytes\n0,ied,subscribers,148\n")
    assert [row["receiver"] for row in rows] == SUBSCRIBERS
    assert {float(row["delivered_s"]) for row in rows} == {23.68e-6}
    assert found.hop_events == 21 and {row["hops"] for row in rows} == {"2"}
    copies = "sent_s,source,destination,bytes\n" + "".join(f"0,ied,{name},148\n" for name in SUBSCRIBERS)
    single, _ = carried(tmp_path, substation(""), copies)
    assert max(single.delivered_ns) == 21 * 11_840, "twenty copies follow each other on the first line"


def test_goose_behind_a_frame_of_the_greatest_length_takes_147_us(tmp_path: Path) -> None:
    # 1538 bytes, gap and preamble within, take 123.04 us. It has just begun at the switch when the frame of 148 bytes is there:
    # 11.84 + 123.04 + 11.84 = 146.72 us (IEEE 802.3 arithmetic).
    sent_s = 11.84e-6 - 123.04e-6 + 1.0
    traffic = f"sent_s,source,destination,bytes\n{sent_s:.9f},other,s3,1538\n1,ied,subscribers,148\n"
    _, rows = carried(tmp_path, substation(), traffic)
    late = {row["receiver"]: float(row["delivered_s"]) - 1.0 for row in rows if row["source"] == "ied"}
    assert late.pop("s3") == pytest.approx(146.72e-6, abs=1e-9)
    assert list(late.values()) == pytest.approx([23.68e-6] * 19, abs=1e-9)


def test_a_bus_serves_a_group_with_one_frame_and_a_radio_with_copies(tmp_path: Path) -> None:
    members = ["a", "b", "c", "d"]
    listed = str(members).replace("'", '"')
    text = nodes(*members) + '[[group]]\nname = "all"\nmembers = ' + listed + "\n"
    traffic = "sent_s,source,destination,bytes\n0,a,all,125\n"
    for access, frames in (('access = "tdma"\nslot_s = 0.01', 1), ('access = "aloha"', 3)):
        medium = f"[[medium]]\n{access}\nrate_bps = 1e6\nmembers = {listed}\n"
        found, rows = carried(tmp_path, text + medium, traffic)
        assert found.hop_events == frames and [row["receiver"] for row in rows] == ["b", "c", "d"]
        assert {row["status"] for row in rows} == {"delivered"}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (",a,b,1,2,\n,b,a,1,1,\n", "waits for itself"),
        ("0,a,b,1,,\n,c,a,1,1,\n", "its source is neither its destination nor its source"),
        ("0,a,b,1,,\n,a,b,1,1,\n", "has none; give that ack_timeout_s"),
        ("0,a,b,1,,2\n", "give ack_bytes, or an answering row"),
        ("0,a,b,1,,\n5,b,a,1,1,\n", "it must be empty"),
        ("0,a,b,1,,\n,b,a,1,7,\n", "the number of a row"),
    ],
)
def test_loops_that_cannot_be_are_refused(tmp_path: Path, rows: str, says: str) -> None:
    network = nodes("a", "b", "c") + both_ways("a", "b", 1e6) + both_ways("b", "c", 1e6)
    with pytest.raises(FileError, match=says):
        carried(tmp_path, network, "sent_s,source,destination,bytes,answers,ack_timeout_s\n" + rows)
