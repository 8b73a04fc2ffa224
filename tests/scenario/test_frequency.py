"""What a scenario may say about frequency, and what it is told when it does not fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from heptagrid.foundation.errors import ScenarioError
from heptagrid.scenario.load import load

TRIP = '[[events]]\nkind = "unit_trip"\nwhere = {where}\nbegin = 2016-01-27T17:20:00\nduration_s = 600\n'


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[frequency]\nenabled = true\n", "there is no disturbance to follow; add one"),
        (TRIP.format(where='"the big one"'), "no such unit; write 'largest', or 'unit 0' to 'unit 97'"),
        (TRIP.format(where=98), "= 'unit 98': there is no such unit"),
        ("[load_shedding]\nbelow_hz = [1.0]\n", "load_shedding.share has 6 entries and load_shedding.below_hz 1"),
        ("[load_shedding]\nbelow_hz = [1.0, 1.1]\nshare = [0.6, 0.6]\n", "cannot shed more than all load"),
        ('[frequency]\nfollow = "sometimes"\n', "must be one of disturbances, always"),
        ("[frequency]\nsubstep_s = 5.0\n", "frequency.substep_s = 5.0: must lie from 0.01 to 1 in s"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ScenarioError) as problem:
        load(file(tmp_path, text))
    assert words in str(problem.value)


def test_a_unit_is_named_by_its_number_or_as_the_largest(tmp_path: Path) -> None:
    one, other = (load(file(tmp_path, TRIP.format(where=where))) for where in ("21", '"largest"'))
    assert one.events[0].place == ("unit", 21)
    assert other.events[0].place == ("unit", "largest")


def test_frequency_can_be_followed_all_the_time_without_a_disturbance(tmp_path: Path) -> None:
    scenario = load(file(tmp_path, '[frequency]\nenabled = true\nfollow = "always"\n'))
    assert scenario.sections["frequency"].enabled
