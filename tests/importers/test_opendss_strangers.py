"""Scripts from strangers: they start no program, write nothing beside themselves, show no other file, and end in a sentence."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from heptagrid.cli import main
from heptagrid.foundation.errors import FileError, HeptagridError
from heptagrid.importers import opendss
from heptagrid.importers.importer import Reading
from heptagrid.importers.opendss import allowed, apart, circuit, elements, files, statement
from heptagrid.studies.flow.api import flow
from heptagrid.world.circuit.circuit import Circuit

pytestmark = pytest.mark.long

pytest.importorskip("dss")

SCRIPT = """New Circuit.small basekv=12.47 phases=3 bus1=a
New Line.l bus1=a bus2=b length=1 units=km r1=0.2 x1=0.4 r0=0.5 x0=1.2
New Load.d bus1=b phases=3 kv=12.47 kw=300 pf=0.9
New Generator.g bus1=b phases=3 kv=12.47 kw=10
"""
BEGIN = len(SCRIPT.splitlines())


def read(folder: Path, text: str) -> Circuit:
    (folder / "main.dss").write_text(SCRIPT + text)
    return opendss.read(str(folder / "main.dss"), Reading(controls=False))


def load_kw(read_circuit: Circuit) -> float:
    return float(read_circuit.devices.p_kw[read_circuit.devices.names.tolist().index("load.d")])


@pytest.mark.parametrize(
    "lines",
    [
        "New Generator.u bus1=b kv=12.47 kw=1 model=6 usermodel=./my",
        "New Generator.u bus1=b kv=12.47 mod=6 userm=./my",
        "Generator.g.usermodel=./my",
        "g.shaftm=./my",
        "~ shaftmodel=./my",
        "shaftmodel=./my",
        "var @model=./my\nGenerator.g.usermodel=@model",
        "Edit Generator.g d=1 ./my",  # the property after D is UserModel
        "BatchEdit Generator..* usermodel=./my",
        "New Storage.s bus1=b kv=12.47 dynadll=./my",
        "New Storage.s bus1=b kv=12.47 userdata=(a b)",
        "New PVSystem.p bus1=b kv=12.47 usermodel=./my",
        "New CapControl.c capacitor=c element=line.l type=user usermodel=./my",
    ],
)
def test_a_user_written_model_is_refused_in_every_form(tmp_path: Path, lines: str) -> None:
    number = BEGIN + len(lines.splitlines())
    with pytest.raises(
        FileError, match=rf"line {number}: .*(usermodel|shaftmodel|dynadll|userdata).* user-written model"
    ):
        read(tmp_path, lines)


def test_a_library_beside_the_script_is_not_loaded(tmp_path: Path) -> None:
    """What the engine itself does with this line is to look for the library, so its error says that it did not find one."""
    with pytest.raises(FileError) as caught:
        read(tmp_path, "Generator.g.usermodel=./my\n")
    assert "Not Loaded" not in str(caught.value)


WRITES = """
New Transformer.t phases=3 windings=2 buses=(b c) kvs=(12.47 12.47) kvas=(5000 5000) xhl=1
New RegControl.r transformer=t winding=2 vreg=122 band=2 ptratio=60 debugtrace=yes eventlog=yes
New Generator.../../g2 bus1=b phases=3 kv=12.47 kw=1 debugt=yes
New TShape.t npts=2 temp=(1 2) action=d
New LoadShape.s npts=2 mult=(1 2) ac=(dblsave)
New LoadShape.u npts=2 mult=(1 2) action=sngsave
New Monitor.m element=line.l action=save
New EnergyMeter.e element=line.l
Set tracecontrol=yes log=yes querylog=yes demandinterval=true recorder=yes casename=x
Set datapath=DATAPATH
cd sub
Solve mode=autoadd
Set mode=9
Solve
Sample
EnergyMeter.e.action=zonedump
e.action=save
export eventlog
export voltages ../volts.csv
save circuit dir=saved
show voltages
dump
plot profile
distribute 10 20
di_plot
alignfile main.dss
uuids main.dss
rephase
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() if one.is_file() else b"" for one in folder.rglob("*")}


