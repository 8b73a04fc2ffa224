"""`heptagrid curve`: a customer's day, a substation's curve, or percentiles over all, from a run's folder."""

from __future__ import annotations

from pathlib import Path

import click

from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--customer", type=int, metavar="N", help="Customer N's reads and voltages.")
@click.option("--substation", metavar="NAME", help="What the customers of a transformer draw, such as area-1/T178.")
@click.option(
    "--percentiles",
    "column",
    metavar="COLUMN",
    help="Over all customers: import_kwh, export_kwh; over all nodes: v_min_pu, v_max_pu, v_mean_pu.",
)
@click.option("--arm", metavar="ARM", help="Which arm of the run (default: smart, or the only one).")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE.csv", help="Write the curve there instead.")
def curve(
    run: Path, customer: int | None, substation: str | None, column: str | None, arm: str | None, out: Path | None
) -> None:
    """Print a curve of RUN (a results folder) by quarter hour as CSV.

    Of a city's tables no more is read than the answer needs.

    \b
    Examples:
      heptagrid curve runs/mine --customer 17
      heptagrid curve runs/mine --substation T12
      heptagrid curve runs/mine --percentiles v_min_pu --out voltages.csv
    """
    from heptagrid.foundation.output_file import whole_file
    from heptagrid.recording.results import open_run

    if sum(one is not None for one in (customer, substation, column)) != 1:
        raise click.UsageError("ask for one of --customer, --substation and --percentiles")
    opened = open_run(run)
    if customer is not None:
        found = opened.customer(customer, arm)
    elif substation is not None:
        found = opened.substation(substation, arm)
    else:
        found = opened.percentiles(str(column), arm=arm)
    text = found.write_csv()
    if out is None:
        click.echo(text, nl=False)
        return
    with whole_file(out) as place:
        place.write_text(text, encoding="utf-8")
