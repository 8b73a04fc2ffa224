"""`heptagrid bill`: a meter's readings billed by a rate, or a customer's bill of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path), required=False)
@click.argument("customer", type=int, required=False)
@click.option(
    "--tariff",
    type=click.Path(path_type=Path),
    metavar="URDB.json",
    help="A rate as OpenEI's database has it.",
)
@click.option(
    "--meter",
    type=click.Path(path_type=Path),
    metavar="READINGS.csv",
    help="Energies by interval, or a register's readings.",
)
@click.option("--zone", default="UTC", show_default=True, metavar="ZONE", help="Whose months and hours the rate means.")
@click.option(
    "--tax", type=click.FloatRange(0.0, 1.0), default=0.0, metavar="SHARE", help="Tax on all lines, such as 0.19."
)
@click.option(
    "--digits", type=click.IntRange(1, 12), metavar="N", help="Digits of the registers, which begin again at 0."
)
@click.option(
    "--carry",
    type=click.Choice(["kwh", "money"]),
    default="kwh",
    show_default=True,
    help="What net metering carries a month's surplus over in; in money it is worth the tiers' selling price.",
)
@click.option(
    "--true-up-month",
    type=click.IntRange(1, 12),
    default=12,
    show_default=True,
    help="When net metering settles what is left.",
)
@click.option(
    "--true-up-price", type=float, default=0.0, metavar="PRICE", help="Of a kWh that net metering has left then."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else on standard output.")
def bill(
    run: Path | None,
    customer: int | None,
    tariff: Path | None,
    meter: Path | None,
    zone: str,
    tax: float,
    digits: int | None,
    as_json: bool,
    **of_net_metering: Any,
) -> None:
    """Bill a meter's readings by a rate, month by month, or show a customer's bill of a run.

    \b
    READINGS.csv:
      time, import_kwh, export_kwh      energy of the interval that begins at time
      time, import_register_kwh, ...    what the register showed; meter names the device, status says measured or estimated
    docs/bills.md explains both files.

    \b
    Examples:
      heptagrid bill --tariff rate.json --meter readings.csv --zone America/Denver
      heptagrid bill runs/mine 17
    """
    import json

    from heptagrid.foundation.errors import UsageError

    if run is not None:
        if customer is None or tariff is not None or meter is not None:
            raise UsageError(
                "heptagrid bill takes a run and a customer, such as heptagrid bill runs/mine 17, or --tariff and --meter"
            )
        from heptagrid.inquiry.run_bill import run_bill
        from heptagrid.report.run_bill_text import run_bill_text

        of_run = run_bill(run, customer)
        click.echo(json.dumps(of_run, allow_nan=False) if as_json else run_bill_text(of_run))
        return
    if tariff is None or meter is None:
        raise UsageError("heptagrid bill takes --tariff and --meter, or a run and a customer")
    from heptagrid.report.rate_bill_text import rate_bill_text
    from heptagrid.studies.bill import api

    found = api.bill(tariff, meter, zone=zone, tax=tax, digits=digits, **of_net_metering)
    summary = found.summary()
    for remark in found.remarks:
        click.echo(f"note: {remark}", err=True)
    click.echo(json.dumps(summary, allow_nan=False) if as_json else rate_bill_text(summary))
