"""Sums that are recorded do not depend on how many threads a library may use."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import heptagrid
from heptagrid.foundation.sums import dot, weighted_columns, weighted_sum

pytestmark = pytest.mark.long

PACKAGE = Path(heptagrid.__file__).parent
# Where a run's figures are made; importers and the solvers' matrices of a few rows are not.
RECORDED = (
    *(
        "assembly",
        "domains",
        "foundation",
        "inquiry",
        "planes/messages",
        "planes/money",
        "recording",
        "scale",
        "simulation",
    ),
    *("studies", "world"),
)
# Programs of markets, which `clear` solves: matrices of rows and columns, mostly sparse, of which a run records nothing.
OF_PROGRAMS = ("planes/money/formulations/", "planes/money/markets/certificate.py", "planes/money/markets/real_time.py")
OF_BLAS = {"dot", "vdot", "inner", "matmul", "tensordot", "einsum", "convolve", "correlate"}


def test_sums_of_products_go_from_the_first_to_the_last() -> None:
    """In this order the 1 is lost beside 1e16, and 1e16 - 1e16 is 0; a sum in two parts gives 1 or 2."""
    assert dot(np.ones(4), np.array([1e16, 1.0, -1e16, 1.0])) == 1.0
    rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert weighted_columns([1.0, 10.0], rows).tolist() == [31.0, 42.0]
    assert weighted_sum([1.0, 10.0], rows).tolist() == [21.0, 43.0]


@pytest.mark.parametrize("folder", RECORDED)
def test_no_product_of_rows_goes_through_a_library_of_threads(folder: str) -> None:
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        if path.relative_to(PACKAGE).as_posix().startswith(OF_PROGRAMS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"
            assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)), f"{where}: foundation.sums"
            is_call = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np"
            assert not (is_call and node.attr in OF_BLAS), f"{where}: use foundation.sums"  # type: ignore[attr-defined]


_BILLS = """
import numpy as np
from heptagrid.planes.money.tariffs import network_fees, billing_rules
from heptagrid.foundation.sums import weighted_columns

rng = np.random.default_rng(1)
price = rng.random(96)
energy = rng.random((96, 9000))
everybody = np.ones(9000, dtype=bool)
bills = billing_rules.bills(energy, energy, price, weighted_columns(price, energy), everybody, 1 / 366, billing_rules.Parameters(), network_fees.Parameters())
print((price[:, None] * energy).cumsum(axis=0)[-1].tobytes().hex() == weighted_columns(price, energy).tobytes().hex())
"""


@pytest.mark.parametrize("threads", ["1", "2"])
def test_bills_are_summed_from_the_first_quarter_hour_to_the_last(threads: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    done = subprocess.run([sys.executable, "-c", _BILLS], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "True"
