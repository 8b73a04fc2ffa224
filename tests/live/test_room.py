"""The control room's side of the server: its files, scene, frames, alarms, houses and commands."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
import websockets

from heptagrid.live.http.room import FOLDER, POLICY, UNANSWERED
from heptagrid.scenario.schema import Scenario
from tests.live.room_server import Served, served

OWN = [path for path in sorted(FOLDER.iterdir()) if path.is_file()]


@pytest.fixture(scope="module")
def room(lane: Scenario) -> Iterator[Served]:
    with served(lane) as one:
        yield one


def decoded(frame: bytes, layout: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A frame as the page reads it."""
    length = int.from_bytes(frame[:4], "little")
    header, at = json.loads(frame[4 : 4 + length]), 4 + length + -length % 4
    arrays = {}
    if header["has_state"]:
        for one in layout:
            kind = np.dtype(one["type"].lower()).newbyteorder("<")
            arrays[one["name"]] = np.frombuffer(frame, kind, one["count"], at)
            at += kind.itemsize * one["count"] + -kind.itemsize * one["count"] % 4
        assert at == len(frame), "nothing is left"
    return header, arrays


def frames(room: Served, count: int) -> list[bytes]:
    """The next frames."""

    async def take() -> list[bytes]:
        async with websockets.connect(f"ws{room.url[4:]}/room/live") as socket:
            taken = []
            for _ in range(count):
                taken.append(await asyncio.wait_for(socket.recv(), 10.0))
                await socket.send("drawn")
        return [one for one in taken if isinstance(one, bytes)]

    return asyncio.run(take())


def test_every_file_comes_with_a_strict_policy(room: Served) -> None:
    for path in ("/", "/room/main.js", "/room/style.css", "/room/vendor/uplot.js", "/room/scene.json", "/room/alarms"):
        answer = httpx.get(room.url + path)
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in POLICY


@pytest.mark.parametrize("path", ["/room/missing.js", "/room/../room.py", "/room/%2e%2e/http/room.py", "/room/vendor"])
def test_only_the_rooms_own_files_are_served(room: Served, path: str) -> None:
    assert httpx.get(room.url + path).status_code == 404


def test_sources_need_no_inline_script_no_eval_and_nothing_from_outside() -> None:
    for path in OWN:
        text = path.read_text(encoding="utf-8")
        for word in ("eval(", "new Function", "innerHTML", "document.write", "dangerouslySetInnerHTML", "<style"):
            assert word not in text, f"{path.name}: {word}"
        links = [one for one in re.findall(r"https?://[^\s\"'`]+", text) if "www.w3.org" not in one]
        assert not [one for one in links if "${" not in one], path.name
    assert not re.findall(r"<script(?![^>]*\bsrc=)", (FOLDER / "index.html").read_text(encoding="utf-8"))
    for path in (FOLDER / "vendor").iterdir():
        assert path.suffix == ".txt" or "eval(" not in path.read_text(encoding="utf-8")


def test_the_rooms_own_files_stay_small() -> None:
    """As they travel; what is vendored comes on top."""
    assert sum(len(gzip.compress(path.read_bytes(), 6)) for path in OWN) < 65_000


