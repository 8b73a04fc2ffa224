"""Standard output and error as they are found: closed, full, or without the characters that a text holds."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import suppress
from pathlib import Path

_PLAIN = {
    **{
        "–": "-",
        "—": "-",
        "−": "-",
        "‑": "-",
        "·": ".",
        "…": "...",
        "×": "x",
        "°": " deg ",
        "±": "+/-",
        "≤": "<=",
        "≥": ">=",
    },
    **{
        "€": "EUR",
        "²": "2",
        "³": "3",
        "µ": "u",
        "Ω": "ohm",
        "→": "->",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "\u202f": " ",
    },
}


def prepare_streams() -> None:
    """Make sure that both streams can be written to, and replace what their encoding lacks by plain characters."""
    codecs.register_error("heptagrid.plain", _plain)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  as long as the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="heptagrid.plain")


def output_refused() -> bool:
    """Whether standard output takes no line; nothing is written to it any more if so."""
    try:
        sys.stdout.write("\n")  # what was refused before is forgotten, and does not fail again
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
        return True
    return False


def _plain(problem: UnicodeError) -> tuple[str, int]:
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    lacking = problem.object[problem.start : problem.end]
    return "".join(_PLAIN.get(one, "?") for one in lacking), problem.end
