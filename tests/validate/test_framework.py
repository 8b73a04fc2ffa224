"""Verdicts, selection, JSON and exit codes of `heptagrid validate`, on cases made up for the purpose."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from heptagrid.cli import main
from heptagrid.foundation.errors import UsageError
from heptagrid.validate import peers, registry
from heptagrid.validate.case import Case, Finding, NotRun, case, farthest, within
from heptagrid.validate.rows import run_cases
from heptagrid.validate.table import listing, table

KEYS = [
    "case",
    "plane",
    "kind",
    "source",
    "expected",
    "ours",
    "difference",
    "tolerance",
    "verdict",
    "same_reader",
    "seconds",
]


@case("agrees", plane="power", kind="exact", source="made up")
def agrees(live: bool) -> Iterator[Finding]:
    yield Finding("one", 100.0, 100.5, 0.01, relative=True)
    yield Finding("other", 2.0, 1.5, 0.5, unit="kW")


@case("differs", plane="messages", kind="exact", source="made up")
def differs(live: bool) -> Iterator[Finding]:
    yield Finding("delay", 1.0, 1.2, 0.1)


@case("differs-not-a-number", plane="messages", kind="exact", source="made up")
def not_a_number(live: bool) -> Iterator[Finding]:
    yield Finding("delay", 1.0, math.nan, 0.1)


@case("missed", plane="grid", kind="band", source="made up")
def missed(live: bool) -> Iterator[Finding]:
    yield within("share", 10.0, 16.0, 3.0, unit="%")


@case("breaks", plane="money", kind="band", source="made up")
def breaks(live: bool) -> Iterator[Finding]:
    yield within("first", 0.0, 2.0, 1.0)
    raise RuntimeError("the ledger burnt")


@case("peerless", plane="money", kind="exact", source="made up")
def peerless(live: bool) -> Iterator[Finding]:
    yield Finding("recorded", 1.0, 1.0, 0.0)
    if live:
        peers.peer("no_such_program", "live")


ALL = [agrees, differs, not_a_number, missed, breaks, peerless]


@pytest.fixture
def cases(monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    monkeypatch.setattr(registry, "all_cases", lambda: ALL)
    return ALL


def validate(*words: str) -> Result:
    return CliRunner().invoke(main, ["validate", *words])


def verdicts(*chosen: Case, live: bool = False) -> list[str]:
    return [row.verdict for row in run_cases(chosen, live)]


def test_the_difference_is_in_the_terms_of_the_tolerance() -> None:
    one, other = run_cases([agrees])
    assert (one.difference, one.tolerance, one.verdict) == (pytest.approx(0.005), 0.01, "pass")
    assert (other.difference, other.tolerance, other.verdict) == (-0.5, 0.5, "pass")


def test_an_exact_comparison_fails_and_a_band_is_missed() -> None:
    assert verdicts(differs) == ["fail"]
    assert verdicts(not_a_number) == ["fail"]
    assert verdicts(missed) == ["outside"]


def test_a_case_that_breaks_fails_by_itself_and_says_why() -> None:
    first, broken, after, _ = run_cases([breaks, agrees])
    assert (first.verdict, broken.verdict, broken.kind, after.verdict) == ("pass", "fail", "exact", "pass")
    assert broken.reason == "RuntimeError: the ledger burnt"
    assert broken.name == "breaks: after first"


def test_a_case_that_compares_nothing_fails() -> None:
    def nothing(live: bool) -> Iterator[Finding]:
        return iter(())

    assert verdicts(Case("empty", "grid", "exact", "made up", nothing)) == ["fail"]


def test_an_interruption_ends_the_run() -> None:
    def interrupted(live: bool) -> Iterator[Finding]:
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        run_cases([Case("long", "grid", "exact", "made up", interrupted)])


def test_a_missing_peer_is_not_run_and_not_counted_as_passed(
    monkeypatch: pytest.MonkeyPatch, cases: list[Case]
) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name=name.rpartition(".")[2])

    monkeypatch.setattr(peers, "import_module", absent)
    assert verdicts(peerless) == ["pass"]
    recorded, live = run_cases([peerless], live=True)
    assert (recorded.verdict, live.verdict, live.name) == ("pass", "not run", "peerless: live")
    assert live.reason == "no_such_program is not installed; pip install no-such-program"
    result = validate("peerless", "--live")
    assert result.exit_code == 0
    assert "2 comparisons: 1 pass, 0 fail, 1 not run" in result.stdout
    assert "pip install no-such-program" in result.stdout


def test_not_run_by_itself_keeps_the_kind() -> None:
    def without_data(live: bool) -> Iterator[Finding]:
        raise NotRun("all", "no data")
        yield

    (row,) = run_cases([Case("dataless", "grid", "band", "made up", without_data)])
    assert (row.verdict, row.kind, row.name) == ("not run", "band", "dataless")


def test_a_failing_exact_case_is_exit_code_8(cases: list[Case]) -> None:
    result = validate()
    assert result.exit_code == 8
    assert "3 of 8 comparisons fail: differs; differs-not-a-number; breaks: after first" in result.stderr
    assert "1 outside a published band" in result.stdout


def test_a_missed_band_is_no_error(cases: list[Case]) -> None:
    result = validate("missed")
    assert result.exit_code == 0
    assert "10 to 16" in result.stdout
    assert "1 comparisons: 0 pass, 0 fail, 1 outside a published band" in result.stdout


def test_json_holds_the_rows_and_nothing_else(cases: list[Case]) -> None:
    result = validate("--json")
    assert result.exit_code == 8
    assert "NaN" not in result.stdout
    found = json.loads(result.stdout)
    assert list(found) == ["cases"]
    assert all(list(row) == KEYS for row in found["cases"])
    by_name = {row["case"]: row for row in found["cases"]}
    assert list(by_name)[:3] == ["agrees: one", "agrees: other", "differs"]
    assert by_name["differs-not-a-number"]["ours"] is None
    assert by_name["differs-not-a-number"]["difference"] is None
    assert (by_name["missed"]["expected"], by_name["missed"]["tolerance"]) == (13.0, 3.0)
    assert by_name["breaks: after first"]["expected"] is None
    assert "the ledger burnt" in result.stderr


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), [one.name for one in ALL]),
        (("differs",), ["differs"]),
        (("differs-",), ["differs-not-a-number"]),
        (("money",), ["breaks", "peerless"]),
        (("*e*s", "missed"), ["agrees", "differs", "missed", "breaks", "peerless"]),
    ],
)
def test_cases_are_chosen_by_name_beginning_pattern_or_plane(words: tuple[str, ...], names: list[str]) -> None:
    assert sorted(one.name for one in registry.choose(words, ALL)) == sorted(names)


def test_an_unknown_case_is_wrong_usage_and_names_the_closest(cases: list[Case]) -> None:
    with pytest.raises(UsageError, match=r"'difers'; did you mean differs"):
        registry.choose(["difers"], ALL)
    result = validate("difers")
    assert (result.exit_code, result.stdout) == (2, "")


def test_the_list_runs_nothing(cases: list[Case]) -> None:
    result = validate("--list")
    assert result.exit_code == 0
    assert all(one.name in result.stdout for one in ALL)
    assert "one reading of the file" not in result.stdout, "no star, no legend"


def test_the_list_says_what_its_star_means() -> None:
    console = Console(width=140, record=True, file=io.StringIO())
    shared = Case(
        "shared", "power", "exact", "another program on the same file", lambda live: iter(()), same_reader=True
    )
    console.print(listing([shared, *ALL]))
    text = console.export_text()
    assert re.search(r"^shared +power +exact\* +another program on the same file", text, re.M)
    assert "* expected and ours come of one reading of the file" in text


def test_the_table_fits_a_terminal_of_80_columns(cases: list[Case]) -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(table(run_cases(ALL)))
    text = console.export_text()
    assert "outside" in text
    assert re.search(r"expected +ours +difference +tolerance +verdict +s$", text, re.M)


def test_what_one_reader_gave_to_both_is_marked() -> None:
    def two(live: bool) -> Iterator[Finding]:
        yield Finding("recorded", 1.0, 1.0, 0.0)
        yield Finding("live", 1.0, 1.0, 0.0, same_reader=True)

    rows = run_cases(
        [Case("some", "grid", "exact", "made up", two), Case("all", "grid", "exact", "made up", two, True)]
    )
    assert [row.same_reader for row in rows] == [False, True, True, True]
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(table(rows))
    text = console.export_text()
    assert text.count("pass*") == 3 and "one reading of the file" in text


def test_a_finding_may_have_a_source_of_its_own() -> None:
    def two(live: bool) -> Iterator[Finding]:
        yield Finding("recorded", 1.0, 1.0, 0.0)
        yield Finding("live", 1.0, 1.0, 0.0, source="a peer, run now")

    rows = run_cases([Case("both", "grid", "exact", "made up", two)])
    assert [row.source for row in rows] == ["made up", "a peer, run now"]


def test_the_farthest_of_many_is_shown() -> None:
    found = farthest("voltages", [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.1], [2.5, 4.0]], 0.1)
    assert (found.expected, found.ours) == (3.0, 2.5)
    assert math.isnan(farthest("voltages", [1.0, 2.0], [5.0, math.nan], 0.1).ours)
    with pytest.raises(ValueError, match="figures"):
        farthest("voltages", [1.0, 2.0], [1.0], 0.1)


def test_a_relative_difference_to_zero_is_agreement_or_none() -> None:
    assert Finding("rest", 0.0, 0.0, 1e-6, relative=True).difference == 0.0
    assert Finding("rest", 0.0, 1e-9, 1e-6, relative=True).difference == math.inf