def test_files_travel_compressed_to_who_takes_that(room: Served) -> None:
    plain = httpx.get(f"{room.url}/room/main.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    packed = httpx.get(f"{room.url}/room/main.js")
    assert packed.headers["content-encoding"] == "gzip" and packed.text == plain.text


def test_frames_hold_the_last_state(room: Served) -> None:
    scene = httpx.get(f"{room.url}/room/scene.json").json()
    taken = [decoded(one, scene["frame"]) for one in frames(room, 6)]
    header, arrays = taken[0]
    assert arrays, "the first frame has all"
    assert len(arrays["node_v_pu"]) == len(scene["nodes"]["parent"]) == room.run.world.network.nodes
    assert header["figures"].keys() == set(scene["series"])
    v_pu = arrays["node_v_pu"] / 20_000.0
    assert v_pu[v_pu > 0.0].min() == pytest.approx(header["figures"]["v_min_pu"], abs=0.02)
    assert (arrays["silent_min"] < 30).any(), "meters are heard"
    assert arrays["power_kw"].reshape(7, 7)[2, 3] == pytest.approx(header["figures"]["load_kw"], rel=1e-5)
    clocks = [one["clock"]["ns"] for one, _ in taken]
    assert clocks == sorted(clocks) and clocks[0] < clocks[-1], "the clock goes on between states"
    states = [one["state"] for one, arrays in taken if arrays]
    assert len(states) == len(set(states)), "a state is sent once"


def test_who_does_not_answer_is_sent_no_more(room: Served) -> None:
    async def listen() -> None:
        async with websockets.connect(f"ws{room.url[4:]}/room/live") as socket:
            for _ in range(UNANSWERED):
                await asyncio.wait_for(socket.recv(), 10.0)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(socket.recv(), 0.5)
            await socket.send("drawn")
            await asyncio.wait_for(socket.recv(), 10.0)

    asyncio.run(listen())


def test_curves_go_back_to_the_beginning(room: Served) -> None:
    found = httpx.get(f"{room.url}/room/series.json").json()
    scene = httpx.get(f"{room.url}/room/scene.json").json()
    assert set(found) == {"time_s", *scene["series"]}
    assert len({len(column) for column in found.values()}) == 1
    assert found["time_s"] == sorted(found["time_s"])


def test_a_house_shows_devices_bill_and_messages(room: Served) -> None:
    found = httpx.get(f"{room.url}/room/points/3").json()
    assert found["point"] == 3
    assert found["bill"]["total"] > 0.0
    assert found["bill"]["total"] == pytest.approx(
        sum(value for name, value in found["bill"].items() if name not in ("total", "since_ns"))
    )
    assert found["way"][-1]["to"] == "operations' control centre"
    readings = [one for one in found["messages"] if one["kind"] == "meter reading"]
    assert readings and readings[-1]["is_outgoing"]
    assert any(one["fate"] == "delivered" and one["delay_s"] > 0.0 for one in found["messages"])
    missing = httpx.get(f"{room.url}/room/points/99999")
    assert missing.status_code == 400 and "numbered from 0" in missing.json()["detail"]


def test_a_command_crosses_the_network(room: Served) -> None:
    given = {"what": "busbar", "town": 0, "target_pu": 1.03}
    answer = httpx.post(f"{room.url}/room/do", json=given, timeout=30.0)
    assert answer.status_code == 200, answer.text
    assert answer.json()["arrived_ns"] > 0
    device = {"what": "order", "device": "vehicles/0", "power_kw": 0.5, "minutes": 15}
    assert httpx.post(f"{room.url}/room/do", json=device, timeout=30.0).status_code in (200, 409), "it may be lost"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"what": "explode"}, "there is no command"),
        ({"what": "busbar", "town": 7, "target_pu": 1.0}, "town is a number"),
        ({"what": "busbar", "town": 0, "target_pu": "high"}, "target_pu is a number"),
        ({"what": "order", "device": "vehicles/99999", "power_kw": 1, "minutes": 1}, "numbered from 0"),
        ([1, 2], "a JSON object"),
    ],
)
def test_what_cannot_be_done_is_said(room: Served, given: Any, words: str) -> None:
    answer = httpx.post(f"{room.url}/room/do", json=given)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]


def test_other_pages_may_not_command(room: Served) -> None:
    given = {"what": "busbar", "town": 0, "target_pu": 1.0}
    foreign = httpx.post(f"{room.url}/room/do", json=given, headers={"Origin": "https://elsewhere.example"})
    assert foreign.status_code in (400, 403)
    form = httpx.post(f"{room.url}/room/do", content=json.dumps(given), headers={"Content-Type": "text/plain"})
    assert form.status_code == 400

    async def listen() -> None:
        async with websockets.connect(f"ws{room.url[4:]}/room/live", origin="https://elsewhere.example"):  # type: ignore[arg-type]
            pass

    with pytest.raises(websockets.exceptions.InvalidStatus):
        asyncio.run(listen())


def test_alarms_are_answered(room: Served) -> None:
    listed = httpx.get(f"{room.url}/room/alarms").json()
    assert listed["alarms"] == [] or listed["alarms"][0]["state"]
    everything = httpx.post(f"{room.url}/room/alarms", json={"do": "acknowledge"})
    assert everything.status_code == 200 and everything.json()["version"] > listed["version"]
    assert httpx.post(f"{room.url}/room/alarms", json={"id": 12345, "do": "silence"}).status_code == 400
    assert httpx.post(f"{room.url}/room/alarms", json={"do": "delete"}).status_code == 400
