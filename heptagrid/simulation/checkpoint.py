"""Checkpoints: the whole state of a simulation in one file, from which it goes on to the same last bit.

A file is whole or absent. It begins with what it is of: the format, the sources that made it, the hash of its content. That tells a damaged file
and another version; it does not make a stranger's file safe, for reading one runs what its objects are made by.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.foundation.compiled.kernel import fingerprint_of_package
from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.output_file import whole_file

MAGIC = b"heptagrid checkpoint\n"
FORMAT = 1
_LINE = 64  # bytes of a cache line: tables keep their place in it, for the kernels' sake


def write_checkpoint(path: Path, about: dict[str, Any], state: Any) -> None:
    """Write a state.

    about: what it is of, in plain words and numbers; it is compared by whoever reads the file.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    content = io.BytesIO()
    _Pickler(content, protocol=5).dump(state)
    body = content.getbuffer()
    head = {"format": FORMAT, "sources": fingerprint_of_package(), "sha256": hashlib.sha256(body).hexdigest(), **about}
    with whole_file(path) as temporary, temporary.open("wb") as file:
        file.write(MAGIC + json.dumps(head, sort_keys=True).encode() + b"\n")
        file.write(body)


def read_checkpoint(path: Path, check: Callable[[dict[str, Any]], str | None]) -> Any:
    """The state in a file.

    check: called with what the file is about; says why it does not fit, or None.

    Raises
    ------
    OutputError
        If there is no such file, or it is none, damaged, or of other sources; with what `check` says.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise OutputError(f"the checkpoint {path} cannot be read: {problem.strerror}") from problem
    magic, line, body = content[: len(MAGIC)], *content[len(MAGIC) :].partition(b"\n")[::2]
    if magic != MAGIC:
        raise OutputError(f"{path} is no checkpoint of heptagrid")
    try:
        head = json.loads(line)
        is_whole = head["sha256"] == hashlib.sha256(body).hexdigest()
    except (ValueError, KeyError, TypeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise OutputError(f"the checkpoint {path} is damaged; start the run over")
    if head["format"] != FORMAT or head["sources"] != fingerprint_of_package():
        raise OutputError(
            f"the checkpoint {path} was written by another heptagrid (other sources, packages or machine); start the run over"
        )
    reason = check(head)
    if reason:
        raise OutputError(f"the checkpoint {path} {reason}")
    return pickle.loads(body)


class _Pickler(pickle.Pickler):
    """Keeps what arrays share: a view stays a view of the same memory, and each memory its place within a cache line."""

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is not np.ndarray or obj.dtype.hasobject:
            return NotImplemented
        base = obj.base
        if isinstance(base, np.ndarray):
            offset = obj.__array_interface__["data"][0] - base.__array_interface__["data"][0]
            return _view, (base, offset, obj.dtype, obj.shape, obj.strides)
        order: Any = "F" if obj.flags.f_contiguous and not obj.flags.c_contiguous else "C"
        place = obj.__array_interface__["data"][0] % _LINE
        return _memory, (obj.tobytes(order), obj.dtype, obj.shape, order, place, obj.flags.writeable)


def _view(base: Any, offset: int, dtype: Any, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    return np.ndarray(shape, dtype, base.reshape(-1, order="A").view(np.uint8), offset, strides)


def _memory(content: bytes, dtype: Any, shape: tuple[int, ...], order: Any, place: int, is_writeable: bool) -> Any:
    room = np.empty(len(content) + 2 * _LINE, dtype=np.uint8)
    begin = (place - room.__array_interface__["data"][0]) % _LINE
    room[begin : begin + len(content)] = np.frombuffer(content, dtype=np.uint8)
    array = np.ndarray(shape, dtype, room, begin, order=order)
    array.flags.writeable = is_writeable
    return array
