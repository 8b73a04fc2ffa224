"""What commands say while they work and when they are done: progress and remarks on standard error, tables on standard output."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click


def with_progress(work: Callable[[Any], Any]) -> Any:
    """Do the work with a progress bar on standard error, if that is a terminal; remarks go there too."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    with (
        warnings.catch_warnings(),
        remarks_printed(),
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_: click.echo(f"note: {message}", err=True)
        task = bar.add_task("running", total=None)
        return work(lambda done, total: bar.update(task, completed=done, total=total))


@contextmanager
def remarks_printed() -> Iterator[None]:
    """Print on standard error what heptagrid logs of its own work, such as that it compiles kernels."""
    import logging

    class OnStandardError(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            click.echo(f"note: {record.getMessage()}", err=True)

    log, handler = logging.getLogger("heptagrid"), OnStandardError(logging.INFO)
    before = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def print_wide(renderable: Any) -> None:
    """Print a table, 140 columns wide where standard output is no terminal."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 140).print(renderable)
