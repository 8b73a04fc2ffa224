"""Time, random numbers, the kernel cache."""

from __future__ import annotations

import ast
import os
import tempfile
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.assembly.span import Phase, Span
from heptagrid.foundation.compiled import kernel, kernel_cache
from heptagrid.foundation.compiled.array_shapes import address, column, line, rows, rows_at
from heptagrid.foundation.compiled.bare_room import bare_room
from heptagrid.foundation.random import Stream, normals, uniforms
from heptagrid.foundation.time import NS_PER_HOUR, from_ns, midnight_ns, to_ns
from heptagrid.world.weather import Weather

BERLIN = ZoneInfo("Europe/Berlin")


def test_random_numbers_are_uniform_and_independent_of_order() -> None:
    ids = np.arange(200_000)
    drawn = uniforms(1, int(Stream.SAMPLE), ids, 3)
    assert 0.0 < drawn.min() < drawn.max() < 1.0
    counts, _ = np.histogram(drawn, bins=100, range=(0.0, 1.0))
    chi_squared = ((counts - 2000.0) ** 2 / 2000.0).sum()
    assert 50.0 < chi_squared < 160.0, "99 degrees of freedom: within five standard deviations"
    assert uniforms(1, int(Stream.SAMPLE), ids[::-1].copy(), 3).tolist() == drawn[::-1].tolist()
    for other in (
        uniforms(2, int(Stream.SAMPLE), ids, 3),
        uniforms(1, int(Stream.HOUSE), ids, 3),
        uniforms(1, int(Stream.SAMPLE), ids, 4),
    ):
        assert abs(np.corrcoef(drawn, other)[0, 1]) < 0.01
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.01


def test_normal_numbers_have_mean_zero_and_variance_one() -> None:
    drawn = normals(5, int(Stream.HOUSE), np.arange(200_000), 0)
    assert drawn.mean() == pytest.approx(0.0, abs=0.01)
    assert drawn.std() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("day", "hours"), [(date(2016, 3, 27), 23), (date(2016, 10, 30), 25), (date(2016, 2, 29), 24)])
def test_a_local_day_has_its_hours(day: date, hours: int) -> None:
    span = Span(day, 1, 60, 300, BERLIN)
    assert span.end_ns - span.start_ns == hours * NS_PER_HOUR
    steps = list(span.steps())
    counted = [step for phase, step in steps if phase is Phase.COUNTED]
    assert len(counted) == span.counted_steps == hours * 60
    assert len(steps) == span.all_steps
    assert counted[0].starts_day
    assert counted[-1].ends_day
    assert all(a.end_ns == b.start_ns for (_, a), (_, b) in pairwise(steps))
    assert sum(step.passes_hour(12.25) for step in counted) == 1
    (noon,) = [step for step in counted if step.passes_hour(12.0)]
    assert from_ns(noon.end_ns, BERLIN).hour == 12


def test_instants_survive_the_way_there_and_back() -> None:
    moment = datetime(2016, 7, 1, 12, 34, 56, 789000, tzinfo=BERLIN)
    assert from_ns(to_ns(moment), BERLIN) == moment
    assert midnight_ns(date(1970, 1, 1), ZoneInfo("UTC")) == 0


def test_the_hour_that_comes_twice_keeps_both_its_offsets() -> None:
    twice = [datetime(2016, 10, 30, hour, 30, 0, 250_000, tzinfo=UTC) for hour in (0, 1)]
    assert [from_ns(to_ns(one), BERLIN).isoformat() for one in twice] == [
        "2016-10-30T02:30:00.250000+02:00",
        "2016-10-30T02:30:00.250000+01:00",
    ]


def test_weather_is_by_calendar_date_in_standard_time() -> None:
    hours = np.arange(8760, dtype=np.float32)
    weather = Weather(hours, hours)

    def middle(*moment: int) -> float:
        return weather.outside_c_at(to_ns(datetime(*moment, 30, tzinfo=UTC)))

    assert middle(2016, 1, 1, 5) == 6.0, "05:30 UTC is the hour from 06:00 in Central European Time"
    assert middle(2016, 7, 1, 5) == (181 * 24) + 6, "also in summer"
    assert middle(2016, 2, 29, 5) == middle(2016, 2, 28, 5), "29 February repeats the 28th"
    assert middle(2016, 3, 1, 5) == 59 * 24 + 6
    assert weather.outside_c_at(to_ns(datetime(2016, 1, 5, 5, 0, tzinfo=UTC))) == 4 * 24 + 5.5, "between two hours"


def test_the_kernel_cache_knows_what_a_kernel_imports() -> None:
    imported = kernel._imported("heptagrid.domains.customers.vehicles")
    assert "heptagrid.world.water_filling" in imported, "a kernel there is called from here"
    assert "heptagrid.foundation.random" in imported
    one, other = kernel._hashed({"a": b"1"}), kernel._hashed({"a": b"2"})
    assert one != other


