"""Names of strangers with control characters reach no terminal, drawing, table or page as they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.foundation.errors import FileError
from heptagrid.foundation.printable import has_control, printable
from heptagrid.report.words import text

CASE = """function mpc = small
mpc.version = '2';
mpc.baseMVA = 100;
mpc.bus = [
 1 3 0 0 0 0 1 1 0 110 1 1.1 0.9;
 2 1 10 2 0 0 1 1 0 110 1 1.1 0.9;
];
mpc.gen = [1 10 0 50 -50 1 100 1 100 0];
mpc.branch = [1 2 0.01 0.05 0.02 0 0 0 0 0 1 -360 360];
mpc.bus_name = {'Bus \x1b[31mOne\x1b[0m'; 'Two\x07 \u202egnp'};
"""


def test_a_text_keeps_lines_and_tabs_and_shows_the_rest() -> None:
    assert printable("a\tb\nc") == "a\tb\nc"
    assert printable("\x1b[31m\x00\x9b\u202e") == "\\x1b[31m\\x00\\x9b\\u202e"
    assert not has_control("Straße 日本 €") and has_control("\r")


def test_a_page_shows_them_as_escapes() -> None:
    assert text("<b>\x1b</b>") == "&lt;b&gt;\\x1b&lt;/b&gt;"


def test_an_error_shows_them_and_leaves_out_the_middle_of_what_is_long() -> None:
    said = str(FileError("x.csv", ["\x1b[2J" + "a" * 100_000]))
    assert "\\x1b[2J" in said and len(said) < 3000 and "letters left out" in said


def test_names_of_a_network_reach_neither_terminal_nor_table_nor_drawing(tmp_path: Path) -> None:
    case, rows, drawing = tmp_path / "case.m", tmp_path / "out.csv", tmp_path / "map.svg"
    case.write_text(CASE, encoding="utf-8")
    flow = CliRunner().invoke(main, ["flow", str(case), "--out", str(rows), "--json"])
    inspect = CliRunner().invoke(main, ["inspect", str(case), "--svg", str(drawing)])
    assert flow.exit_code == 0, flow.output
    assert inspect.exit_code == 0, inspect.output
    json.loads(flow.stdout)
    said = [flow.output, inspect.output, rows.read_text(encoding="utf-8"), drawing.read_text(encoding="utf-8")]
    assert not any(has_control(one.replace("\r\n", "\n")) for one in said)


def test_a_network_with_plain_names_is_handed_on_untouched() -> None:
    from heptagrid.foundation.printable import printable_names
    from heptagrid.world.endpoints import Endpoints

    ids = np.arange(3)
    endpoints = Endpoints(ids, ids, 1, 2, 3, 4, 5, ids, ids, ids)
    assert printable_names(endpoints) is endpoints
