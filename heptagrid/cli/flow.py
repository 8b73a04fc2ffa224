"""`heptagrid flow`: the power plane alone, one snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from heptagrid.cli.console import remarks_printed
from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("source", metavar="FILE")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Write node, phase, v_pu and angle_deg of each node.",
)
@click.option(
    "--branches",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Write currents, powers and losses of each branch.",
)
@click.option(
    "--controls",
    type=click.Choice(["on", "off"]),
    default="on",
    show_default=True,
    help="on: regulators and capacitor controls act. off: they stay as the file leaves them.",
)
@click.option(
    "--q-limits",
    is_flag=True,
    help="Generators keep their reactive limits, and at a limit no longer hold their voltage.",
)
@click.option("--ignore", multiple=True, metavar="KIND", help="Leave out a kind of element that cannot be represented.")
@click.option("--json", "as_json", is_flag=True, help="Print the totals as JSON and nothing else on standard output.")
def flow(source: str, out: Path | None, branches: Path | None, controls: str, as_json: bool, **options: Any) -> None:
    """Solve the network in FILE once: the power plane alone, voltages and flows of one snapshot.

    \b
    FILE is one of
      case.m             a MATPOWER case
      net.json           a pandapower network
      Master.dss         an OpenDSS script
      1-MV-urban--0-sw   a SimBench code

    What has no effect on a snapshot is listed on standard error. Anything else that cannot be represented stops the command, element by
    element.

    \b
    Examples:
      heptagrid flow case118.m --out voltages.csv --branches flows.csv
      heptagrid flow case300.m --q-limits --json
      heptagrid flow Master.dss --controls off --out voltages.csv
    """
    import json

    from heptagrid.report.flow import flow_text
    from heptagrid.studies.flow import api

    with remarks_printed():
        found = api.flow(source, out, branches, controls=controls == "on", **options)
    for remark in found.remarks:
        click.echo(f"note: {remark}", err=True)
    if as_json:
        click.echo(json.dumps(found.summary(), allow_nan=False))
    found.check()
    if not as_json:
        click.echo(flow_text(found))
        written = [f"{name}: {path}" for name, path in (("nodes", out), ("branches", branches)) if path is not None]
        if written:
            click.echo("\n".join(["", *written]))
