"""A LoRaWAN gateway answers in the two windows after an uplink, or not at all; times and capacities by hand.

Airtimes are Semtech's (AN1200.13, `plain_lorawan`). EU868: the first window is in a band of 1 %, the second at factor 12 in one of 10 %
(LoRaMac-node RegionEU868.h). At factor 7 an uplink of 20 bytes lasts 71.9 ms and a downlink of one byte, which has no checksum, 41.2 ms; at
factor 12 the downlink lasts 1.155 s. So a gateway may begin one every 4.122 s in first windows, and one every 11.55 s in second ones.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from heptagrid.studies.carry.api import carry
from heptagrid.validate.plain_lorawan import airtime_s, downlink_s

HEADER = 13
UP_S, FIRST_S, SECOND_S = airtime_s(20 + HEADER, 7), downlink_s(1 + HEADER, 7), downlink_s(1 + HEADER, 12)
FLIGHT_S = 100.0 * 3.336e-9

Rows = list[dict[str, str]]


def carried(
    tmp_path: Path, traffic: list[str], *, devices: int = 10, more: str = "", seed: int = 1
) -> tuple[dict[str, object], Rows]:
    """The counts and the rows of a file: name, sent_s, source, destination, bytes, answers, think_s. Devices stand 100 m off."""
    nodes = '[[node]]\nname = "g"\n'
    nodes += "".join(f'[[node]]\nname = "d{k}"\nx_m = 100.0\n' for k in range(devices))
    members = ", ".join(f'"{name}"' for name in ("g", *(f"d{k}" for k in range(devices))))
    medium = f'[[medium]]\ntechnology = "lorawan"\nloss = 0.0\ndelay_s = 0.0\nmembers = [{members}]\n{more}'
    (tmp_path / "network.toml").write_text(nodes + medium)
    (tmp_path / "traffic.csv").write_text(
        "\n".join(["name,sent_s,source,destination,bytes,answers,think_s", *traffic]) + "\n"
    )
    out = tmp_path / "out.csv"
    found = carry(tmp_path / "network.toml", tmp_path / "traffic.csv", out, seed=seed)
    return found.summary(), list(csv.DictReader(out.read_text().splitlines()))


def asked(name: str, sent_s: float, device: int, think_s: float = 0.4, answer_bytes: int = 1) -> list[str]:
    """An uplink and its answer."""
    up = f"u{name},{sent_s},d{device},g,20,,"
    return [up, f"a{name},,g,d{device},{answer_bytes},u{name},{think_s}"]


def answers(rows: Rows) -> list[float | str]:
    """Of each answer how long after its uplink it came, or what became of it."""
    arrived = {row["name"]: float(row["delivered_s"] or "nan") for row in rows}
    return [
        round(arrived[row["name"]] - arrived[row["answers"]], 9) if row["delivered_s"] else row["status"]
        for row in rows
        if row["answers"]
    ]


IN_FIRST = 1.0 + FIRST_S  # the flight is in both times
IN_SECOND = 2.0 + SECOND_S


def test_an_answer_goes_in_the_first_window_else_in_the_second_else_nowhere(tmp_path: Path) -> None:
    """The first window is free again 4.122 s after 1.07 s, the second 11.55 s after 2.27 s.

    14 bytes at factor 7 with header and no checksum: (112 - 28 + 28) / 28 = 4 blocks of five symbols, 40.25 in all, each 1.024 ms.
    """
    assert (round(100 * FIRST_S, 4), round(10 * SECOND_S, 4)) == (4.1216, 11.5507)
    assert pytest.approx(40.25 * 1.024e-3) == FIRST_S
    sent_s = [0.0, 0.2, 0.4, 4.7, 8.7, 12.0, 12.1]
    traffic = [line for k, at_s in enumerate(sent_s) for line in asked(str(k), at_s, k)]
    counts, rows = carried(tmp_path, traffic)
    one, two = pytest.approx(IN_FIRST, abs=3e-9), pytest.approx(IN_SECOND, abs=3e-9)
    # 8.7 s: the first is taken until 5.77 + 4.12 = 9.89 s (the window is at 9.77 s), the second until 13.8 s.
    assert answers(rows) == [one, two, "stale", one, "stale", one, two]
    assert counts["stale"] == 2 and counts["delivered"] == 12


def test_answers_to_many_meters_keep_to_both_windows_and_both_duty_cycles(tmp_path: Path) -> None:
    """Two uplinks a second for 250 s: 0.243 a second at most can be answered in first windows, 0.0866 in second ones."""
    random = np.random.default_rng(5)
    sent_s = np.sort(random.uniform(0.0, 250.0, 500)).round(6).tolist()
    traffic = [line for k, at_s in enumerate(sent_s) for line in asked(str(k), at_s, k % 100)]
    counts, rows = carried(tmp_path, traffic, devices=100)
    came = [one for one in answers(rows) if isinstance(one, float)]
    first = sum(abs(one - IN_FIRST) < 3e-9 for one in came)
    second = sum(abs(one - IN_SECOND) < 3e-9 for one in came)
    assert first + second == len(came), "none comes outside its own windows"
    assert pytest.approx(0.2426, abs=5e-5) == 0.01 / FIRST_S and pytest.approx(0.0866, abs=5e-5) == 0.1 / SECOND_S
    assert 0.6 * 250.0 * 0.01 / FIRST_S < first <= 1.0 + 250.0 * 0.01 / FIRST_S
    assert 0.8 * 250.0 * 0.1 / SECOND_S < second <= 1.0 + 250.0 * 0.1 / SECOND_S
    ends = ("delivered", "collision", "stale", "not sent")
    assert sum(int(str(counts[end])) for end in ends) == counts["sent"] == 1000


@pytest.mark.parametrize(("think_s", "what"), [(0.9, IN_FIRST), (1.5, IN_SECOND), (2.1, "stale"), (9.0, "stale")])
def test_an_answer_that_comes_after_its_windows_is_dropped(tmp_path: Path, think_s: float, what: float | str) -> None:
    """Even if the device speaks again later."""
    _, rows = carried(tmp_path, [*asked("0", 0.0, 0, think_s), "u1,8,d0,g,20,,", "u2,30,d0,g,20,,"])
    assert answers(rows) == [what if isinstance(what, str) else pytest.approx(what, abs=3e-9)]


def test_an_answer_that_misses_its_windows_does_not_take_those_of_a_later_uplink(tmp_path: Path) -> None:
    """It is ready 9 s after its uplink, half a second after the next one."""
    _, rows = carried(tmp_path, [*asked("0", 0.0, 0, 9.0), "u1,8.5,d0,g,20,,"])
    assert answers(rows) == ["stale"]


def test_a_command_waits_for_the_next_uplink_and_goes_before_an_answer(tmp_path: Path) -> None:
    """Both could go after the uplink at 30 s; a device listens to one frame."""
    traffic = ["u0,0,d0,g,20,,", "command,9,g,d0,5,,", *asked("1", 30.0, 0), *asked("2", 60.0, 0)]
    _, rows = carried(tmp_path, traffic)
    arrives_s = 30.0 + UP_S + 1.0 + downlink_s(5 + HEADER, 7) + FLIGHT_S
    assert float(rows[1]["delivered_s"]) == pytest.approx(arrives_s, abs=3e-9)
    assert answers(rows) == ["stale", pytest.approx(IN_FIRST, abs=3e-9)]


def test_a_command_too_long_for_the_second_window_leaves_that_to_an_answer(tmp_path: Path) -> None:
    _, rows = carried(tmp_path, ["command,0,g,d1,52,,", *asked("0", 0.0, 0), *asked("1", 0.2, 1), "u2,60,d1,g,20,,"])
    assert answers(rows) == [pytest.approx(IN_FIRST, abs=3e-9), pytest.approx(IN_SECOND, abs=3e-9)]
    arrives_s = 60.0 + UP_S + 1.0 + downlink_s(52 + HEADER, 7) + FLIGHT_S
    assert float(rows[0]["delivered_s"]) == pytest.approx(arrives_s, abs=3e-9)


def test_a_command_of_several_frames_takes_a_window_of_as_many_uplinks(tmp_path: Path) -> None:
    """At factor 12: 51 and 49 bytes; the answers to both uplinks are stale, that to the third is not."""
    sent_s = [0.0, 400.0, 1200.0]
    traffic = ["command,0,g,d0,100,,", *(line for k, at_s in enumerate(sent_s) for line in asked(str(k), at_s, 0))]
    _, rows = carried(tmp_path, traffic, more="spreading = 12\n")
    arrives_s = 400.0 + airtime_s(20 + HEADER, 12) + 1.0 + downlink_s(49 + HEADER, 12) + FLIGHT_S
    assert float(rows[0]["delivered_s"]) == pytest.approx(arrives_s, abs=3e-9)
    assert answers(rows) == ["stale", "stale", pytest.approx(1.0 + downlink_s(1 + HEADER, 12), abs=3e-9)]


def test_a_command_takes_the_second_window_if_its_frame_fits_that(tmp_path: Path) -> None:
    """51 bytes fit factor 12, 52 do not (RegionEU868.h); the first window is taken by the answer to another device."""
    for size, window_s in ((51, 2.0 + downlink_s(51 + HEADER, 12)), (52, None)):
        traffic = [f"command,0,g,d1,{size},,", *asked("0", 0.0, 0), "u1,0.2,d1,g,20,,"]
        _, rows = carried(tmp_path, traffic)
        if window_s is None:
            assert rows[0]["status"] == "waiting"
        else:
            arrives_s = 0.2 + UP_S + window_s + FLIGHT_S
            assert float(rows[0]["delivered_s"]) == pytest.approx(arrives_s, abs=3e-9)


def test_an_answer_longer_than_a_frame_has_no_window(tmp_path: Path) -> None:
    """A frame of factor 7 carries 222 bytes."""
    for size, what in ((222, pytest.approx(1.0 + downlink_s(222 + HEADER, 7), abs=3e-9)), (223, "stale")):
        _, rows = carried(tmp_path, [*asked("0", 0.0, 0, answer_bytes=size), "u1,60,d0,g,20,,"])
        assert answers(rows) == [what]


def test_one_answer_goes_to_an_uplink_and_another_is_stale(tmp_path: Path) -> None:
    _, rows = carried(tmp_path, [*asked("0", 0.0, 0), "b0,,g,d0,1,u0,0.5"])
    assert answers(rows) == [pytest.approx(IN_FIRST, abs=3e-9), "stale"]


def test_a_gateway_that_sends_in_the_second_window_hears_nothing(tmp_path: Path) -> None:
    """From 2.27 s to 3.43 s, on another channel than all uplinks."""
    uplinks = [f"v{k},{at_s},d{4 + k},g,20,," for k, at_s in enumerate([2.1, 2.25, 2.5, 3.4, 3.45])]
    _, rows = carried(tmp_path, [*asked("0", 0.0, 0), *asked("1", 0.2, 1), *uplinks])
    assert answers(rows) == [pytest.approx(IN_FIRST, abs=3e-9), pytest.approx(IN_SECOND, abs=3e-9)]
    status = [row["status"] for row in rows if row["name"].startswith("v")]
    assert status == ["delivered", "collision", "collision", "collision", "delivered"]


def test_an_uplink_beside_it_does_not_disturb_a_downlink(tmp_path: Path) -> None:
    """Downlinks are sent with I and Q exchanged, so that devices do not hear each other (LoRaMac-node, iqInverted of Radio.SetRxConfig).

    One channel; the downlink lasts from 1.072 to 1.113 s, the uplink of a device at the same place from 1.08 s. The gateway, which
    sends, does not hear that.
    """
    _, rows = carried(tmp_path, [*asked("0", 0.0, 0), "v,1.08,d5,g,20,,"], more="channels = 1\n")
    assert answers(rows) == [pytest.approx(IN_FIRST, abs=3e-9)]
    assert rows[2]["status"] == "collision"


def test_a_device_is_silent_until_its_windows_have_passed(tmp_path: Path) -> None:
    """LoRaWAN L2 1.0.4: no uplink before the second window has passed, or while a downlink comes."""
    free = "duty_cycle = 0\nsecond_duty_cycle = 0\n"
    _, rows = carried(tmp_path, ["u0,0,d0,g,20,,", "u1,0.1,d0,g,20,,"], more=free)
    assert float(rows[1]["delivered_s"]) == pytest.approx(2.0 + 2 * UP_S + FLIGHT_S, abs=3e-9)
    _, rows = carried(tmp_path, [*asked("0", 0.0, 0, 1.5), "u1,0.1,d0,g,20,,"], more=free)
    assert answers(rows) == [pytest.approx(IN_SECOND, abs=3e-9)]
    assert float(rows[2]["delivered_s"]) == pytest.approx(2.0 + SECOND_S + 2 * UP_S + FLIGHT_S, abs=3e-9)


def test_keys_set_the_windows_delay_factor_and_duty_cycle(tmp_path: Path) -> None:
    """As The Things Network has them: 5 s, and factor 9 in the second window."""
    keys = "receive_delay_s = 5\nsecond_spreading = 9\nsecond_duty_cycle = 0.05\n"
    sent_s = [0.0, 0.2, 0.4, 4.1]
    traffic = [line for k, at_s in enumerate(sent_s) for line in asked(str(k), at_s, k)]
    _, rows = carried(tmp_path, traffic, more=keys)
    factor_9_s = downlink_s(1 + HEADER, 9)
    one, two = pytest.approx(5.0 + FIRST_S, abs=3e-9), pytest.approx(6.0 + factor_9_s, abs=3e-9)
    # The first windows are at 5.07 s and, of the last, at 9.17 s, before 5.07 + 4.12 s. The second ones are at 6.27, 6.47 and 10.17 s; their
    # band is free again 20 x 0.144 s after 6.27 s.
    assert 0.2 < 20 * factor_9_s < 3.9
    assert answers(rows) == [one, two, "stale", two]


def test_a_device_that_fails_in_its_windows_misses_its_answer(tmp_path: Path) -> None:
    outage = '[[outage]]\nnode = "d0"\nbegin_s = 0.8\nend_s = 5.0\n'
    counts, rows = carried(tmp_path, [*asked("0", 0.0, 0), "u1,10,d0,g,20,,"], more=outage)
    assert answers(rows) == ["stale"]
    assert counts["delivered"] == 2


def test_a_gateway_that_fails_sends_nothing_and_keeps_no_answer(tmp_path: Path) -> None:
    outage = '[[outage]]\nnode = "g"\nbegin_s = 0.8\nend_s = 5.0\n'
    counts, rows = carried(tmp_path, [*asked("0", 0.0, 0), "u1,10,d0,g,20,,"], more=outage)
    assert answers(rows) == ["outage"]
    assert counts["delivered"] == 2
