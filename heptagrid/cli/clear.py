"""`heptagrid clear`: the money plane alone, one market."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from heptagrid.cli.console import remarks_printed
from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("source", metavar="FILE")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE.csv", help="Write the price of each bus.")
@click.option(
    "--quantities",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Write what each unit or bid gives or gets.",
)
@click.option(
    "--branches", type=click.Path(path_type=Path), metavar="FILE.csv", help="Write flow, limit and rent of each branch."
)
@click.option(
    "--network",
    type=click.Choice(["dc", "none"]),
    help="dc (the default): flows keep the limits of branches. none: every bus reaches every other.",
)
@click.option(
    "--dc-model",
    type=click.Choice(["powermodels", "matpower"]),
    help="powermodels (the default): b = x / (r² + x²), no taps or phase shifts. matpower: b = 1 / (x tap), with phase shifts.",
)
@click.option(
    "--losses",
    type=click.Choice(["on", "off"]),
    help="on: what flows lose is given too, and prices have a part for it. off (the default): flows lose nothing.",
)
@click.option("--date", metavar="2020-MM-DD", help="Of an RTS-GMLC folder: the first day.")
@click.option("--hours", type=int, metavar="N", help="Of an RTS-GMLC folder: hours from that day on; 24 by default.")
@click.option(
    "--reserves", type=click.Choice(["on", "off"]), help="Unit commitment: whether reserves are required (on)."
)
@click.option("--n-1", "n_1", is_flag=True, default=None, help="Unit commitment: every branch may fail.")
@click.option(
    "--gap",
    type=click.FloatRange(min=0.0, max=1.0, max_open=True),
    help="Unit commitment: of the cost to its bound, at which to stop; 0.001 by default.",
)
@click.option("--rule", metavar="NAME", help="The market that clears FILE, if not heptagrid's own for it.")
@click.option("--ignore", multiple=True, metavar="KIND", help="Leave out a kind of element that cannot be represented.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print figures and rows as JSON and nothing else on standard output."
)
def clear(
    source: str, out: Path | None, quantities: Path | None, branches: Path | None, as_json: bool, **options: Any
) -> None:
    """Clear the market in FILE: the money plane alone, quantities and prices of offers on a network, or of bids.

    \b
    FILE is one of
      case.m     a MATPOWER case with costs: its cheapest dispatch
      bids.csv   side,price,quantity[,period,block,id]: a double auction
      uc.json    a unit-commitment case of pglib-uc or Egret
      folder     RTS-GMLC, with --date: unit commitment of a day

    \b
    Examples:
      heptagrid clear case118.m --out prices.csv --branches flows.csv
      heptagrid clear case118.m --network none --json
      heptagrid clear bids.csv --quantities accepted.csv
      heptagrid clear RTS-GMLC/RTS_Data --date 2020-07-10 --n-1
    """
    import json

    from heptagrid.report.clear import clear_text
    from heptagrid.studies.clear import api

    with remarks_printed():
        found = api.clear(source, out, quantities, branches, **options)
    for remark in found.remarks:
        click.echo(f"note: {remark}", err=True)
    if as_json:
        click.echo(json.dumps(found.summary(), allow_nan=False))
    found.check()
    if not as_json:
        click.echo(clear_text(found))
        files = (("prices", out), ("quantities", quantities), ("branches", branches))
        written = [f"{name}: {path}" for name, path in files if path is not None]
        if written:
            click.echo("\n".join(["", *written]))
