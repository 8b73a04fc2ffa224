"""Whatever a scenario file holds, it loads or is refused with the file's name: made extreme key by key, and by hand."""

from __future__ import annotations

import math
import random
import re
from pathlib import Path
from typing import Any

import pytest

import heptagrid
from heptagrid.foundation.errors import HeptagridError, ScenarioError
from heptagrid.foundation.printable import has_control
from heptagrid.scenario.template import template

EXTREMES = [
    *("nan", "inf", "-inf", "-1", "-0.0", "0", "2", "0.5", "1e308", "-1e308", "1e-320", "9223372036854775807"),
    *("9223372036854775808", "1" + "0" * 400, "1" * 5000, '""', '"x"', "true", "[]", "[[]]", "[1, 'a']", "{}", "{a=1}"),
    *(
        "2016-01-27",
        "2016-01-27T17:00:00Z",
        "17:00:00",
        "0001-01-01T00:00:00",
        '"\\u0000"',
        '"\\u001b[31m"',
        '"<b>x</b>"',
    ),
    *('"日本"', "'''\n'''", "[nan]", "[inf]", "[-1]", '"../../etc"', '"' + "a" * 5000 + '"', "[" * 90 + "]" * 90),
]


@pytest.fixture(scope="module")
def keys() -> list[tuple[str, str, str, str]]:
    """Every key of the template: section, name, default, note."""
    found: list[tuple[str, str, str, str]] = []
    section = ""
    for line in template("t").splitlines():
        if re.fullmatch(r"#?\[\[?([\w.]+)\]?\]", line):
            section = line.lstrip("#")
        elif key := re.match(r"#? ?(\w+) = (.+)", line):
            found.append((section, key[1], key[2], ""))
        elif found and not found[-1][3] and line.startswith("#   "):
            found[-1] = (*found[-1][:3], line)
    return found


def value_of(key: tuple[str, str, str, str], rng: random.Random) -> str:
    """A value at, just inside or just outside its bounds, or any extreme one."""
    limits = re.search(r"; (-?[\d.e+]+) to (-?[\d.e+]+)", key[3])
    if limits is None or rng.random() < 0.4:
        return rng.choice(EXTREMES)
    low, high = float(limits[1]), float(limits[2])
    near = [low, high, low - 1, high + 1, math.nextafter(low, -math.inf), math.nextafter(high, math.inf)]
    chosen = rng.choice([*near, (low + high) / 2])
    return str(int(chosen)) if re.fullmatch(r"-?\d+", key[2]) else repr(chosen)


def text_of(keys: list[tuple[str, str, str, str]], rng: random.Random) -> str:
    """A scenario with one or two keys made extreme; an event's other keys as the template has them."""
    tops, tables = [], []
    for key in rng.sample(keys, rng.choice([1, 1, 2])):
        section, name = key[:2]
        value = value_of(key, rng)
        if not section:
            tops.append(f"{name} = {value}")
        elif section.startswith("[["):
            at = keys.index(key)
            first = max((k for k in range(at + 1) if keys[k][1] == "kind"), default=at)
            last = next((k for k in range(at + 1, len(keys)) if keys[k][1] == "kind"), len(keys))
            entry = [f"{one[1]} = {value if one is key else one[2]}" for one in keys[first:last] if one[0] == section]
            tables.append("\n".join([section, *entry]))
        else:
            tables.append(f"{section}\n{name} = {value}")
    return "\n".join([*tops, *dict.fromkeys(tables)])


def check(path: Path) -> bool:
    """Whether a file is accepted; if so no value is without meaning, if not the error names the file and can be printed."""
    try:
        scenario = heptagrid.load(str(path))
    except HeptagridError as problem:
        said = str(problem)
    else:
        said = ""
    if said:
        assert str(path) in said and not has_control(said)
        return False
    for name, section in scenario.sections.items():
        for key, value in vars(section).items():
            for one in value if isinstance(value, tuple) else (value,):
                assert not isinstance(one, float) or math.isfinite(one), f"{name}.{key} = {one}"
    return True


