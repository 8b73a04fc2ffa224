"""Maps, profiles, charts and bars: what they draw, and that they agree with what is counted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from heptagrid import report
from heptagrid.report.charts import TOP, Line, bars, line_chart
from heptagrid.report.profile import distances_km, profile_charts
from heptagrid.report.tables import message_table
from heptagrid.report.town import town_section


def nodes(**changed: Any) -> polars.DataFrame:
    """Four nodes in a row behind a transformer: 0 is the infeed, a line of 300 m, one of 200 m, and a second conductor of it."""
    columns: dict[str, Any] = {
        "parent": [-1, 0, 1, 1],
        "line": [-1, 0, 1, 1],
        "line_name": [None, "first", "second", "second"],
        "vn_kv": [0.4] * 4,
        "length_km": [0.0, 0.3, 0.2, 0.2],
        "longitude_deg": [8.0, 8.001, 8.002, 8.002],
        "latitude_deg": [51.0, 51.0, 51.001, 51.001],
        "v_min_smart": [1.0, 0.98, 0.95, 0.96],
        "v_max_smart": [1.02, 1.02, 1.02, 1.02],
        "branch_peak_pct_smart": [0.0, 40.0, 85.0, 120.0],
    }
    return polars.DataFrame(columns | changed)


def transformers() -> polars.DataFrame:
    columns = {
        "name": ["T"],
        "sn_kva": [400.0],
        "longitude_deg": [8.0],
        "latitude_deg": [51.0],
        "peak_pct_smart": [123.4],
    }
    columns |= {
        "applications_smart": [0],
        "missed_smart": [0],
        "worst_application_smart": [None],
        "worst_share_smart": [0.0],
    }
    return polars.DataFrame(columns)


def customers(v_min: list[float], v_max: list[float], outside_min: list[float]) -> polars.DataFrame:
    columns = {"node": [2, 3], "v_min_smart": v_min, "v_max_smart": v_max, "outside_min_smart": outside_min}
    return polars.DataFrame(columns)


def section(**frames: polars.DataFrame) -> str:
    given = {"node_list": nodes(), "transformer_list": transformers()}
    given["customer_list"] = customers([0.95, 0.96], [1.02, 1.02], [0.0, 0.0])
    return town_section(given | frames, ["smart"], "town")


def test_the_map_marks_who_was_counted_outside_the_band() -> None:
    # The rated voltage of these loads is 230 V, the nodes' base 240 V: 1.06 of the base is 1.106 of the rated.
    outside = customers([0.95, 0.96], [1.106, 1.02], [51.0, 0.0])
    drawn = section(customer_list=outside)
    assert re.findall(r'class="ring"[^>]*><title>([^<]*)', drawn) == [
        "1 customer outside the band, 51 customer-minutes"
    ]
    assert "differ here by up to 0.086 pu" in drawn, "1.106 against the node's 1.02"
    assert 'class="ring"' not in section()
    assert "differ here" not in section()


def test_a_line_is_as_wide_as_its_most_loaded_conductor_is_loaded() -> None:
    drawn = section()
    assert re.findall(r'class="wire v\d (w\d)"', drawn) == ["w0", "w2", "w3"], "below 50 %, 80 to 100 %, above 100 %"


def test_most_loaded_lines_are_listed_by_their_worst_conductor() -> None:
    cells = re.findall(r"<td>([^<]*)</td>", section())
    assert cells[cells.index("second") :] == ["second", "0.4", "200.0", "120.0", "first", "0.4", "300.0", "40.0"]


def test_distance_is_the_length_of_the_lines_from_the_infeed() -> None:
    table = nodes()
    distance = distances_km(table["parent"].to_numpy(), table["length_km"].to_numpy())
    np.testing.assert_allclose(distance, [0.0, 0.3, 0.5, 0.5])
    farthest_km, charts = profile_charts(table, {"smart": "smart"})
    assert (farthest_km, len(charts)) == (pytest.approx(0.5), 1)
    assert "farthest node is 0.50 km" in section()


def test_a_dead_node_has_no_place_in_the_profile() -> None:
    dead = nodes(v_min_smart=[1.0, np.inf, np.inf, np.inf], v_max_smart=[1.0, -np.inf, -np.inf, -np.inf])
    _, charts = profile_charts(dead, {"smart": "smart"})
    assert charts == []
    assert "farthest node" not in section(node_list=dead)


def test_axes_hold_the_peaks_that_are_marked() -> None:
    x = np.arange(4.0)
    # The line is a mean of several steps; the mark is the step of the peak itself, above it.
    drawn = line_chart("load", "kW", [Line("a", "smart", x, x)], [(0.0, "0h")], marks=[(2.0, 17.0, "smart")])
    (height,) = re.findall(r'<circle class="mark smart" cx="[\d.]+" cy="([-\d.]+)"', drawn)
    assert float(height) >= TOP
    tops = [float(one.replace(",", "")) for one in re.findall(r'text-anchor="end">([\d.]+)<', drawn)]
    assert max(tops) >= 17.0


@pytest.mark.parametrize(("value", "drawn"), [(0.0, 0), (-3.0, 1)])
def test_a_bar_of_nothing_is_not_drawn(value: float, drawn: int) -> None:
    assert bars("who", "EUR", [("customers", value)]).count('class="bar ') == drawn


def test_a_kind_of_message_that_never_arrived_has_no_bar() -> None:
    kind = {"wire_bytes": 196, "deadline_s": 60.0, "sent": 9, "delivered": 0, "lost": 9, "late": 0}
    kind |= {"p50_s": None, "p95_s": None, "p99_s": None}
    assert 'class="meter"' not in message_table({"price": kind})
    assert 'class="meter"' not in message_table({"price": kind | {"sent": 0, "lost": 0}})
    arrived = kind | {"delivered": 9, "lost": 0, "p99_s": 30.0}
    assert 'class="met" style="width:50.0%"' in message_table({"price": arrived})


def test_paper_is_never_dark() -> None:
    style = (Path(report.__file__).parent / "style.css").read_text(encoding="utf-8")
    assert (
        style.count("prefers-color-scheme: dark") == style.count("@media screen and (prefers-color-scheme: dark)") > 0
    )
