"""Processor time per device and step of each class of devices, on one thread, against GridLAB-D's houses where the `gridlabd` wheel is installed.

python benchmarks/devices.py [DEVICES] [--record]

Two hours of a winter morning in steps of 60 s after one hour that is not counted; once by itself, once under prices, once steered by an aggregator, which makes
a class follow also what each device would have done alone; the least of six parts of 20 steps, since others use the machine. GridLAB-D: as many of its houses as are asked for at a time, on one feeder with power flow.
"""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from gridlabd_houses import PEER, gridlabd_ns
from history import report

import heptagrid
from heptagrid.assembly.span import Phase, Span
from heptagrid.domains.customers.device import Surroundings, device_classes
from heptagrid.foundation.time import Step
from heptagrid.importers.weather import read_weather

ZONE = ZoneInfo("Europe/Berlin")
TOWN = Path(heptagrid.__file__).parent / "scenario/data/town"
STEP_S, WARM, COUNTED, PARTS = 60, 60, 120, 6


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    count = numbers[0] if numbers else 20_000
    span = Span(date(2016, 1, 27), 1, STEP_S, STEP_S, ZONE)
    morning = [step for phase, step in span.steps() if phase is Phase.COUNTED][5 * 60 : 5 * 60 + WARM + COUNTED]
    print(f"{count} devices of each class, ns of processor time per device and step: by itself, priced, steered")
    ours = {
        name: [each(name, count, morning, how) for how in ("alone", "priced", "steered")] for name in device_classes()
    }
    diaries = {"behaviour": "diaries"}
    ours["by diaries"] = [each("vehicles", count, morning, how, **diaries) for how in ("alone", "priced", "steered")]
    ours["giving"] = [
        each("vehicles", count, morning, how, v2g_share=1.0, **diaries) for how in ("alone", "priced", "steered")
    ]
    for name, figures in ours.items():
        print(f"  {name:12s}" + "".join(f"{figure:8.1f}" for figure in figures))
    theirs = gridlabd_ns()
    if theirs is not None:
        report(
            "a house's step",
            ours["houses"][0],
            "ns per house and step",
            theirs / ours["houses"][0],
            PEER,
        )


def each(name: str, count: int, steps: list[Step], how: str, **keys: Any) -> float:
    """Of one class with some keys of its section, in ns."""
    one: Any = device_classes()[name]
    surroundings = Surroundings(read_weather(TOWN), ZONE, 1)
    device = one.made(one.section(**keys), np.arange(count, dtype=np.int64), surroundings)
    signal = 2.0 + np.sin(np.arange(96) / 7.0)
    book = device.plans
    if how != "alone":
        rows = book.priced if how == "priced" else book.steered
        rows[:] = book.row_of(1, steps[0].quarter, signal, 96)
    rng = np.random.default_rng(1)
    net_kw, p_kw, supplied = rng.normal(0.0, 1.0, count), np.zeros(count), np.ones(count, dtype=bool)
    took_ns = []
    for step in steps:
        p_kw[:] = net_kw  # of the owners' demand and sun, so that batteries are unlike
        began = time.thread_time_ns()
        device.advance(step, p_kw, supplied)
        took_ns.append(time.thread_time_ns() - began)
    parts = np.array(took_ns[WARM:], dtype=float).reshape(PARTS, -1).mean(axis=1)
    return float(parts.min()) / count


if __name__ == "__main__":
    main()
