"""`heptagrid replay`: a live run again, without the outside."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from heptagrid.cli.console import with_progress
from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the second run (default: FOLDER-again)."
)
@click.option("--force", is_flag=True, help="Replace the run that the folder holds.")
def replay(folder: Path, out: Path | None, force: bool) -> None:
    """Replay FOLDER (of a live run): the same day again from its journal, without the outside, and say whether it is the same to the last bit.

    \b
    Examples:
      heptagrid replay runs/town-live-20261130-091500
      heptagrid replay yesterday --out again --force
    """
    from heptagrid.live.again import replay as api

    where = out or folder.with_name(f"{folder.name}-again")
    again = with_progress(lambda tick: api(folder, out=where, force=force, progress=tick))
    for remark in again.remarks:
        click.echo(f"note: {remark}", err=True)
    if again.differing:
        click.echo(f"not the same: {', '.join(again.differing)}", err=True)
        sys.exit(8)
    click.echo(f"the same to the last bit: summary and all tables\nreport: {again.run.report}")
