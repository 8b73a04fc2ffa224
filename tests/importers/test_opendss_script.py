"""Executing OpenDSS scripts: what they say counts, what they would write or open does not, and errors name their place."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from heptagrid.foundation.errors import FileError
from heptagrid.importers import opendss
from heptagrid.importers.importer import MissingPackageError, Reading
from heptagrid.importers.opendss import script
from heptagrid.world.circuit.circuit import Circuit

pytestmark = pytest.mark.long

pytest.importorskip("dss")

SOURCE = "New Circuit.small basekv=12.47 phases=3 bus1=a\n"
LINE = "New Line.l bus1=a bus2=b length=1 units=km r1=0.2 x1=0.4 r0=0.5 x0=1.2\n"
LOAD = "New Load.x bus1=b phases=3 kv=12.47 kw=300 pf=0.9\n"
REGULATED = """
New Transformer.t phases=3 windings=2 buses=(b c) conns=(wye wye) kvs=(12.47 12.47) kvas=(5000 5000) xhl=1
New Load.y bus1=c phases=3 kv=12.47 kw=3000 pf=0.9
New RegControl.r transformer=t winding=2 vreg=125 band=2 ptratio=60
Solve
"""


def write(folder: Path, **files: str) -> Path:
    """Write files (an underscore stands for a dot) and return the last."""
    path = folder
    for name, text in files.items():
        path = folder / name.replace("_", ".")
        path.write_text(text)
    return path


def read(folder: Path, text: str, *, controls: bool = False, ignore: frozenset[str] = frozenset()) -> Circuit:
    return opendss.read(str(write(folder, main_dss=text)), Reading(ignore, controls))


def test_redirected_files_are_found_beside_the_one_that_names_them_whatever_the_case(tmp_path: Path) -> None:
    (tmp_path / "Parts").mkdir()
    write(tmp_path / "Parts", Lines_dss="Redirect more.txt\n", more_txt=LINE)
    circuit = read(tmp_path, SOURCE + "redirect parts\\LINES.dss\n" + LOAD)
    assert circuit.lines.names.tolist() == ["line.l"]
    assert circuit.devices.names.tolist() == ["load.x"]


def test_other_files_are_found_whatever_the_case_too(tmp_path: Path) -> None:
    write(tmp_path, Shape_csv="1\n0.5\n", Coords_csv="a, 1, 2\nb, 3, 4\n")
    shape = "New LoadShape.s npts=2 interval=1 mult=(file=shape.CSV)\n"
    circuit = read(tmp_path, SOURCE + shape + LINE + "Set VoltageBases=(12.47)\nCalcV\nBusCoords coords.csv\n")
    assert circuit.buses.x.tolist() == [1.0, 3.0]


def test_coordinates_that_are_not_there_do_not_stop_it(tmp_path: Path) -> None:
    circuit = read(tmp_path, SOURCE + LINE + "Buscoords none.csv\n")
    assert np.isnan(circuit.buses.x).all()
    assert "main.dss, line 3: Buscoords none.csv (there is no such file)" in circuit.left_out


def test_variables_of_a_script_name_files_too(tmp_path: Path) -> None:
    write(tmp_path, lines_dss=LINE)
    circuit = read(tmp_path, "var @part=lines.dss @mode=snap\n" + SOURCE + 'Redirect "@part"\nSet mode=@mode\n')
    assert circuit.lines.names.tolist() == ["line.l"]


def test_compiling_a_file_moves_later_paths_to_its_folder(tmp_path: Path) -> None:
    (tmp_path / "feeder").mkdir()
    write(tmp_path / "feeder", inner_dss="Clear\n" + SOURCE, lines_dss=LINE)
    assert len(read(tmp_path, "Compile (feeder/inner.dss)\nRedirect lines.dss\n").lines.names) == 1


def test_comments_are_no_commands(tmp_path: Path) -> None:
    text = "! New nonsense\n// more\n/* New nonsense\nmore */\n" + SOURCE + LINE + "~ r1=0.3 ! and so on\n"
    assert read(tmp_path, text).lines.z_ohm[0].real == pytest.approx((2 * 0.3 + 0.5) / 3)


def test_nothing_is_written_or_opened_and_what_was_wanted_is_reported(tmp_path: Path) -> None:
    text = SOURCE + LINE + LOAD + "Set Recorder=Yes\nSolve\nShow Voltages\nexport currents\nplot circuit\nsh Powers\n"
    circuit = read(tmp_path, text + f"Set datapath={tmp_path / 'new'}\nsave circuit\n")
    assert [path.name for path in tmp_path.iterdir()] == ["main.dss"]
    for wanted in ("Show Voltages", "export currents", "plot circuit", "sh Powers", "Recorder=Yes", "save circuit"):
        assert any(wanted in line for line in circuit.left_out), wanted


def test_the_working_directory_stays(tmp_path: Path) -> None:
    before = Path.cwd()
    read(tmp_path, SOURCE + LINE + LOAD + "Solve\n")
    assert Path.cwd() == before


def test_an_engine_of_its_own_leaves_others_alone(tmp_path: Path) -> None:
    from dss import DSS

    DSS.Text.Command = "New Circuit.mine"
    read(tmp_path, SOURCE + LINE)
    assert DSS.ActiveCircuit.Name == "mine"
    DSS.ClearAll()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("New Line.m bus1=b bus2=c foo=3", "foo"),
        ("New Widget.m", "Widget"),
        ("Redirect nowhere.dss", "nowhere.dss is not there"),
        ("New Load.y bus1=b daily=noshape", "noshape"),
        ("bogus", "bogus"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, line: str, said: str) -> None:
    write(tmp_path, inner_dss=f"{LINE}{line}\n")
    with pytest.raises(FileError, match=r"inner\.dss: 1 problem\n  line 2: ") as caught:
        read(tmp_path, SOURCE + "Redirect inner.dss\n")
    assert said in str(caught.value)


def test_a_script_without_a_circuit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no circuit"):
        read(tmp_path, "! nothing\n")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        opendss.read(str(tmp_path / "none.dss"))


def test_files_in_a_circle_are_refused(tmp_path: Path) -> None:
    write(tmp_path, other_dss="Redirect main.dss\n")
    with pytest.raises(FileError, match="redirect to one another"):
        read(tmp_path, "Redirect other.dss\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "New Load.x bus1=b kw=1 model=8 zipv=[nan 1 1 1 1 1 .5]",
            r"load\.x: its property ZIPV holds what is not a number",
        ),
        ("New XYCurve.v npts=2 xarray=[0 1] yarray=[(-1 ln) 1]", r"xycurve\.v: its property \w+ holds what is not"),
        (
            "New Transformer.t phases=1 buses=[b.1 d.1] kvs=[7.2 .24] xhl=(0 inv)",
            r"transformer\.t: its property XSCArray",
        ),
    ],
)
def test_what_is_not_a_number_in_an_array_is_named(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(FileError, match=said):
        read(tmp_path, SOURCE + LINE + line + "\n")


def test_without_dss_python_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dss", None)
    with pytest.raises(MissingPackageError, match=r'pip install "heptagrid\[networks\]"'):
        read(tmp_path, SOURCE)


def test_the_scripts_own_solve_lets_controls_act_unless_they_are_wanted_here(tmp_path: Path) -> None:
    text = SOURCE + LINE + REGULATED
    assert read(tmp_path, text).transformers.windings.tap_pu[1] > 1.0
    to_come = read(tmp_path, text, controls=True)
    assert to_come.transformers.windings.tap_pu.tolist() == [1.0, 1.0]
    assert to_come.regulators.names.tolist() == ["regcontrol.r"]
    assert len(read(tmp_path, text).regulators.names) == 0
    switched_off = read(tmp_path, text + "Set ControlMode=OFF\n", controls=True)
    assert any("switched its controls off" in line for line in switched_off.left_out)


def test_bases_come_from_sources_and_transformers_where_the_script_gives_none(tmp_path: Path) -> None:
    text = SOURCE + LINE + "New Transformer.t windings=2 buses=(b c) kvs=(12.47 0.208) kvas=(50 50)\n"
    base = read(tmp_path, text).buses.v_base_kv
    np.testing.assert_allclose(base, np.array([12.47, 12.47, 0.208]) / np.sqrt(3.0), rtol=1e-6)


def test_buses_that_the_script_forgot_get_a_base_too(tmp_path: Path) -> None:
    late = "New Transformer.t windings=2 buses=(b c) kvs=(12.47 0.48) kvas=(50 50)\n"
    base = read(tmp_path, SOURCE + LINE + "MakeBusList\nSetkVBase bus=a kVLL=13.2\n" + late).buses.v_base_kv
    np.testing.assert_allclose(base, np.array([13.2, 12.47, 0.48]) / np.sqrt(3.0), rtol=1e-6)


def test_the_working_directory_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dss = pytest.importorskip("dss")
    dss.DSS.Text.Command = "clear"  # this engine began in another directory, and would go back there
    monkeypatch.chdir(tmp_path)
    with script.opendss():
        assert Path.cwd() == tmp_path
    assert Path.cwd() == tmp_path
