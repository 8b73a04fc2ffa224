"""The kernel decorator: functions compiled by numba, with a cache that depends on every source they were made from.

numba's own cache depends on the file of the function alone. The folder of this one is named after a hash of that file
and of every heptagrid module that it imports, of the versions and of the processor.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, overload

import llvmlite
import numba
import numpy as np
from numba.core import config as _config

from heptagrid.foundation.compiled.kernel_cache import CheckedCache, cache_folder

config: Any = _config
_IMPORT = re.compile(
    r"^[ \t]*(?:import[ \t]+(heptagrid\.[\w.]+)|from[ \t]+(heptagrid\.[\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*))",
    re.MULTILINE,
)
_NAME = re.compile(r"\w+")
_ROOT = Path(__file__).parents[2]
F = TypeVar("F", bound=Callable[..., Any])


@overload
def kernel(function: F, /) -> F: ...
@overload
def kernel(*, parallel: bool = False, inline: bool = False, allocates: bool = True) -> Callable[[F], F]: ...
def kernel(function: Any = None, /, *, parallel: bool = False, inline: bool = False, allocates: bool = True) -> Any:
    """Compile a pure function over arrays, without fast-math, releasing the interpreter lock.

    Use as `@kernel`, or `@kernel(parallel=True)` for one with `prange`; `inline=True` is for what other kernels call
    in their inner loop, and becomes part of each caller; `allocates=False` for one that makes no array, so that
    arrays are passed to it without counting references.
    """
    if function is None:
        return lambda wrapped: _compile(wrapped, parallel, inline, allocates)
    return _compile(function, parallel, inline, allocates)


def _compile(function: Callable[..., Any], parallel: bool, inline: bool, allocates: bool) -> Any:
    folder = _kernels_folder(os.environ.get("HEPTAGRID_CACHE_DIR")) / _fingerprint(function.__module__)
    if parallel:  # numba's cache does not tell one function compiled both ways apart
        folder /= "parallel"
    # Said of each kernel: else one that is first compiled for a caller without arrays of its own would be taken for such a one.
    options: dict[str, Any] = {"_nrt": allocates}
    compiled = numba.njit(nogil=True, parallel=parallel, error_model="numpy", forceinline=inline, **options)(function)
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        compiled._cache = CheckedCache(function)
    finally:
        config.CACHE_DIR = before
    return compiled


@cache
def _kernels_folder(chosen: str | None) -> Path:
    """The folder is looked for once in a process: it is written to, to see whether that is possible."""
    return cache_folder() / "kernels"


def fingerprint_of_package() -> str:
    """A hash of all of heptagrid's sources, of the versions and of the processor."""
    return _hashed({str(path.relative_to(_ROOT)): path.read_bytes() for path in _ROOT.rglob("*.py")})


def fingerprint_of(module: str) -> str:
    """A hash of a module's source and of all of heptagrid's that it imports, of the versions and of the processor."""
    return _fingerprint(module)


@cache
def _fingerprint(module: str) -> str:
    return _hashed({name: _source(name) for name in _imported(module)})


def _hashed(sources: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    versions = (sys.version, numba.__version__, llvmlite.__version__, np.__version__, platform.processor())
    for version in (*versions, f"bounds checked: {bool(config.BOUNDSCHECK)}"):
        digest.update(version.encode())
    for name in sorted(sources):
        digest.update(name.encode())
        digest.update(sources[name])
    return digest.hexdigest()[:16]


def _imported(module: str) -> set[str]:
    """The module and all heptagrid modules that it imports, directly or not."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen or not _source(name):
            continue
        seen.add(name)
        waiting += _imports(name)
    return seen


@cache
def _imports(module: str) -> list[str]:
    """What a module itself imports of heptagrid; names that are no modules among them.

    Read off the text: its grammar is ten times the work, and every start does it.
    """
    found: list[str] = []
    for plain, package, names in _IMPORT.findall(_source(module).decode()):
        found += [plain] if plain else [package, *(f"{package}.{name}" for name in _NAME.findall(names))]
    return found


@cache
def _source(module: str) -> bytes:
    """What is in a module's file, nothing if there is no such module; those of heptagrid are not imported for it, as `find_spec` would."""
    package, _, within = module.partition(".")
    if package == "heptagrid":
        place = _ROOT.joinpath(*within.split("."))
        files = (place.with_name(f"{place.name}.py"), place / "__init__.py")
        return next((file.read_bytes() for file in files if file.is_file()), b"")
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        return b""
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return b""
    return Path(spec.origin).read_bytes()
