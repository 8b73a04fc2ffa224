"""`heptagrid sweep`: a scenario with some of its keys varied."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from heptagrid.cli.console import print_wide, with_progress
from heptagrid.cli.options import EPILOG, run_options


@click.command(epilog=EPILOG)
@click.argument("scenario", default="town")
@click.option(
    "--vary",
    multiple=True,
    metavar="KEY=VALUES",
    help="Vary a key: first:last:step, or values separated by commas. Several --vary give all combinations.",
)
@click.option("--seeds", type=click.IntRange(1), default=1, metavar="N", help="Seeds per point (default: 1).")
@run_options
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes to share the work (default: cores).")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Results folder (default: runs/<name>-sweep-<time>)."
)
@click.option("--force", is_flag=True, help="Replace another sweep that the folder holds.")
@click.option("--keep-runs", is_flag=True, help="Keep the results folder of every arm.")
@click.option("--json", "as_json", is_flag=True, help="Print sweep.json and nothing else on standard output.")
def sweep(scenario: str, as_json: bool, **options: Any) -> None:
    """Run SCENARIO with one or more keys varied, and draw how the results depend on them.

    Keys are those of a scenario, and break.access, break.backhaul, break.wan: the probability that a message is
    lost on a link of that class. All points share their seeds. To continue a sweep that was stopped, repeat the command with its --out.

    \b
    Examples:
      heptagrid sweep --vary break.access=0:1:0.25 --out access
      heptagrid sweep town --vary messages.access.loss=0:0.9:0.1 --seeds 3 --step 300
      heptagrid sweep --vary vehicles.share=0.1,0.4 --vary gateways.enrolled_share=0:1:0.5 --typical
      heptagrid sweep --vary messages.access.technology=wi-sun-50k,nb-iot,g3-plc --typical
    """
    from heptagrid.scale.sweep import sweep as sweep_scenario

    finished = with_progress(lambda tick: sweep_scenario(scenario, progress=tick, **options))
    if finished.partial:
        words = sys.argv[1:] if options["out"] else [*sys.argv[1:], "--out", str(finished.folder)]
        click.echo(
            f"heptagrid: interrupted; {finished.arms_done} of {finished.arms} arms are done and kept in {finished.folder}. "
            f"To go on: heptagrid {shlex.join(words)}",
            err=True,
        )
        sys.exit(130)
    if as_json:
        click.echo((finished.folder / "sweep.json").read_text(encoding="utf-8"), nl=False)
    else:
        from heptagrid.report.studies_terminal import sweep_summary

        print_wide(sweep_summary(finished.content))
        click.echo(f"\n{len(finished.content['points'])} points, {finished.arms} arms\nreport: {finished.report}")
        if finished.communication_report is not None:
            click.echo(f"what communication costs and what hangs on it: {finished.communication_report}")