def test_nothing_beside_the_script_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "of_user" / "sub").mkdir(parents=True)
    script = tmp_path / "of_user" / "main.dss"
    script.write_text(SCRIPT + WRITES.replace("DATAPATH", str(tmp_path)))
    for name in ("GEN_g.csv", "Trace_REG_r.csv", "small_EXP_VOLTAGES.csv", "t.dbl"):
        (script.parent / name).write_text("mine\n")
    before = contents(tmp_path)
    for command in (["inspect", str(script)], ["flow", str(script), "--json"]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 0
        assert contents(tmp_path) == before
    capsys.readouterr()


SECRET = "PASSWORD=hunter2\nhelp hunter2\nhunter2:x:0:0:/root\n"


@pytest.mark.parametrize(
    "line",
    [
        "redirect secret.txt",
        "compile secret.txt",
        "redirect ../other.dss",
        "buscoords secret.txt",
        "New LoadShape.s npts=2 csvfile=secret.txt",
        "New LoadShape.s npts=2 mult=(file=secret.txt)",
        "New LoadShape.s npts=2 mult=[dblfile='secret.txt']",
        "New XYCurve.s npts=2 csvfile=secret.txt",
        "New LineGeometry.s nconds=2 wires=(file=secret.txt)",
        "New Transformer.t kvs=(file=secret.txt, col=1, header=yes)",
        "New LineCode.s nphases=2 rmatrix=(file=secret.txt)",
        "New Spectrum.s numharm=2 csvfile=secret.txt",
    ],
)
def test_no_line_of_another_file_is_shown(tmp_path: Path, line: str) -> None:
    folder = tmp_path / "of_user"
    folder.mkdir()
    (folder / "secret.txt").write_text(SECRET)
    (tmp_path / "other.dss").write_text(SECRET)
    try:
        said = "\n".join(read(folder, line).left_out)
    except FileError as problem:
        said = str(problem)
        assert "line 1: " in said or f"line {BEGIN + 1}: " in said
    assert "hunter2" not in said


def test_words_of_a_list_of_passwords_are_not_shown_as_left_out_either(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("help hunter2\n")
    assert read(tmp_path, "redirect secret.txt").left_out == ("secret.txt, line 1: not executed",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("@c foo", "the variable @c was never set"),
        ("Load.d.kw=@kw", "the variable @kw was never set"),
        ("New Line.m bus1=(a @x) bus2=b", "the variable @x was never set"),
        ("New DynamicExp.x nvariables=1", "DynamicExp is no class"),
        ("Set nosuch=3", "set has no option nosuch"),
        ("reconductor line1=l line2=l", "no command that is executed here"),
        ("Edit Load.d kw=(x=3)", "equals sign"),
    ],
)
def test_what_is_not_allowed_is_named(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(FileError, match=rf"line {BEGIN + 1}: .*") as caught:
        read(tmp_path, line)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "lines",
    [
        "var @kw=55\nLoad.d.kw=@kw",
        "var @kw=55\nLoad.d.kw=(@kw)",
        "var @what=load.d @kw=55\nEdit @what kw=@KW",
        "Load.d.kw=55",
        "Select load.d\nkw=55",
        "Edit Load.d k=12.47 55",  # k begins kV, which kW follows
        "Edit load.d kw={54 1 +}",
        "new object=Load.other bus1=b kv=12.47 kw=1\n~ enabled=no\nd.kw=55",
        "BatchEdit Load..* kw=55",
        "E load.d kw=55 // kw=56",
    ],
)
def test_every_way_to_set_a_property_sets_it(tmp_path: Path, lines: str) -> None:
    assert load_kw(read(tmp_path, lines)) == pytest.approx(55.0)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_a_script_of_any_common_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "main.dss").write_bytes((SCRIPT + "! Straße\nLoad.d.kw=55\n").encode(encoding))
    assert load_kw(opendss.read(str(tmp_path / "main.dss"), Reading(controls=False))) == pytest.approx(55.0)


def test_utf_16_without_its_mark_is_named(tmp_path: Path) -> None:
    (tmp_path / "main.dss").write_bytes(SCRIPT.encode("utf-16-le"))
    with pytest.raises(FileError, match=r"UTF-16 without a mark; save it as UTF-8"):
        opendss.read(str(tmp_path / "main.dss"))


def test_a_crash_of_the_engine_names_the_line(tmp_path: Path) -> None:
    """The engine aborts over the admittance of a capacitor in delta with a matrix."""
    bank = "New Capacitor.c bus1=b phases=3 kv=12.47 conn=delta cmatrix=(1 | 0 1 | 0 0 1)\n"
    with pytest.raises(FileError, match=rf"OpenDSS broke down \(SIG\w+\) at line {BEGIN + 2} of .*main\.dss: Solve"):
        read(tmp_path, bank + "Solve\n")


def test_a_script_without_an_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "LIMIT_S", 10.0)
    begin = time.monotonic()
    with pytest.raises(FileError, match=rf"OpenDSS was stopped after 10 s at line {BEGIN + 1} of .*main\.dss: Solve"):
        read(tmp_path, "Solve mode=yearly number=1000000000\n")
    assert time.monotonic() - begin < 60.0


