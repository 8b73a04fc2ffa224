"""The command line: what it asks for, what it prints, how fast it answers."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars
import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.cli import main
from heptagrid.cli.group import COMMANDS
from heptagrid.foundation.compiled import kernel_cache
from heptagrid.foundation.errors import NetworkError, PartialRunWarning
from heptagrid.inquiry.explain import explain
from heptagrid.inquiry.message_list import list_messages
from heptagrid.inquiry.trace import trace
from heptagrid.recording.results import Run
from heptagrid.scale import run as api
from heptagrid.scale.compare import Comparison
from heptagrid.scale.sweep import Sweep
from heptagrid.simulation import precompile as warm
from tests.documents.pages import DOCS, blocks

pytestmark = pytest.mark.long

ROOT = Path(heptagrid.__file__).parents[1]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, day: Any) -> list[dict[str, Any]]:
    """What `run`, `sweep`, `compare` and `validate` were asked for; the answer is always the same finished day."""
    calls: list[dict[str, Any]] = []

    def run(scenario: str, **options: Any) -> Any:
        calls.append({"scenario": scenario, **options})
        return day

    def sweep(scenario: str, vary: Any, **options: Any) -> Sweep:
        calls.append({"scenario": scenario, "vary": vary, **options})
        return Sweep(day.folder, {"points": []}, 3, 3)

    def compare(*sources: str, **options: Any) -> Comparison:
        calls.append({"sources": sources, **options})
        return Comparison(day.folder, {"runs": []}, [day])

    def carry(network: Path, traffic: Path, out: Path | None, **options: Any) -> Any:
        calls.append({"network": network, "traffic": traffic, "out": out, **options})
        return SimpleNamespace(summary=dict)

    def run_cases(cases: list[Any], live: bool, tick: Any) -> list[Any]:
        calls.append({"cases": cases, "live": live})
        return []

    monkeypatch.setattr(api, "run", run)
    monkeypatch.setattr("heptagrid.validate.rows.run_cases", run_cases)
    monkeypatch.setattr("heptagrid.studies.carry.api.carry", carry)
    monkeypatch.setattr("heptagrid.scale.sweep.sweep", sweep)
    monkeypatch.setattr("heptagrid.live.serve.serve", lambda scenario, *given: run(scenario, given=given))
    monkeypatch.setattr("heptagrid.scale.compare.compare", compare)
    monkeypatch.setattr("heptagrid.report.studies_terminal.sweep_summary", lambda content: "")
    monkeypatch.setattr("heptagrid.report.studies_terminal.compare_summary", lambda content: "")
    return calls


def test_options_reach_the_engine(asked: list[dict[str, Any]]) -> None:
    words = (
        "run town --days 2 --start 2016-07-04 --step 30 --seed 7 --single conventional --break access=0.3 --break wan "
    )
    words += "--set vehicles.share=0.4 --threads 2 --out somewhere --force"
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 0, result.output
    (call,) = asked
    assert (call["days"], call["start"], call["step_s"], call["seed"]) == (2, "2016-07-04", 30, 7)
    assert call["single"] == "conventional"
    assert call["break_"] == [("access", 0.3), ("wan", 1.0)]
    assert list(call["settings"]) == ["vehicles.share=0.4"]
    assert (call["threads"], call["out"], call["force"]) == (2, Path("somewhere"), True)


def test_options_reach_sweeps_and_comparisons(asked: list[dict[str, Any]]) -> None:
    shared = "--days 2 --start 2016-07-04 --step 30 --seed 7 --set vehicles.share=0.4 --out somewhere --force"
    words = f"sweep town --vary break.access=0:1:0.5 --vary a.b=x,y --seeds 3 --workers 2 --keep-runs {shared}"
    assert CliRunner().invoke(main, words.split()).exit_code == 0
    assert CliRunner().invoke(main, f"compare one two three --threads 2 {shared}".split()).exit_code == 0
    swept, compared = asked
    for call in asked:
        assert (call["days"], call["start"], call["step_s"], call["seed"]) == (2, "2016-07-04", 30, 7)
        assert (list(call["settings"]), call["out"], call["force"]) == (["vehicles.share=0.4"], Path("somewhere"), True)
    assert list(swept["vary"]) == ["break.access=0:1:0.5", "a.b=x,y"]
    assert (swept["scenario"], swept["seeds"], swept["workers"], swept["keep_runs"]) == ("town", 3, 2, True)
    assert (compared["sources"], compared["threads"]) == (("one", "two", "three"), 2)


@pytest.mark.parametrize(
    ("words", "scenario", "single"),
    [("run --single", "town", "smart"), ("run town --single", "town", "smart"), ("run --single town", "town", "smart")],
)
def test_single_alone_means_smart(asked: list[dict[str, Any]], words: str, scenario: str, single: str) -> None:
    assert CliRunner().invoke(main, words.split()).exit_code == 0
    assert (asked[0]["scenario"], asked[0]["single"]) == (scenario, single)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run --single smrt", "no arm 'smrt' and no scenario of that name; did you mean smart?"),
        ("run --single conventionl", "no arm 'conventionl' and no scenario of that name; did you mean conventional?"),
        (
            "run --single nowhere.toml",
            "no arm 'nowhere.toml' and no scenario of that name; write smart or conventional",
        ),
        ("run town --single smrt", "no arm 'smrt'; did you mean smart?"),
    ],
)
def test_a_slip_in_the_name_of_an_arm_is_named(asked: list[dict[str, Any]], words: str, said: str) -> None:
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 2
    assert said in result.stderr
    assert asked == []


def test_json_prints_the_summary_and_nothing_else(asked: list[dict[str, Any]], day: Any) -> None:
    result = CliRunner().invoke(main, ["run", "--json"])
    assert json.loads(result.stdout) == day.summary


def test_the_screen_shows_figures_and_the_report(asked: list[dict[str, Any]], day: Any) -> None:
    output = CliRunner().invoke(main, ["run"]).stdout
    assert "peak import" in output
    assert str(day.report) in output
    assert output.count("\n") < 40, "one screen"


def test_wrong_usage_is_exit_code_2(asked: list[dict[str, Any]]) -> None:
    for words in (
        "run --break access=much",
        "run --break access=0.1 --break access=0.9",
        "run --threads 0",
        "run --nonsense",
        "run town town",
        "run town --single mine.toml",
        "sweep --vary break.access=0,1 --seeds 0",
        "sweep --vary break.access=0,1 --workers 0",
        "compare",
        "fly",
    ):
        assert CliRunner().invoke(main, words.split()).exit_code == 2, words
    assert asked == []


def test_scenarios_are_listed() -> None:
    assert re.search(r"^town +\S", CliRunner().invoke(main, ["scenarios"]).stdout, re.M)


def test_new_writes_a_scenario_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["new", "mine"]).exit_code == 0
    assert CliRunner().invoke(main, ["new", "mine"]).exit_code == 5
    assert heptagrid.load(tmp_path / "mine.toml").name == "mine"


def test_new_says_where_it_cannot_write(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["new", str(tmp_path / "nowhere" / "mine")])
    assert result.exit_code == 5
    assert "cannot be written" in result.stderr


def test_remarks_are_made_when_they_arise(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(scenario: str, **options: Any) -> Any:
        warnings.warn("a feeder is held", PartialRunWarning, stacklevel=1)
        raise NetworkError("an island")

    monkeypatch.setattr(api, "run", run)
    result = CliRunner().invoke(main, ["run", "--json"])
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.index("note: a feeder is held") < result.stderr.index("an island")


def test_more_threads_than_cores_is_a_remark(lane_file: Path, tmp_path: Path) -> None:
    words = ["run", str(lane_file), "--step", "900", "--single", "conventional", "--threads", "999"]
    words += ["--out", str(tmp_path / "run")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0
    assert "999 threads" in result.stderr


def test_help_and_import_answer_at_once() -> None:
    def least(*words: str) -> float:
        times = []
        for _ in range(3):
            began = time.perf_counter()
            subprocess.run([sys.executable, *words], check=True, capture_output=True)
            times.append(time.perf_counter() - began)
        return min(times)

    bare = least("-c", "")
    assert least("-c", "import heptagrid") - bare < 0.4
    assert least("-m", "heptagrid", "--help") - bare < 0.4


@pytest.fixture
def followed(lane_day: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is followed or explained is a reading and a bill of the lane, whatever is asked for."""
    reading = int(
        lane_day.waves.filter((polars.col("arm") == "smart") & (polars.col("topic") == "reading"))["first_id"][9]
    )
    answers = {
        "message_list.list_messages": list_messages(lane_day.folder, kind="meter_reading", limit=3),
        "trace.trace": trace(lane_day.folder, reading),
        "explain.explain": explain(lane_day.folder, 3),
    }
    for name, answer in answers.items():
        monkeypatch.setattr(f"heptagrid.inquiry.{name}", lambda *given, answer=answer, **options: answer)


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/architecture.md",
        "docs/bills.md",
        "docs/feeder.md",
        "docs/simulation.md",
        "docs/sweep.md",
        "docs/trace.md",
        "docs/validation.md",
    ],
)
def test_commands_in_the_documents_are_understood(
    page: str, day: Any, asked: list[dict[str, Any]], followed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_commands_of(page, day, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/trace.md"])
def test_messages_and_bills_that_the_documents_name_are_there(
    page: str, day: Any, asked: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_commands_of(page, day, tmp_path, monkeypatch)


def run_commands_of(page: str, day: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "myrun").symlink_to(day.folder)
    (tmp_path / "month").symlink_to(day.folder)
    (tmp_path / "Master.dss").symlink_to(ROOT / "tests/cases/lane/lane.dss")
    (tmp_path / "rate.json").write_text(blocks(DOCS / "bills.md", "json")[0], encoding="utf-8")
    (tmp_path / "readings.csv").write_text(blocks(DOCS / "bills.md", "csv")[0], encoding="utf-8")
    text = (ROOT / page).read_text(encoding="utf-8")
    shown = "\n".join(re.findall(r"^```.*?\n(.*?)^```", text, re.M | re.S))
    commands = re.findall(r"^(?:\$ )?heptagrid (.+?)(?:  +#.*)?$", shown, re.M)
    assert commands, "the page shows how to use the command"
    monkeypatch.chdir(tmp_path)
    for command in commands:
        words = shlex.split(command.split("|")[0])
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, (command, result.output)


def test_want_of_memory_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*given: Any, **options: Any) -> None:
        raise MemoryError("Unable to allocate 7.28 TiB")

    monkeypatch.setattr("heptagrid.studies.flow.api.flow", fails)
    done = CliRunner().invoke(main, ["flow", str(tmp_path / "case.m")])
    assert (done.exit_code, done.stderr) == (1, "heptagrid: there is not enough memory: Unable to allocate 7.28 TiB\n")


def test_help_leaves_no_sentence_unfinished() -> None:
    for width in ("60", "80", "200"):
        said = CliRunner(env={"COLUMNS": width}).invoke(main, ["--help"]).output
        assert "…" not in said
        for name, command in main.commands.items():
            words = command.get_short_help_str(limit=1000)
            assert words == COMMANDS[name]
            assert " ".join(words.split()) in " ".join(said.split()), name


def test_a_command_imports_no_other() -> None:
    names = {path.stem for path in (ROOT / "heptagrid/cli").glob("*.py")} - {"__init__", "console", "group", "options"}
    assert names == set(main.commands)
    text = "import sys; from heptagrid.cli import main; main(['scenarios'], standalone_mode=False); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout
    modules = set(loaded.splitlines()[-1].split())
    assert modules & {f"heptagrid.cli.{name}" for name in names} == {"heptagrid.cli.scenarios"}
    assert "jinja2" not in modules, "a page's templates are loaded when one is written"


def test_a_wrong_setting_is_blamed_on_the_command_line(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["run", "--set", "vehicles.shre=3"]).output
    assert "vehicles.shre=3 on top of town: 1 problem" in said and "did you mean vehicles.share?" in said
    own = tmp_path / "own.toml"
    own.write_text("[vehicles]\nshare = 9\n", encoding="utf-8")
    said = CliRunner().invoke(main, ["run", str(own), "--set", "run.days=2"]).output
    assert f"{own} with run.days=2 on top: 1 problem" in said


def test_a_slip_in_a_link_class_is_answered_with_the_right_one() -> None:
    said = CliRunner().invoke(main, ["run", "--break", "accss"]).output
    assert "--break accss: there is no link class 'accss'; did you mean 'access'?" in said


def test_the_kinds_of_messages_that_trace_names_are_those_that_actors_send() -> None:
    from heptagrid.contracts.policy import declared
    from heptagrid.foundation.domains import KIND_NAMES

    assert {one.kind.name.lower() for one in declared()} == set(KIND_NAMES) - {"ack"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run --set vehicles.shar=1", "did you mean vehicles.share?"),
        ("run --break acces", "did you mean 'access'?"),
        ("sweep --vary vehicles.shar=0,1", "did you mean vehicles.share?"),
        ("compare town nowhere", "nowhere"),
        ("trace nowhere 1", "nowhere"),
        ("explain nowhere --bill 1", "nowhere"),
        ("carry nowhere nowhere", "nowhere"),
        ("flow nowhere", "nowhere"),
    ],
)
def test_a_slip_is_reported_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warm, "are_kernels_compiled", lambda: False)
    monkeypatch.setattr(warm, "compile_kernels", lambda: pytest.fail("compiles"))
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code in (2, 3, 5)
    assert said in result.stderr
    assert "compil" not in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("trace RUN 99999999999", "there is no message 99999999999"),
        ("trace RUN --list --kind bogus", "there is no kind 'bogus'"),
        ("trace RUN --list --from 99:99", "'99:99' is not a time"),
        ("explain RUN --bill 999999", "there is no customer 999999"),
    ],
)
def test_a_slip_about_a_run_is_reported_before_anything_is_compiled(
    day: Any, monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:
    monkeypatch.setattr(warm, "are_kernels_compiled", lambda: False)
    monkeypatch.setattr(warm, "compile_kernels", lambda: pytest.fail("compiles"))
    result = CliRunner().invoke(main, words.replace("RUN", str(day.folder)).split())
    assert result.exit_code == 2
    assert said in result.stderr
    assert "compil" not in result.stderr


def test_what_takes_a_minute_at_the_first_run_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warm, "are_kernels_compiled", lambda: False)
    monkeypatch.setattr(warm, "compile_kernels", lambda: 0.0)
    monkeypatch.setattr(kernel_cache, "_said", [])
    result = CliRunner().invoke(main, ["validate", "wood-wollenberg-3a"])
    assert result.exit_code == 0, result.stderr
    assert result.stderr == "note: compiling the kernels; this happens once and takes about a minute\n"


def test_a_command_looks_for_garbage_rarely_and_not_at_its_end() -> None:
    text = (
        "import atexit, gc; atexit.register(lambda: print(gc.get_threshold()[0], gc.get_freeze_count() > 1000))\n"
        "from heptagrid.cli import main; main(['scenarios'], standalone_mode=False)"
    )
    said = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "50000 True"
