"""Who is not allowed, what is forged and what is said once more: refused by each protocol, and counted. The table in `docs/live/security.md` says by what."""

from __future__ import annotations

import json
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from heptagrid.live.access import AccessFiles
from heptagrid.live.certificates import Authority, Leaf
from heptagrid.live.protocols.dnp3.application import Function
from heptagrid.live.protocols.iec104 import apci
from heptagrid.live.protocols.mqtt.adapter import Mqtt
from heptagrid.live.protocols.mqtt.section import Parameters
from heptagrid.scenario.schema import Scenario
from tests.live.dnp3_master import CLOSE, relay, request
from tests.live.malformed import STATION
from tests.live.served import Served, served
from tests.live.spoken import SPOKEN, Spoken, fragments
from tests.live.test_ocpp_chargers import Bench
from tests.live.test_reported_weaknesses import said

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="not run: devices have addresses of their own on Linux"),
    pytest.mark.long,
]
SEP2 = Spoken("127.0.0.1", b"", lambda k: b"GET /dcap HTTP/1.1\r\nHost: localhost\r\n\r\n", b"")
ASKED = SPOKEN | {"sep2": SEP2}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a server and a client of one authority, and a client of another in `theirs`."""
    folder = tmp_path_factory.mktemp("keys")
    authority = Authority.of(folder)
    authority.sign(Leaf("localhost", "server", ("127.0.0.1",)))
    authority.sign(Leaf("head-end", "client"))
    Authority.of(folder / "theirs").sign(Leaf("head-end", "client"))
    return folder


@pytest.fixture(scope="module")
def guarded(lane: Scenario, keys: Path) -> Iterator[Served]:
    """A grid whose protocols ask for certificates."""
    files = AccessFiles(tls_cert=keys / "localhost.pem", tls_key=keys / "localhost.key", tls_ca=keys / "ca.pem")
    with served(lane, dict.fromkeys(ASKED), is_ideal=True, access=files) as grid:
        yield grid


@pytest.fixture(scope="module")
def grid(lane: Scenario) -> Iterator[Served]:
    with served(lane, dict.fromkeys(SPOKEN), is_ideal=True) as one:
        yield one


def answered(grid: Served, name: str, keys: Path, client: Path | None, is_tls: bool = True) -> bool:
    """Whether somebody is served who shows a certificate, none, or speaks without TLS."""
    one = ASKED[name]
    with socket.create_connection((one.host, grid.ports[name]), 10.0) as link, suppress(OSError):
        if not is_tls:
            return _is_answer(link, one)
        context = ssl.create_default_context(cafile=str(keys / "ca.pem"))
        context.check_hostname = False  # devices' own addresses are in no certificate
        if client is not None:
            context.load_cert_chain(client / "head-end.pem", client / "head-end.key")
        with context.wrap_socket(link, server_hostname="localhost") as secured:
            return _is_answer(secured, one)
    return False


def _is_answer(link: socket.socket, one: Spoken) -> bool:
    link.sendall(one.first + one.again(0))
    received = link.recv(1000)
    return len(received) > 0 and received[:1] != b"\x15"  # an alert of TLS is no answer


@pytest.mark.parametrize("name", list(ASKED))
def test_who_shows_no_certificate_of_the_authority_reaches_nothing(guarded: Served, keys: Path, name: str) -> None:
    def refused() -> int:
        return sum(count for word, count in guarded.grid.counts.items() if word.startswith("protocols: TLS refused, "))

    before, heard = refused(), guarded.grid.wire.bytes
    assert not answered(guarded, name, keys, None)
    assert not answered(guarded, name, keys, keys / "theirs")
    assert not answered(guarded, name, keys, None, is_tls=False)
    assert refused() == before + 3 and guarded.grid.wire.bytes == heard
    assert answered(guarded, name, keys, keys), "and who shows one is served"


def test_a_call_of_ocpp_that_comes_again_is_answered_and_not_done_again() -> None:
    bench = Bench("1.6")
    start = {"connectorId": 1, "idTag": "CARD", "meterStart": 0, "timestamp": "2026-08-04T12:00:00Z"}
    text = json.dumps([2, "77", "StartTransaction", start])
    first = bench.dialogue.receive(text)
    assert [bench.dialogue.receive(text) for _ in range(3)] == [first] * 3
    assert bench.counted.count("malformed: repeated call") == 3
    assert len(cast(Any, bench.charger).records) == 1


def test_an_answer_that_nobody_asked_for_settles_nothing() -> None:
    bench = Bench("1.6")
    for forged in ('[3,"1",{"status":"Accepted"}]', '[4,"1","GenericError","",{}]'):
        assert bench.dialogue.receive(forged) is None
    assert bench.counted.count("malformed: answer to nothing") == 2


def test_a_request_of_dnp3_that_comes_again_is_answered_and_not_done_again(grid: Served) -> None:
    command = request(3, Function.SELECT, relay(255, CLOSE))
    before = dict(grid.grid.counts)
    answer = said(grid, "dnp3", fragments(STATION, command) * 3)
    assert answer.count(b"\x05\x64") == 3
    assert grid.grid.counts["dnp3: repeated request"] == before.get("dnp3: repeated request", 0) + 2
    assert grid.grid.counts["dnp3: refused"] == before.get("dnp3: refused", 0) + 1, "refused once"


def test_a_frame_of_iec_104_that_comes_again_ends_the_connection(grid: Served) -> None:
    frame = apci.encode(apci.Information(0, 0, bytes.fromhex("640106000100000000 14".replace(" ", ""))))
    before = grid.grid.counts.get("iec104: closed: sequence", 0)
    said(grid, "iec104", SPOKEN["iec104"].first + frame + frame)
    assert grid.grid.counts["iec104: closed: sequence"] == before + 1


def test_a_command_for_another_phasor_unit_is_not_taken(grid: Served) -> None:
    before = grid.grid.counts.get("c37118: no such unit", 0)
    from heptagrid.live.protocols.c37118 import frames

    assert not said(grid, "c37118", frames.command(40_000, frames.Command.DATA_ON, 0))
    assert grid.grid.counts["c37118: no such unit"] == before + 1


@pytest.mark.parametrize(
    ("topic", "is_ours"),
    [
        ("heptagrid/vehicles/0/power_kw", True),
        ("heptagrid/vehicles/0/set", False),
        ("heptagrid/vehicles/set", True),
        ("heptagrid", True),
        ("spBv1.0/heptagrid/DDATA/substation-0/vehicles-0", True),
        ("spBv1.0/heptagrid/NDEATH/substation-0", True),
        ("spBv1.0/heptagrid/NCMD/substation-0", False),
        ("spBv1.0/heptagrid/DCMD/substation-0/vehicles-0", False),
        ("spBv1.0/another/DDATA/node/device", False),
        ("spBv1.0/STATE/host", False),
        ("weather/1", False),
    ],
)
def test_only_devices_publish_what_devices_publish(topic: str, is_ours: bool) -> None:
    adapter = cast(Mqtt, SimpleNamespace(parameters=Parameters()))
    assert Mqtt._is_ours(adapter, topic) is is_ours
