"""What waits at a LoRaWAN gateway for its device to speak is stale when its time is over; windows by hand.

Airtimes are Semtech's (AN1200.13, `plain_lorawan`). A device that sends 20 bytes at factor 7 at the time t listens from t + 0.0719 + 1 s,
and a second later again.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from heptagrid.foundation.errors import FileError
from heptagrid.studies.carry.api import carry
from heptagrid.validate.plain_lorawan import airtime_s, downlink_s

HEADER = 13
UP_S, DOWN_S = airtime_s(20 + HEADER, 7), downlink_s(5 + HEADER, 7)
FLIGHT_S = 100.0 * 3.336e-9

Rows = list[dict[str, str]]


def carried(tmp_path: Path, traffic: list[str], more: str = "") -> tuple[dict[str, object], Rows]:
    """The counts and rows: name, sent_s, source, destination, bytes, answers, ack_timeout_s, retries, uplink_timeout_s.

    Devices d and e stand 100 m from their gateway g; behind a line of 10 ms stands the centre c.
    """
    nodes = "".join(
        f'[[node]]\nname = "{name}"\nx_m = {x_m}\n' for name, x_m in zip("gdec", (0, 100, 100, 0), strict=True)
    )
    medium = f'[[medium]]\ntechnology = "lorawan"\nloss = 0.0\ndelay_s = 0.0\nmembers = ["g", "d", "e"]\n{more}'
    links = "".join(
        f'[[link]]\nfrom = "{a}"\nto = "{b}"\nrate_bps = 1e9\ndelay_s = 0.01\n' for a, b in (("c", "g"), ("g", "c"))
    )
    (tmp_path / "network.toml").write_text(nodes + medium + links)
    header = "name,sent_s,source,destination,bytes,answers,ack_timeout_s,retries,uplink_timeout_s"
    (tmp_path / "traffic.csv").write_text("\n".join([header, *traffic]) + "\n")
    out = tmp_path / "out.csv"
    found = carry(tmp_path / "network.toml", tmp_path / "traffic.csv", out)
    counts = found.summary()
    assert counts["sent"] == sum(
        int(str(counts[word])) for word in ("delivered", "stale", "waiting", "not sent", "dropped")
    )
    return counts, list(csv.DictReader(out.read_text().splitlines()))


@pytest.mark.parametrize(
    ("limit_s", "status"), [("", "delivered"), (22.08, "delivered"), (22.07, "stale"), (5, "stale")]
)
def test_a_command_is_stale_when_its_time_is_over(tmp_path: Path, limit_s: float | str, status: str) -> None:
    """The device speaks at 30 s and listens from 31.0719 s; the command was sent at 9 s."""
    counts, rows = carried(tmp_path, ["u,30,d,g,20,,,,", f"command,9,g,d,5,,,,{limit_s}"])
    assert rows[1]["status"] == status and counts["waiting"] == 0
    if status == "delivered":
        assert float(rows[1]["delivered_s"]) == pytest.approx(30.0 + UP_S + 1.0 + DOWN_S + FLIGHT_S, abs=3e-9)


@pytest.mark.parametrize(("limit_ns", "status"), [(0, "delivered"), (-1, "stale")])
def test_what_begins_in_the_last_nanosecond_still_goes(tmp_path: Path, limit_ns: int, status: str) -> None:
    """The window begins 1.071936 s after the uplink, to the nanosecond."""
    limit = f"{(1_071_936_000 + limit_ns) / 1e9:.9f}"
    assert round(UP_S * 1e9) == 71_936_000
    _, rows = carried(tmp_path, ["u,0,d,g,20,,,,", f"command,0,g,d,5,,,,{limit}"])
    assert rows[1]["status"] == status


def test_a_command_on_the_air_is_not_stopped(tmp_path: Path) -> None:
    """It begins at 31.072 s and ends 51 ms later; its time is over in between."""
    assert DOWN_S > 0.03
    _, rows = carried(tmp_path, ["u,30,d,g,20,,,,", f"command,9,g,d,5,,,,{22.0 + UP_S + 0.02:.6f}"])
    assert rows[1]["status"] == "delivered"


def test_a_command_to_a_device_that_never_speaks_is_stale_and_not_waiting(tmp_path: Path) -> None:
    counts, rows = carried(tmp_path, ["one,0,g,d,5,,,,3600", "two,0,g,d,5,,,,", "three,0,g,d,5,,,,7200"])
    assert [row["status"] for row in rows] == ["stale", "waiting", "stale"]
    assert counts["stale"] == 2 and counts["waiting"] == 1


def test_of_a_line_each_command_has_its_own_time(tmp_path: Path) -> None:
    """Uplinks at 10, 100 and 200 s: one frame each. The second command is over at 50 s, the first and third are not."""
    uplinks = [f"u{at_s},{at_s},d,g,20,,,," for at_s in (10, 100, 200)]
    commands = ["a,1,g,d,5,,,,500", "b,2,g,d,5,,,,48", "c,3,g,d,5,,,,500", "other,2,g,e,5,,,,48"]
    _, rows = carried(tmp_path, [*uplinks, *commands])
    assert [row["status"] for row in rows[3:]] == ["delivered", "stale", "delivered", "stale"]
    assert [float(row["delivered_s"] or "nan") // 100 for row in (rows[3], rows[5])] == [0, 1]


def test_the_time_counts_from_the_sending_and_not_from_the_gateway(tmp_path: Path) -> None:
    """The centre's command is at the gateway 10 ms after it was sent; the window opens at 31.0719 s."""
    for limit_s, status in (("22.075", "delivered"), ("22.065", "stale")):
        _, rows = carried(tmp_path, ["u,30,d,g,20,,,,", f"command,9,c,d,5,,,,{limit_s}"])
        assert (rows[1]["status"], rows[1]["hops"]) == (status, "2" if status == "delivered" else "1")


