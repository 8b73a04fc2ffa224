"""The grid as a HELICS federate: what another program draws moves its voltage, and every kWh of it is accounted for."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.foundation.errors import FileError, UsageError
from heptagrid.live.federate import Federation, Link, Links, federate, read_links
from heptagrid.scenario.load import load
from tests.documents.pages import DOCS, blocks

needs_helics = pytest.mark.skipif(
    find_spec("helics") is None,
    reason='helics is not installed: pip install "heptagrid[federate]"; NO FEDERATION WAS TRIED',
)
STEP_S = 900
AREA = f"[run]\nstep_s = {STEP_S}\n[towns.area-1]\ncustomers = 160\n"
LINKS = """
[[publish]]
key = "grid/v"
quantity = "v_pu"
at = 40
[[publish]]
key = "grid/customer"
quantity = "customer_p_kw"
at = 3
[[publish]]
key = "grid/infeed"
quantity = "infeed_p_kw"
[[subscribe]]
key = "charger/p_kw"
quantity = "p_kw"
at = 3
[[subscribe]]
key = "charger/q_kvar"
quantity = "q_kvar"
at = 3
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@needs_helics
@pytest.mark.long
def test_what_another_federate_draws_flows_in_the_grid(tmp_path: Path) -> None:
    import helics

    links = tmp_path / "links.toml"
    links.write_text(LINKS, encoding="utf-8")
    (tmp_path / "area.toml").write_text(AREA, encoding="utf-8")
    scenario = load(tmp_path / "area.toml")
    steps, port = 96, free_port()
    broker = helics.helicsCreateBroker("zmq", "", f"-f 2 --local_interface=127.0.0.1 --port={port}")
    peer_file = Path(__file__).with_name("federate_peer.py")
    peer = subprocess.Popen(
        [sys.executable, str(peer_file), str(port), str(steps), str(STEP_S)], stdout=subprocess.PIPE, text=True
    )
    result, (published, taken) = federate(
        scenario,
        read_links(links),
        name="grid",
        arm="conventional",
        core_options=f"--broker_address=tcp://127.0.0.1:{port}",
    )
    told, _ = peer.communicate(timeout=60)
    helics.helicsBrokerWaitForDisconnect(broker, 5000)
    seen: Any = np.array(json.loads(told.splitlines()[-1]))
    assert result.steps == steps and published >= 3 * steps and taken >= 2 * (steps - 2)
    assert abs(result.energy.residual) < 1e-6 * result.energy.imported
    alone, _ = run_alone(scenario)
    # From the step after it began to draw, the grid draws 20 kW more at the customer, and more than that from above.
    more_kwh = result.energy.consumed - alone.energy.consumed
    assert more_kwh == pytest.approx(20.0 * STEP_S / 3600.0 * (steps - steps // 2 - 1), abs=20.0 * STEP_S / 3600.0)
    assert result.energy.lost > alone.energy.lost
    first, second = seen[2 : steps // 2, 2], seen[steps // 2 + 3 :, 2]
    assert second.min() > 20.0 > first.max(), "the customer's draw, kW"


@needs_helics
@pytest.mark.long
def test_the_lines_of_the_page_work_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/federate.md: its broker, its file and its peer, on a port that is free here and a smaller grid."""
    page, port = DOCS / "federate.md", free_port()
    broker_line, run_line = (one for one in blocks(page, "sh")[0].splitlines() if one)
    monkeypatch.chdir(tmp_path)
    Path("links.toml").write_text(blocks(page, "toml")[0], encoding="utf-8")
    Path("area.toml").write_text(AREA, encoding="utf-8")
    Path("peer.py").write_text(blocks(page, "python")[0].replace("23404", str(port)), encoding="utf-8")
    beside = [
        str(Path(sys.executable).with_name("helics_broker")),
        *broker_line.replace("23404", str(port)).split()[1:-1],
    ]
    started = [subprocess.Popen(beside), subprocess.Popen([sys.executable, "peer.py"])]
    words = run_line.replace("town", "area.toml").replace("23404", str(port)).split()[1:]
    said = CliRunner().invoke(main, words, catch_exceptions=False)
    codes = [one.wait(timeout=60) for one in started]
    assert (said.exit_code, codes) == (0, [0, 0]), said.output
    told = dict(line.split() for line in said.output.splitlines())
    assert int(told["steps"]) == 288 and int(told["published"]) >= 288 and int(told["taken"]) >= 286
    assert abs(float(told["residual_kwh"])) < 1e-3


def run_alone(scenario: Any) -> tuple[Any, None]:
    from heptagrid.simulation.simulation import Simulation

    simulation = Simulation(scenario, "conventional")
    simulation.begin()
    while simulation.step():
        pass
    return simulation.finish(), None


def test_links_that_are_not_understood_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "links.toml"
    path.write_text(
        '[[publish]]\nkey = "a"\nquantity = "volts"\n[[subscribe]]\nquantity = "p_kw"\nat = -1\nbus = 3\n[[listen]]\n',
        encoding="utf-8",
    )
    with pytest.raises(FileError) as found:
        read_links(path)
    assert found.value.violations == [
        "[[listen]]: write [[publish]] or [[subscribe]]",
        "publish[0].quantity = 'volts': write one of v_pu, infeed_p_kw, infeed_q_kvar, customer_v_pu, customer_p_kw, "
        "price_eur_per_mwh",
        "subscribe[0].bus: there is no such key; write key, quantity, at",
        'subscribe[0].key = None: write the key in the federation, such as "feeder/p_kw"',
        "subscribe[0].at = -1: write a whole number from 0",
    ]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.toml: 1 problem"):
        read_links(tmp_path / "none.toml")


def test_without_helics_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "helics", None)
    with pytest.raises(UsageError, match=r'pip install "heptagrid\[federate\]"'):
        Federation(Links((Link("a", "v_pu", 0),), ()), "grid", 60, "zmq", "")