def test_the_kernel_cache_misses_no_import_of_any_module() -> None:
    """Imports are read off the text; here the grammar says what they are."""
    root = Path(kernel.__file__).parents[2]
    for path in root.rglob("*.py"):
        parts = path.relative_to(root.parent).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        imported = set()
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                imported |= {each.name for each in node.names if each.name.startswith("heptagrid.")}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("heptagrid."):
                imported |= {str(node.module), *(f"{node.module}.{each.name}" for each in node.names)}
        assert imported <= set(kernel._imports(module)), module


def test_the_kernel_cache_falls_back_to_a_writable_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEPTAGRID_CACHE_DIR", "/proc/nowhere")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = kernel_cache.cache_folder()
    assert found.parent == tmp_path
    assert found.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners are of POSIX")
@pytest.mark.parametrize("planted", ["open to others", "a link", "another's"])
def test_the_kernel_cache_takes_no_temporary_folder_that_others_write_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, planted: str
) -> None:
    """What lies there is loaded as code."""
    monkeypatch.setenv("HEPTAGRID_CACHE_DIR", "/proc/nowhere")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    place = tmp_path / f"heptagrid-{os.getuid()}"
    if planted == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        place.symlink_to(tmp_path / "elsewhere")
    else:
        place.mkdir(mode=0o700)
    if planted == "open to others":
        place.chmod(0o777)
    if planted == "another's":
        user = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: user + 1)
        place.rename(tmp_path / f"heptagrid-{user + 1}")
    with pytest.raises(OSError, match="set HEPTAGRID_CACHE_DIR"):
        kernel_cache.cache_folder()


def cached(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.suffix in (".nbi", ".nbc"))


@pytest.mark.parametrize("damage", ["empty", "cut", "changed", "gone"])
@pytest.mark.parametrize("which", [".nbi", ".nbc"])
def test_a_damaged_kernel_is_compiled_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: str, which: str
) -> None:
    monkeypatch.setenv("HEPTAGRID_CACHE_DIR", str(tmp_path))
    first = kernel.kernel(_twice)
    assert first(21) == 42
    (file,) = [one for one in cached(tmp_path) if one.suffix == which]
    content = file.read_bytes()
    middle = len(content) // 2
    if damage == "gone":
        file.unlink()
    else:
        changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        file.write_bytes({"empty": b"", "cut": content[:middle], "changed": changed}[damage])
    again = kernel.kernel(_twice)
    assert again(21) == 42
    assert sum(again.stats.cache_hits.values()) == 0, "it was compiled"
    third = kernel.kernel(_twice)
    assert third(21) == 42
    assert sum(third.stats.cache_hits.values()) == 1, "and is whole again"


def test_compiling_is_said_once_in_a_process_and_loading_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "heptagrid")
    monkeypatch.setattr(kernel_cache, "_said", [])
    monkeypatch.setenv("HEPTAGRID_CACHE_DIR", str(tmp_path))
    kernel.kernel(_twice)(21)
    kernel.kernel(_twice)(2.0)
    assert [record.message for record in caplog.records] == [
        "kernels that are not compiled yet are compiled first; heptagrid compile does it for all"
    ]
    monkeypatch.setattr(kernel_cache, "_said", [])
    kernel.kernel(_twice)(21)
    assert len(caplog.records) == 1


def _twice(x):  # type: ignore[no-untyped-def]
    return x + x


WIDTH = 5


@kernel.kernel(allocates=False)
def _through_known_shapes(table, one, beside, k):  # type: ignore[no-untyped-def]
    beside = column(beside, WIDTH)
    seen = rows(table, WIDTH)[k, 2] + line(one)[k] + beside[k]
    there = rows_at(address(table), WIDTH)
    there[k, 3] = -there[k, 3]
    beside[k] += 0.5
    return seen, there[k, 2], rows(table, WIDTH).shape[1]


def test_tables_of_known_shape_are_the_same_tables() -> None:
    table = np.arange(40).reshape(8, WIDTH)
    one, beside = np.arange(8), np.arange(8.0 * WIDTH).reshape(8, WIDTH)
    for k in range(8):
        for times in range(3):
            seen, there, width = _through_known_shapes(table, one, beside[:, 1], k)
            assert seen == table[k, 2] + one[k] + WIDTH * k + 1 + 0.5 * times
            assert (there, width) == (table[k, 2], WIDTH)
    assert table[:, 3].tolist() == [-(WIDTH * k + 3) for k in range(8)], "written three times to the same table"
    assert beside[:, 1].tolist() == [WIDTH * k + 1 + 1.5 for k in range(8)]


def test_a_table_of_another_number_of_dimensions_is_refused() -> None:
    with pytest.raises(Exception, match="rows"):
        _rows_of(np.arange(8))


@kernel.kernel(allocates=False)
def _rows_of(table):  # type: ignore[no-untyped-def]
    return rows(table, WIDTH)[0, 0]


def test_room_is_zeros_and_takes_memory_where_it_is_used() -> None:
    def resident_kb() -> int:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])

    small, great = bare_room(3, 5), bare_room(1 << 20, 24)
    assert not small.any() and not great[:: 1 << 12].any() and great.dtype == np.int64
    if not Path("/proc/self/status").exists():
        return
    before_kb = resident_kb()
    great[:1000] = 1
    assert resident_kb() - before_kb < 1024, "of 192 MB as many pages as were written to"
