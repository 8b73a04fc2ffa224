"""`heptagrid compare`: runs or scenarios side by side."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from heptagrid.cli.console import print_wide, with_progress
from heptagrid.cli.options import EPILOG, run_options


@click.command(epilog=EPILOG)
@click.argument("sources", nargs=-1, required=True, metavar="A B [C...]")
@run_options
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Processes to share the work (default: cores).")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Results folder (default: runs/compare-<time>)."
)
@click.option("--force", is_flag=True, help="Replace the comparison that the folder holds.")
@click.option("--json", "as_json", is_flag=True, help="Print compare.json and nothing else on standard output.")
def compare(sources: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Compare B, C... with A: figures side by side, who gains, who loses.

    Each of A, B, C... is the folder of a run, or a scenario (a built-in name or a TOML file), which is then run.

    \b
    Examples:
      heptagrid compare town mytown.toml
      heptagrid compare runs/before runs/after --out verdict
    """
    from heptagrid.scale.compare import compare as compare_runs

    finished = with_progress(lambda tick: compare_runs(*sources, progress=tick, **options))
    if finished.partial:
        click.echo(f"heptagrid: interrupted; the finished runs are in {finished.folder}", err=True)
        sys.exit(130)
    if as_json:
        click.echo((finished.folder / "compare.json").read_text(encoding="utf-8"), nl=False)
    else:
        from heptagrid.report.studies_terminal import compare_summary

        print_wide(compare_summary(finished.content))
        click.echo(f"\n{len(finished.runs)} runs\nreport: {finished.report}")
