"""The page on `heptagrid carry`: its example runs and ends as it says, and it names every key, method and status."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from heptagrid.planes.messages.media import METHODS, Medium
from heptagrid.studies.carry.api import carry
from heptagrid.studies.carry.medium_rows import CONSTANTS, METHOD_DEFAULTS
from heptagrid.studies.carry.network_file import TABLES
from heptagrid.studies.carry.traffic_file import _OPTIONAL, COLUMNS, WORDS

PAGE = (Path(__file__).parents[2] / "docs/carry.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.+?)```", PAGE, re.S)


def test_the_example_ends_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    network, route = blocks("toml")
    traffic, delivered, *_ = blocks("csv")
    Path("network.toml").write_text(network, encoding="utf-8")
    Path("traffic.csv").write_text(traffic, encoding="utf-8")
    command, drawing = blocks("sh")
    result = CliRunner().invoke(main, shlex.split(command)[1:])
    assert result.exit_code == 0, result.output
    assert Path("delivered.csv").read_text(encoding="utf-8") == delivered
    result = CliRunner().invoke(main, shlex.split(drawing)[1:])
    assert result.exit_code == 0, result.output
    assert Path("map.svg").read_text(encoding="utf-8").startswith("<svg")
    (example,) = blocks("python")
    exec(compile(example, "docs/carry.md", "exec"), {})
    Path("network.toml").write_text(network + route, encoding="utf-8")
    result = CliRunner().invoke(main, shlex.split(command)[1:])
    assert "there is no link from 'substation' to 'meter 2'" in result.output


SET_POINT = next(block for block in blocks("csv") if "uplink_timeout_s" in block)


@pytest.mark.parametrize("traffic", [block for block in blocks("csv")[2:] if block != SET_POINT])
def test_the_loops_of_the_page_come_to_their_end(tmp_path: Path, traffic: str) -> None:
    ends = [("master", "unit", 9600 * 8 / 11, 0.0), ("head end", "meter", 1e5, 0.01), ("protection", "a", 1e8, 0.0)]
    ends += [(b, a, rate, delay) for a, b, rate, delay in ends] + [("a", "b", 1e8, 0.0)]
    names = ("master", "unit", "head end", "meter", "protection", "a", "b")
    network = "".join(f'[[node]]\nname = "{name}"\n' for name in names)
    network += '[[group]]\nname = "subscribers"\nmembers = ["a", "b"]\n'
    for a, b, rate, delay in ends:
        network += f'[[link]]\nfrom = "{a}"\nto = "{b}"\nrate_bps = {rate}\ndelay_s = {delay}\n'
    (tmp_path / "network.toml").write_text(network)
    (tmp_path / "traffic.csv").write_text(traffic)
    found = carry(tmp_path / "network.toml", tmp_path / "traffic.csv", tmp_path / "out.csv")
    assert (found.status == 0).all() and (tmp_path / "out.csv").exists()
    if "poll" in traffic:
        cycle_s = 2 * 256 * 11 / 9600 + 0.1
        assert abs(found.delivered_ns[-1] * 1e-9 - 2 * cycle_s) < 1e-6 and abs(cycle_s - 0.6867) < 1e-4


def test_a_set_point_that_goes_out_of_date_ends_as_the_page_says(tmp_path: Path) -> None:
    network = '[[node]]\nname = "gateway"\n[[node]]\nname = "meter"\nx_m = 100\n'
    network += '[[medium]]\ntechnology = "lorawan"\nloss = 0.0\ndelay_s = 0.0\nmembers = ["gateway", "meter"]\n'
    (tmp_path / "network.toml").write_text(network)
    (tmp_path / "traffic.csv").write_text(SET_POINT)
    found = carry(tmp_path / "network.toml", tmp_path / "traffic.csv")
    assert [WORDS[status] for status in found.status] == ["delivered", "stale", "delivered", "delivered", "delivered"]
    assert "1801.123 s" in PAGE and abs(found.delivered_ns[3] * 1e-9 - 1801.1234) < 1e-5


@pytest.mark.parametrize("word", sorted({*METHODS, *WORDS, *COLUMNS, *_OPTIONAL, *set().union(*TABLES.values())}))
def test_every_word_is_explained(word: str) -> None:
    assert re.search(rf"^\|.*`{re.escape(word)}`", PAGE, re.M)


@pytest.mark.parametrize("method", sorted(set(METHOD_DEFAULTS) - {"queue"}))
def test_constants_are_the_defaults(method: str) -> None:
    for key in CONSTANTS - {"sense_m", "interfere_m", "capture_db", "path_exponent"}:
        (row,) = re.findall(rf"^\| `{key}` \|.*\| (.+) \|$", PAGE, re.M)
        names = re.split(r"(?<=\)), ", row)
        group = next((each for each in names if f"`{method}`" in each), None)
        default, unread = getattr(METHOD_DEFAULTS[method], key), getattr(Medium(access=method), key)
        if (method, key) == ("csma", "gap_s"):  # in bits
            continue
        if group is None or "required" in group:
            assert default == unread, f"{method} has {key} = {default}"
            continue
        (given,) = re.findall(r"\(([^;)]+)[;)]", group)
        assert eval(given) == (list(default) if isinstance(default, tuple) else default), (method, key)