def try_seeds(keys: list[Any], folder: Path, seeds: range) -> None:
    for seed in seeds:
        text = text_of(keys, random.Random(seed))
        path = folder / f"seed-{seed}.toml"
        path.write_text(text, encoding="utf-8")
        try:
            check(path)
        except Exception as fault:
            raise AssertionError(f"seed {seed}:\n{text[:500]}") from fault


def test_a_scenario_with_extreme_values_loads_or_is_refused(keys: list[Any], tmp_path: Path) -> None:
    assert len(keys) > 150
    try_seeds(keys, tmp_path, range(60))


@pytest.mark.slow
def test_many_scenarios_with_extreme_values_load_or_are_refused(keys: list[Any], tmp_path: Path) -> None:
    try_seeds(keys, tmp_path, range(1000, 4000))


BLACKOUT = "[[events]]\nkind = 'blackout'\nwhere = 'all'\n"
REFUSED = {
    "an integer of 400 digits for a number": "[vehicles]\nshare = " + "1" * 400,
    "an integer of 5,000 digits": "[run]\nseed = " + "1" * 5000,
    "a list nested too deeply": "x = " + "[" * 2000 + "]" * 2000,
    "a list nested deeper than the parser goes": "x = " + "[" * 90 + "]" * 90,
    "tables nested too deeply": "[" + ".".join(["a"] * 1500) + "]",
    "a network's name of 5,000 letters": f"network = '{'a' * 5000}'",
    "a table's name of 5,000 letters": f"typical_days = '{'a' * 5000}'",
    "a kind of event that is a table": "[[events]]\nkind = {}\nbegin = 3",
    "a kind of event that is a list": "[[events]]\nkind = []",
    "an event in the year 1": BLACKOUT + "begin = 0001-01-01T00:00:00\nduration_s = 60",
    "an event after 1e300 s": BLACKOUT + "begin = 1e300\nduration_s = 60",
    "an event of 400 digits": BLACKOUT + "begin = 10\nduration_s = " + "1" * 400,
    "a name with a control character": 'name = "a\\u001b[31mb"',
    "a key with a control character": '"a\\u001b" = 3',
    "a name that turns its direction around": 'name = "a\\u202eb"',
    "days in Latin-1": "typical_days = 'latin.csv'",
    "days in half of UTF-16": "typical_days = 'utf16.csv'",
    "a field of 200,000 letters": "typical_days = 'long.csv'",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_a_file_holds_is_refused_by_its_name(kind: str, tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("date,weight\n2016-01-27,3\u00a0\n".encode("latin-1"))
    (tmp_path / "utf16.csv").write_bytes("date,weight\n2016-01-27,3\n".encode("utf-16")[:-1])
    (tmp_path / "long.csv").write_text("date,weight\n" + "a" * 200_000 + ",1\n", encoding="utf-8")
    path = tmp_path / "strange.toml"
    path.write_text(REFUSED[kind], encoding="utf-8")
    assert not check(path)


def test_a_file_in_another_encoding_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "wide.toml"
    path.write_bytes("[run]\ndays = 2\n".encode("utf-16")[:-1])
    with pytest.raises(ScenarioError, match="not text in UTF-16"):
        heptagrid.load(path)
    path.write_bytes("[run]\ndays = 2\n".encode("utf-16-le"))
    with pytest.raises(ScenarioError, match="UTF-16 without a mark; save it as UTF-8"):
        heptagrid.load(path)
    path.write_bytes(b"[run]\nzone = '\xe9'\n")
    with pytest.raises(ScenarioError, match=r"line 2\); save it as UTF-8"):
        heptagrid.load(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_of_the_encoding_is_no_part_of_the_first_key(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "marked.toml"
    path.write_text("[run]\ndays = 2\n", encoding=encoding)
    assert heptagrid.load(path).days == 2


@pytest.mark.parametrize("source", ["a" * 5000, "x/" * 3000 + "a.toml", "\0", "", ".", "/dev/null/x"])
def test_no_name_of_a_scenario_is_too_strange_to_be_refused(source: str) -> None:
    with pytest.raises(ScenarioError):
        heptagrid.load(source)