def test_a_time_that_is_over_before_the_gateway_is_reached_ends_the_command_there(tmp_path: Path) -> None:
    """The centre's line takes 10 ms; the command is good for 1 ms."""
    _, rows = carried(tmp_path, ["command,9,c,d,5,,,,0.001", "u,30,d,g,20,,,,"])
    assert (rows[0]["status"], rows[0]["hops"]) == ("stale", "1")


def test_of_a_group_the_time_counts_for_the_devices(tmp_path: Path) -> None:
    group = '[[group]]\nname = "all"\nmembers = ["g", "d", "e"]\n'
    _, rows = carried(tmp_path, ["command,9,c,all,5,,,,20", "u,20,d,g,20,,,,", "v,30,e,g,20,,,,"], group)
    assert [(row["receiver"], row["status"]) for row in rows[:3]] == [
        ("g", "delivered"),
        ("d", "delivered"),
        ("e", "stale"),
    ]


def test_what_is_left_of_a_command_of_several_frames_is_dropped_too(tmp_path: Path) -> None:
    """500 bytes are three frames of 222 at factor 7, and take three uplinks; the next command goes whole."""
    uplinks = [f"u{at_s},{at_s},d,g,20,,,," for at_s in (10, 100, 200, 300)]
    _, rows = carried(tmp_path, [*uplinks, "long,1,g,d,500,,,,150", "next,2,g,d,5,,,,"])
    assert [row["status"] for row in rows[4:]] == ["stale", "delivered"]
    assert float(rows[5]["delivered_s"]) == pytest.approx(200.0 + UP_S + 1.0 + DOWN_S + FLIGHT_S, abs=3e-9)


def test_each_copy_has_its_own_time(tmp_path: Path) -> None:
    """Copies at 0, 60 and 120 s, each good for 20 s; the device speaks at 130 s, and answers the third."""
    traffic = ["command,0,g,d,5,,60,2,20", "answer,,d,g,5,command,,,", "u,130,d,g,20,,,,"]
    _, rows = carried(tmp_path, traffic)
    assert rows[0]["copies"] == "3" and rows[0]["status"] == rows[1]["status"] == "delivered"
    assert float(rows[0]["delivered_s"]) == pytest.approx(130.0 + UP_S + 1.0 + DOWN_S + FLIGHT_S, abs=3e-9)
    _, rows = carried(tmp_path, [*traffic[:2], "u,150,d,g,20,,,,"])
    assert [row["status"] for row in rows] == ["stale", "not sent", "delivered"]
    assert rows[1]["reason"] == "row 1 (line 2) is stale"


def test_a_dropped_command_leaves_its_place_in_the_buffer(tmp_path: Path) -> None:
    """One place: at 11 s the first command is over, and the second waits in it; without a limit there is none for it."""
    for limit_s, statuses in (("10", ["stale", "delivered"]), ("", ["delivered", "dropped"])):
        traffic = [f"a,0,g,d,5,,,,{limit_s}", "b,11,g,d,5,,,,", "u,30,d,g,20,,,,"]
        _, rows = carried(tmp_path, traffic, "queue_packets = 1\n")
        assert [row["status"] for row in rows[:2]] == statuses


@pytest.mark.parametrize(
    ("row", "words"), [("u,0,d,g,20,,,,5", "no LoRaWAN gateway"), ("u,0,c,d,20,,,,-1", "from 0 to 1e")]
)
def test_a_limit_that_means_nothing_is_refused(tmp_path: Path, row: str, words: str) -> None:
    with pytest.raises(FileError, match=words):
        carried(tmp_path, [row])
