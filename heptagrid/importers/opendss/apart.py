"""Work in a process and a folder of its own, which a library that may break down needs: its end is then an error and not ours.

The folder is empty, the working directory of the process, and removed afterwards. Nothing that the process writes to a file is kept: its
files may not grow (where the system can say so), and its result comes through a pipe.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")

LIMIT_S = 600.0
"""After this long the work is stopped: assumption, a hundred times what the greatest public feeders take."""
_PROGRESS = "progress"
_PROGRESS_BYTES = 4096
_START = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from heptagrid.importers.opendss.apart import serve; serve()"
)
_progress: mmap.mmap | None = None


class BrokenDownError(Exception):
    """The process ended without a result. how: in words; progress: what it last said of where it was."""

    def __init__(self, how: str, progress: str) -> None:
        self.how = how
        self.progress = progress
        super().__init__(how, progress)


def apart(work: Callable[..., Result], *arguments: Any, errors: tuple[type[Exception], ...] = ()) -> Result:
    """What a function of a module returns, executed in a process of its own.

    errors: those that are raised here if it raises them; their attributes are what they are made of.

    Raises
    ------
    BrokenDownError
        If the process ends without a result, or takes longer than `LIMIT_S`.
    """
    path = [str(Path.cwd()) if entry == "" else entry for entry in sys.path]
    with tempfile.TemporaryDirectory(prefix="heptagrid-", ignore_cleanup_errors=True) as folder:
        progress = Path(folder) / _PROGRESS
        progress.write_bytes(bytes(_PROGRESS_BYTES))
        try:
            ended = subprocess.run(
                [sys.executable, "-c", _START],
                input=pickle.dumps(path) + pickle.dumps((work, arguments, errors)),
                capture_output=True,
                cwd=folder,
                timeout=LIMIT_S,
            )
        except subprocess.TimeoutExpired:
            raise BrokenDownError(f"was stopped after {LIMIT_S:g} s", _last(progress)) from None
        try:
            outcome, value = pickle.loads(ended.stdout)
        except (pickle.UnpicklingError, EOFError):
            raise BrokenDownError(_how(ended), _last(progress)) from None
    if outcome == "error":
        kind, made_of = value
        raise kind(**made_of)
    if outcome == "defect":
        raise RuntimeError(f"in a process of its own:\n{value}")
    result: Result = value
    return result


def say(progress: str) -> None:
    """Say where the work is, in case it breaks down there; without effect in a process that `apart` did not start."""
    if _progress is not None:
        data = progress.encode("utf-8", "replace")[: _PROGRESS_BYTES - 1]
        _progress[: len(data) + 1] = data + b"\0"


def serve() -> None:
    """The process's whole life: read the work, do it, send what came of it, and end without a look back."""
    global _progress
    sink = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # a library that prints does not disturb the result
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever waits for the result ends this
    with Path(_PROGRESS).open("r+b") as file:
        _progress = mmap.mmap(file.fileno(), _PROGRESS_BYTES)
    try:
        work, arguments, errors = pickle.load(sys.stdin.buffer)
        _forbid_files()
        outcome = _outcome(work, arguments, errors)
    except Exception:
        outcome = ("defect", traceback.format_exc())
    pickle.dump(outcome, sink, protocol=pickle.HIGHEST_PROTOCOL)
    sink.flush()
    os._exit(0)


def _outcome(
    work: Callable[..., Any], arguments: tuple[Any, ...], errors: tuple[type[Exception], ...]
) -> tuple[str, Any]:
    try:
        return "done", work(*arguments)
    except errors as problem:
        return "error", (type(problem), vars(problem))


def _forbid_files() -> None:
    """No file grows and no core is dumped, where the system has such limits."""
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _last(progress: Path) -> str:
    return progress.read_bytes().split(b"\0", 1)[0].decode("utf-8", "replace")


def _how(ended: subprocess.CompletedProcess[bytes]) -> str:
    """How a process ended without a result."""
    if ended.returncode < 0:
        with contextlib.suppress(ValueError):
            return f"broke down ({signal.Signals(-ended.returncode).name})"
    last = ended.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
    return " ".join([f"ended with code {ended.returncode}", *(f"({line})" for line in last)])
