"""MQTT over sockets, judged by the programs of others: mosquitto and its clients, and npm's sparkplug-payload, each in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from heptagrid.live.protocols.mqtt import adapter
from heptagrid.scenario.schema import Scenario
from tests.documents.pages import DOCS, blocks
from tests.live.served import Served, served

HERE = Path(__file__).parent
UNSTEERED = ("vehicles.share=1.0", "gateways.enrolled_share=0.0", "gateways.dynamic_tariff_share=0.0")


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        pytest.skip(f"not run: {name} is not installed; apt-get install mosquitto mosquitto-clients nodejs")
    return found


@cache
def _node_modules() -> str | None:
    """Where npm's sparkplug-payload is: as NODE_PATH says, or installed into a temporary folder of the user's."""
    given = [Path(one) for one in os.environ.get("NODE_PATH", "").split(os.pathsep) if one]
    folder = Path.home() / ".cache" / "heptagrid" / "npm"
    for one in (*given, folder / "node_modules"):
        if (one / "sparkplug-payload").exists():
            return str(one)
    npm = shutil.which("npm")
    if npm is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "sparkplug-payload@1.0.3"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    return str(folder / "node_modules") if done.returncode == 0 else None


def decoder(*arguments: str, given: str = "") -> str:
    """What sparkplug-payload makes of it."""
    node, modules = program("node"), _node_modules()
    if modules is None:
        pytest.skip("not run: npm's sparkplug-payload cannot be installed")
    done = subprocess.run(
        [node, str(HERE / "sparkplug_decoder.js"), *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "NODE_PATH": modules},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def decoded(lines: list[str]) -> list[dict[str, Any]]:
    """The Sparkplug messages among lines of a topic and hexadecimal digits."""
    chosen = [one for one in lines if one.startswith("spBv1.0/")]
    return [json.loads(line) for line in decoder(given="\n".join(chosen)).splitlines()]


@contextmanager
def subscribed(port: int, *filters: str, qos: int = 1) -> Iterator[Callable[[Callable[[list[str]], bool]], list[str]]]:
    """mosquitto_sub on filters; gives what waits until its lines fulfil something, and returns them."""
    command = [program("mosquitto_sub"), "-V", "311", "-p", str(port), "-q", str(qos), "-F", "%t %x %q %r"]
    for one in filters:
        command += ["-t", one]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        text = b""

        def until(is_enough: Callable[[list[str]], bool]) -> list[str]:
            nonlocal text
            deadline = time.monotonic() + 60.0
            while time.monotonic() < deadline:
                text += process.stdout.read() or b""  # type: ignore[union-attr]
                lines = text[: text.rfind(b"\n") + 1].decode().splitlines()
                if is_enough(lines):
                    return lines
                time.sleep(0.05)
            raise AssertionError(f"it did not come: {text[-2000:]!r}")

        try:
            yield until
        finally:
            process.terminate()


def publish(port: int, topic: str, payload: bytes, tmp_path: Path) -> None:
    """mosquitto_pub of bytes."""
    file = tmp_path / "payload"
    file.write_bytes(payload)
    subprocess.run([program("mosquitto_pub"), "-p", str(port), "-t", topic, "-f", str(file)], check=True, timeout=30)


@contextmanager
def running(scenario: Scenario, *settings: str, is_ideal: bool = True) -> Iterator[Served]:
    """A grid at speed 1."""
    given = (*UNSTEERED, *settings)
    with served(scenario, {"mqtt": None}, settings=given, is_ideal=is_ideal) as grid:
        grid.grid.engine.pace.go()
        yield grid


def test_the_examples_of_the_page_hear_and_command(lane: Scenario) -> None:
    """The first two lines hear something, and the last two are taken, with a time-out and numbers of this lane."""
    (page,) = blocks(DOCS / "live/mqtt.md", "sh")
    for name in ("mosquitto_sub", "mosquitto_pub"):
        program(name)
    with running(lane) as grid:
        for line in page.splitlines():
            here = line.replace("/17/", "/2/").replace("/3/set", "/0/set")
            tool, _, rest = here.partition(" ")
            once = (
                "-C 1 -W 30"
                if tool == "mosquitto_sub" and "NBIRTH" not in line
                else "-W 1"
                if tool == "mosquitto_sub"
                else ""
            )
            command = f"{tool} -p {grid.ports['mqtt']} {once} {rest}"
            done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0 or "NBIRTH" in line, (command, done.stderr)
            assert done.stdout.startswith("heptagrid/") or "-v" not in line
        assert not grid.grid.counts.get("mqtt: malformed") and not grid.grid.counts.get("mqtt: refused command")


def of(kind: str, lines: list[str]) -> list[str]:
    return [one for one in lines if f"/{kind}/" in one.split(" ")[0]]


def test_mosquitto_sub_hears_births_before_data_and_plain_values(lane: Scenario) -> None:
    with running(lane, is_ideal=False) as grid, subscribed(grid.ports["mqtt"], "spBv1.0/#", "heptagrid/#") as until:
        lines = until(lambda lines: any("/meters-3 " in one for one in of("DBIRTH", lines)))
        assert all(one.split(" ")[2:] == ["0", "0"] for one in of("NBIRTH", lines) + of("DBIRTH", lines)), (
            "births have quality 0 and are not retained"
        )
        messages, born, expected = decoded(lines), set(), {}
        for one in messages:
            _, _, kind, node, *device = one["topic"].split("/")
            if kind == "NBIRTH":
                assert one["seq"] == 0 and one["metrics"][:2] == [
                    ["bdSeq", "Int64", 0],
                    ["Node Control/Rebirth", "Boolean", False],
                ]
            else:
                assert node in born and one["seq"] == expected[node]
                assert kind == "DBIRTH" or not device or (node, *device) in born
            born.add((node, *device) if device else node)
            expected[node] = (one["seq"] + 1) % 256
        meter = next(one for one in messages if one["topic"].endswith("/meters-3"))
        values = {name: value for name, _, value in meter["metrics"]}
        assert 220.0 < values["voltage_v"] < 250.0 and values["import_kwh"] > 0.0
        plain = {one.split(" ")[0]: bytes.fromhex(one.split(" ")[1]) for one in lines if one.startswith("heptagrid/")}
        assert json.loads(plain["heptagrid/meters/3/import_kwh"]) == pytest.approx(values["import_kwh"], abs=0.5)


def test_a_rebirth_keeps_bd_seq_and_tells_all_again(lane: Scenario, tmp_path: Path) -> None:
    with running(lane) as grid, subscribed(grid.ports["mqtt"], "spBv1.0/#") as until:
        node = f"substation-{grid.grid.inventory.world.substation_of[3]}"
        told = lambda kind, lines: [one for one in of(kind, lines) if f"/{node}/meters-3 " in one or f"/{node} " in one]  # noqa: E731
        until(lambda lines: len(told("DBIRTH", lines)) == 1)
        asked = {"timestamp": 1, "metrics": [{"name": "Node Control/Rebirth", "type": "Boolean", "value": True}]}
        raw = bytes.fromhex(decoder("encode", json.dumps(asked)))
        publish(grid.ports["mqtt"], f"spBv1.0/heptagrid/NCMD/{node}", raw, tmp_path)
        lines = until(lambda lines: len(told("DBIRTH", lines)) == 2)
        births = decoded(told("NBIRTH", lines))
        assert [one["metrics"][0] for one in births] == [["bdSeq", "Int64", 0]] * 2
        assert [one["seq"] for one in births] == [0, 0]
        order = [lines.index(one) for one in told("NBIRTH", lines) + told("DBIRTH", lines)]
        assert order[0] < order[2] < order[1] < order[3], "the node first, then its devices"


def test_a_command_of_sparkplug_and_a_plain_one_set_the_power(lane: Scenario, tmp_path: Path) -> None:
    with running(lane) as grid, subscribed(grid.ports["mqtt"], "heptagrid/vehicles/+/setpoint_kw") as until:
        world, port = grid.grid.inventory.world, grid.ports["mqtt"]
        vehicles = grid.grid.inventory.classes["vehicles"]
        node = int(world.substation_of[vehicles.point[0]])
        metrics = [
            {"name": "setpoint_kw", "type": "Double", "value": 1.5},
            {"name": "setpoint_for_s", "type": "Int32", "value": 1200},
        ]
        raw = bytes.fromhex(decoder("encode", json.dumps({"timestamp": 1, "metrics": metrics})))
        publish(port, f"spBv1.0/heptagrid/DCMD/substation-{node}/vehicles-0", raw, tmp_path)
        publish(port, "heptagrid/vehicles/1/set", b'{"power_kw": 2.5, "for_s": 600}', tmp_path)
        until(lambda lines: len(lines) >= 1)
        deadline = time.monotonic() + 60.0
        ordered = lambda: grid.grid.state.devices["vehicles"].ordered_kw[:2].tolist()  # noqa: E731
        while ordered() != [1.5, 2.5] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert ordered() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("topic", "payload", "counted"),
    [
        ("heptagrid/meters/1/set", b'{"power_kw": 1}', "mqtt: refused command"),
        ("heptagrid/vehicles/0/set", b'{"power_kw": 1e999}', "mqtt: refused command"),
        ("heptagrid/vehicles/9999/set", b'{"power_kw": 1}', "mqtt: no such device"),
        ("heptagrid/vehicles/0/set", b"[]", "mqtt: malformed"),
        ("spBv1.0/heptagrid/DCMD/substation-0/vehicles-0", b"\xff", "mqtt: malformed"),
        ("spBv1.0/heptagrid/NCMD/substation-0", b"", "mqtt: unknown command"),
    ],
)
def test_commands_that_make_no_sense_are_counted(
    topic: str, payload: bytes, counted: str, standing: Served, tmp_path: Path
) -> None:
    before = standing.grid.counts.get(counted, 0)
    publish(standing.ports["mqtt"], topic, payload, tmp_path)
    deadline = time.monotonic() + 30.0
    while standing.grid.counts.get(counted, 0) == before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert standing.grid.counts[counted] == before + 1


@pytest.fixture(scope="module")
def standing(lane: Scenario) -> Iterator[Served]:
    """A grid that stands still."""
    with served(lane, {"mqtt": None}, settings=UNSTEERED, is_ideal=True) as grid:
        yield grid


def test_bytes_that_are_no_packet_end_the_connection(standing: Served) -> None:
    with socket.create_connection(("127.0.0.1", standing.ports["mqtt"]), timeout=30) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises((ConnectionResetError, AssertionError)):
            assert stream.recv(1) != b""


def is_cut_off(stream: socket.socket, pieces: bytes) -> bool:
    """Whether a connection ends while bytes are sent one by one."""
    try:
        for piece in range(len(pieces)):
            stream.sendall(pieces[piece : piece + 1])
            with suppress(TimeoutError):
                assert stream.recv(1) == b"", "nothing is answered"
                return True
    except ConnectionError:
        return True
    return False


def test_an_introduction_in_pieces_takes_no_longer_and_silence_after_it_is_allowed(
    standing: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_CONNECT_S", 1.0)
    whole = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a"  # keep-alive 0: silent for as long as it likes
    address = ("127.0.0.1", standing.ports["mqtt"])
    with socket.create_connection(address, 30) as silent, socket.create_connection(address, 30) as slow:
        silent.sendall(whole)
        assert silent.recv(4) == b"\x20\x02\x00\x00"
        slow.settimeout(0.4)
        assert is_cut_off(slow, whole[:10])
        silent.sendall(b"\xc0\x00")
        assert silent.recv(2) == b"\xd0\x00"


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """An outside broker."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    file = folder / "mosquitto.conf"
    file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n", encoding="utf-8")
    process = subprocess.Popen([program("mosquitto"), "-c", str(file)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def test_an_outside_broker_is_told_by_every_edge_node_and_publishes_their_deaths(
    lane: Scenario, tmp_path: Path
) -> None:
    pytest.importorskip("aiomqtt", reason="not run: aiomqtt is not installed")
    with mosquitto(tmp_path) as port, subscribed(port, "spBv1.0/#") as until:
        with running(lane, f'live.mqtt.broker="mqtt://127.0.0.1:{port}"') as grid:
            until(lambda lines: len(of("NBIRTH", lines)) >= 2 and len(of("DBIRTH", lines)) >= 17)
            nodes = len(grid.grid.inventory.classes["substations"])
            taking_its_place = ["-p", str(port), "-i", "heptagrid-heptagrid-substation-1", "-t", "x", "-W", "1"]
            subprocess.run([program("mosquitto_sub"), *taking_its_place], timeout=30, check=False, capture_output=True)
            lines = until(lambda lines: any("/NDEATH/substation-1 " in one for one in lines))
            death = decoded([one for one in lines if "/NDEATH/substation-1 " in one])[0]
            assert death["metrics"] == [["bdSeq", "Int64", 0]] and death["seq"] is None
            lines = until(lambda lines: len([one for one in lines if "/NBIRTH/substation-1 " in one]) >= 2)
            again = decoded([one for one in lines if "/NBIRTH/substation-1 " in one])[-1]
            assert again["metrics"][0] == ["bdSeq", "Int64", 1], "another connection has the next number"
        lines = until(lambda lines: len({one.split(" ")[0] for one in of("NDEATH", lines)}) == nodes)
        assert all(one.split(" ")[2:] == ["1", "0"] for one in of("NDEATH", lines)), "deaths have quality 1"