def test_a_garbled_account_is_asked_for_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []

    def garbled_once(work: Callable[..., object], *arguments: object, **settings: object) -> object:
        answers.append(work)
        if len(answers) == 1:
            raise elements.GarbledError(["load.d: broken"])
        return apart.apart(work, *arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(circuit, "apart", garbled_once)
    assert load_kw(read(tmp_path, "")) == pytest.approx(300.0)
    assert len(answers) == 2


def test_a_process_of_its_own_ends_with_its_folder_and_its_errors_come_back() -> None:
    assert not apart.apart(Path.cwd).exists()
    with pytest.raises(FileError, match="none"):
        apart.apart(files.lines_of, Path("none.dss"), errors=(FileError,))
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        apart.apart(divmod, 1, 0)


def test_no_file_grows_in_a_process_of_its_own() -> None:
    pytest.importorskip("resource")
    with pytest.raises(RuntimeError, match="File too large"):
        apart.apart(Path("here.txt").write_text, "text")


def test_the_lists_hold_what_the_engine_has() -> None:
    """A property that a later engine adds is refused until it stands in the lists, in the engine's order."""
    from heptagrid.importers.opendss.script import opendss as new_engine

    with new_engine() as engine:
        engine.Text.Command = "New Circuit.c"
        for kind in ("Line", "Load", "Generator", "Transformer", "PVSystem", "Storage", "Capacitor", "Reactor"):
            engine.Text.Command = f"New {kind}.x"
            names = tuple(str(name) for name in engine.ActiveCircuit.ActiveDSSElement.AllPropertyNames)
            assert allowed.PROPERTIES[kind.lower()] == names
        options = {engine.Executive.Option(k + 1).lower() for k in range(engine.Executive.NumOptions)}
        commands = {engine.Executive.Command(k + 1).lower() for k in range(engine.Executive.NumCommands)}
    assert options >= allowed.OPTIONS
    assert commands >= allowed.COMMANDS | allowed.OBJECT_COMMANDS | allowed.MORE_COMMANDS | allowed.COORDINATES


def test_values_are_quoted_with_marks_that_they_do_not_hold() -> None:
    given = [("kw", "5"), ("", "a b"), ("wires", '"a b" (c)'), ("x", "")]
    assert statement.written("new", given) == 'new kw=5 (a b) wires=["a b" (c)] x=()'


def test_data_in_files_is_read_under_a_name_of_ours(tmp_path: Path) -> None:
    folder = tmp_path / "a (strange) 'name"
    folder.mkdir()
    (folder / "Half.csv").write_text("0.1, 0.5\n1.0, 0.5\n")
    system = "New PVSystem.p bus1=b phases=3 kv=12.47 kva=100 pmpp=100 irradiance=1 effcurve=half\n"
    (folder / "main.dss").write_text(SCRIPT + "New XYCurve.half npts=2 csvfile=half.CSV\n" + system)
    devices = opendss.read(str(folder / "main.dss"), Reading(controls=False)).devices
    assert devices.p_kw[devices.names == "pvsystem.p"] == pytest.approx(-50.0, rel=1e-6)  # half of 100 kW of sun


def test_stray_zero_bytes_are_left_out(tmp_path: Path) -> None:
    """As an editor left one in two files of EPRI's circuit 5, which OpenDSS reads."""
    (tmp_path / "main.dss").write_bytes((SCRIPT + "Load.d.kw=42\0\n! a comment\0\n").encode())
    assert load_kw(opendss.read(str(tmp_path / "main.dss"), Reading(controls=False))) == pytest.approx(42.0)


@pytest.mark.parametrize(
    "lines", ["Solve\nSolve mode=harmonics", "Solve\nSet mode=harm\nSolve", "Solve mode=harmonicT"]
)
def test_a_solution_of_harmonics_is_left_out(tmp_path: Path, lines: str) -> None:
    """The engine would write the voltages before it to a file, and stop there since it may not."""
    found = read(tmp_path, lines)
    assert load_kw(found) == pytest.approx(300.0) and found.frequency_hz == 60.0
    assert any("mode=harm" in line and "not set" in line for line in found.left_out)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("New Load.z bus1=b kv=nan kw=1", "load.z: kv is no number"),
        ("New Load.z bus1=b kv=7.2 kw=1 vminpu=NaN", "load.z: vminpu is no number"),
        ("New Vsource.z bus1=b basekv=12 pu=nan", "vsource.z: pu is no number"),
        ("New Load.z bus1=b kv=1e300 kw=1", "load.z"),
        ("New InvControl.i mode=voltvar\nNew PVSystem.p bus1=b kv=12 kva=5 pmpp=5", "vvc_curve1 name no XYCurve"),
    ],
)
def test_figures_that_are_none_and_curves_that_are_missing_are_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "main.dss").write_text(f"{SCRIPT}{line}\nSolve\n")
    with pytest.raises(HeptagridError, match=said) as raised:
        flow(str(tmp_path / "main.dss"))
    assert "main.dss" in str(raised.value)
