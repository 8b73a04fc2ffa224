"""Text that somebody else wrote: UTF-8, or UTF-16 where its first bytes say so."""

from __future__ import annotations

import codecs
from pathlib import Path

from heptagrid.foundation.errors import FileError


def read_text(source: str, *, errors: str = "strict") -> str:
    """The text of a file, without the mark of its byte order.

    errors: as for `bytes.decode`, of bytes that are no UTF-8.

    Raises
    ------
    FileError
        If it cannot be read, or is in no encoding that is read here.
    """
    try:
        content = Path(source).read_bytes()
    except OSError as problem:
        raise FileError(source, [f"cannot be read: {problem.strerror}"]) from problem
    except ValueError as problem:
        raise FileError(source[:200], [f"is no name of a file: {problem}"]) from problem
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16") if is_utf_16 else content.decode("utf-8-sig", errors)
    except UnicodeDecodeError as problem:
        encoding = "UTF-16" if is_utf_16 else "UTF-8"
        raise FileError(source, [f"is not text in {encoding} (byte {problem.start}); save it in UTF-8"]) from problem
