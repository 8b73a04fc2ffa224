"""The Python of the documents runs as it stands; a day's run and a sweep are answered from the day that the tests share."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import heptagrid
from heptagrid import Run
from tests.clear.cases import LOOP
from tests.documents.pages import DOCS, ROOT, blocks, named, pages
from tests.flow.cases import RING

pytestmark = pytest.mark.long

HELD_ELSEWHERE = {
    "docs/simulation.md": "simulation/test_simulation.py",
    "docs/federate.md": "live/test_federate.py",
    "docs/extend.md": "documents/test_extend.py",
    "docs/devices.md": "plugins/test_device.py",
    "docs/tariffs-and-desks.md": "plugins/test_tariff_and_desk.py",
    "docs/live/api.md": "live/test_lines_as_written.py",
    "docs/live/c37118.md": "live/test_lines_as_written.py",
    "docs/live/dlms.md": "live/test_dlms_server.py",
    "docs/live/dnp3.md": "live/test_lines_as_written.py",
    "docs/live/iec104.md": "live/test_lines_as_written.py",
    "docs/live/mms.md": "live/test_lines_as_written.py",
    "docs/live/modbus.md": "live/test_lines_as_written.py",
    "docs/live/testing.md": "live/test_testing.py",
    "docs/live/ieee2030-5.md": "live/test_sep2_grid.py",
    "docs/live/openadr.md": "live/test_openadr_peers.py",
}
"""Pages whose blocks run in a test that also looks at what comes of it."""

ALL = [
    pytest.param(page, text, id=f"{named(page)}-{k}")
    for page in [ROOT / "README.md", *pages()]
    if named(page) not in HELD_ELSEWHERE
    for k, text in enumerate(blocks(page, "python"))
]


@pytest.mark.parametrize(("page", "text"), ALL)
def test_a_block_runs(page: Path, text: str, day: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        "run": day,
        "sweep": SimpleNamespace(content={"points": [{"label": "a", "figures": {"peak_kw": {"mean": 1.0}}}]}),
    }
    for name, answer in answers.items():
        monkeypatch.setattr(
            import_module(heptagrid._WHERE[name]), name, lambda *given, answer=answer, **options: answer
        )
    monkeypatch.chdir(tmp_path)
    for name, content in files().items():
        Path(name).write_text(content, encoding="utf-8")
    said: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, named(page), "exec"), said)


def files() -> dict[str, str]:
    """What the blocks read."""
    network, traffic = blocks(DOCS / "carry.md", "toml")[0], blocks(DOCS / "carry.md", "csv")[0]
    lane = (ROOT / "tests/cases/lane/lane.dss").read_text(encoding="utf-8")
    return {"network.toml": network, "traffic.csv": traffic, "Master.dss": lane, "case118.m": RING, "case5.m": LOOP}


@pytest.mark.parametrize(("page", "test"), HELD_ELSEWHERE.items())
def test_what_is_held_elsewhere_is(page: str, test: str) -> None:
    assert Path(page).name in (ROOT / "tests" / test).read_text(encoding="utf-8")
