"""Every protocol is on the page of live grids and in the help of `serve`, with its port, and in both tables of the page of security."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.foundation.registry import protocols
from tests.documents.pages import DOCS

TITLES = {
    "c37118": "C37.118",
    "dlms": "DLMS",
    "dnp3": "DNP3",
    "iec104": "IEC 104",
    "mms": "MMS",
    "modbus": "Modbus",
    "mqtt": "MQTT",
    "ocpp": "OCPP",
    "openadr": "OpenADR",
    "openadr20b": "2.0b",
    "sep2": "IEEE 2030.5",
}
"""What a row of the tables calls each."""


def own() -> set[str]:
    """The protocols of this package; others may be installed beside them."""
    return {name for name, one in protocols().items() if one.__module__.startswith("heptagrid.")}


@pytest.mark.parametrize("heading", ["What is refused", "Clients that ask too much"])
def test_the_tables_of_security_have_every_protocol(heading: str) -> None:
    assert TITLES.keys() == own(), "a protocol has no title here"
    page = (DOCS / "live/security.md").read_text(encoding="utf-8")
    table = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    missing = [title for title in ("interface", *TITLES.values()) if not any(title in row for row in rows)]
    assert not missing


def test_the_page_and_the_help_name_every_protocol_and_its_port() -> None:
    page = (DOCS / "live.md").read_text(encoding="utf-8").partition("\n## ")[0]
    said = [line.split()[:2] for line in CliRunner().invoke(main, ["serve", "--help"]).output.splitlines()]
    for name in own():
        port = protocols()[name].port
        assert f"`{name}` {port}" in page, name
        assert [name, str(port)] in said, name
