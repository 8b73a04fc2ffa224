"""Interruptions by class and duration, by hand."""

import numpy as np
import pytest

from heptagrid.planes.money.benefits.observed import ArmYear, Outage
from heptagrid.recording.outage_table import joined, outage_table

OFF_S = np.array([0.0, 1800.0, 3600.0, 7200.0, 20_000.0])
KWH = np.array([9.0, 1.0, 2.0, 3.0, 4.0])
HOUSEHOLD = np.array([True, True, False, False, True])


def test_who_was_interrupted_stands_once_by_class_and_duration() -> None:
    table = outage_table(OFF_S, KWH, HOUSEHOLD)
    assert table == (
        Outage("households", 1.0, 1, 30.0, 0.001),
        Outage("households", np.inf, 1, 20_000.0 / 60.0, 0.004),
        Outage("others", 1.0, 1, 60.0, 0.002),
        Outage("others", 4.0, 1, 120.0, 0.003),
    )
    year = ArmYear(outages=joined([table, table]))
    assert year.not_served_mwh == 0.02
    assert year.not_served_mwh_of("others") == 0.01
    assert year.outage_customer_minutes == pytest.approx(2.0 * OFF_S.sum() / 60.0)


def test_a_day_without_interruptions_has_no_rows() -> None:
    assert outage_table(np.zeros(5), np.zeros(5), HOUSEHOLD) == ()
