"""Texts of strangers made fit to print: no control character reaches a terminal, a drawing, a table or a page."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

# C0 but tab and line feed, DEL and C1, line and paragraph separators, and what turns the direction of writing around.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
T = TypeVar("T")


def has_control(text: str) -> bool:
    """Whether a text holds what must not be printed as it is."""
    return _UNPRINTABLE.search(text) is not None


def printable(text: str) -> str:
    """A text with what must not be printed written as an escape, such as `\\x1b`; tabs and line feeds stay."""
    return _UNPRINTABLE.sub(lambda one: one[0].encode("unicode_escape").decode("ascii"), text)


def printable_names(thing: T) -> T:
    """A network, or any dataclass of tables, with printable names and remarks; itself where they all are."""
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    changed = {
        one.name: new
        for one in fields(thing)
        if one.init and (new := _cleaned(old := getattr(thing, one.name))) is not old
    }
    return replace(thing, **changed) if changed else thing


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value) if has_control(value) else value
    if isinstance(value, np.ndarray):
        return _cleaned_array(value) if value.dtype.kind == "U" else value
    if isinstance(value, tuple) and any(isinstance(one, str) and has_control(one) for one in value):
        return tuple(_cleaned(one) for one in value)
    return printable_names(value)


def _cleaned_array(names: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    wrong = [k for k, name in enumerate(names.flat) if has_control(name)]
    if not wrong:
        return names
    texts = names.astype(object)
    for k in wrong:
        texts.flat[k] = printable(texts.flat[k])
    return np.asarray(texts.astype(np.str_))
