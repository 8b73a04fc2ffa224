"""Commitments that were found before: the same case has the same answer, so it is searched for once and kept beside the kernels.

An answer's file is named after a hash of everything in the case, of the sources of the search, and of the solver's version; it holds which units are on, no
code. What cannot be read or written is searched for again.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np

from heptagrid.foundation.compiled.kernel import fingerprint_of
from heptagrid.foundation.compiled.kernel_cache import cache_folder
from heptagrid.foundation.errors import MarketError
from heptagrid.planes.money.markets.commitment_market import MOST_NODES
from heptagrid.planes.money.markets.commitment_search import Committed, search
from heptagrid.planes.money.markets.unit_commitment import Settings, commit
from heptagrid.world.commitment_case import CommitmentCase


def committed(case: CommitmentCase, *, exactly: bool = False) -> Committed:
    """Which units are on: as found before, or searched for now, `exactly` by a tree to a gap of 0.1 %."""
    path = _place(case, exactly)
    known = _read(path, (case.periods, len(case.units))) if path is not None else None
    if known is None:
        known = _by_tree(case) if exactly else search(case)
        if path is not None:
            _write(path, known)
    return known


def _by_tree(case: CommitmentCase) -> Committed:
    """By the search of `heptagrid clear`; it stops at its gap or after many nodes, never by the clock.

    Raises
    ------
    MarketError
        If it finds no schedule.
    """
    found = commit(case, Settings(most_nodes=MOST_NODES))
    if found.cost is None or found.bound is None:
        raise MarketError(
            f"no commitment was found for {case.name}: {found.status}; market.commitment = 'search' finds one"
        )
    contents = found.reservoir_mwh
    return Committed(found.on, found.cost + found.penalty, found.bound, contents[-1] if contents.size else np.empty(0))


def _place(case: CommitmentCase, exactly: bool) -> Path | None:
    try:
        folder = cache_folder() / "commitments"
        folder.mkdir(exist_ok=True)
    except OSError:
        return None
    digest = hashlib.sha256(f"{fingerprint_of(__name__)} {version('highspy')} {exactly}".encode())
    _take_in(digest, case)
    return folder / f"{digest.hexdigest()[:32]}.npz"


def _take_in(digest: Any, value: Any) -> None:
    """Everything in a case, field by field."""
    if is_dataclass(value):
        for one in fields(value):
            digest.update(one.name.encode())
            _take_in(digest, getattr(value, one.name))
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype} {value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    else:
        digest.update(repr(value).encode())


def _read(path: Path, shape: tuple[int, int]) -> Committed | None:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            on, figures = file["on"], file["figures"]
            if on.shape != shape or on.dtype != np.bool_:
                return None
            return Committed(on, float(figures[0]), float(figures[1]), file["reservoir_mwh"])
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        IndexError,
        RuntimeError,
        zipfile.BadZipFile,
    ):  # all that a damaged archive raises
        return None


def _write(path: Path, found: Committed) -> None:
    temporary = path.with_name(f"{path.stem}.{os.getpid()}.{get_ident()}.tmp.npz")
    try:
        with temporary.open("wb") as file:
            np.savez(file, on=found.on, figures=np.array([found.cost, found.bound]), reservoir_mwh=found.reservoir_mwh)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
