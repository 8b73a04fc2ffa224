"""`heptagrid explain`: a customer's bill of a run, line by line."""

from __future__ import annotations

from pathlib import Path

import click

from heptagrid.cli.console import with_progress
from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--bill", "customer", type=int, required=True, metavar="CUSTOMER", help="Explain this customer's bill.")
@click.option("--day", metavar="DATE", help="The day of the bill (default: the day with the largest amount).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else on standard output.")
def explain(run: Path, customer: int, day: str | None, as_json: bool) -> None:
    """Explain a customer's bill in RUN (a results folder): every line and its causes.

    Of the price: its message, when that arrived, and the market's result, bid and forecast. Of flexibility: the
    set-points. Of the dearest hour: voltage and loading in the customer's part of the network.

    \b
    Example:
      heptagrid explain runs/mine --bill 17
    """
    import json

    from heptagrid.inquiry.explain import explain as explained
    from heptagrid.report.bill_text import bill_text

    found = with_progress(lambda tick: explained(run, customer, day, tick))
    click.echo(json.dumps(found, allow_nan=False) if as_json else bill_text(found))
