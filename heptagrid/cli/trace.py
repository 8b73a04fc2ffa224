"""`heptagrid trace`: one message of a run followed, or messages listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from heptagrid.cli.console import with_progress
from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("message", type=int, required=False)
@click.option("--arm", metavar="ARM", help="Which arm of the run (default: smart, or the only one).")
@click.option("--day", metavar="DATE", help="Which of the typical days (--typical); default: the first.")
@click.option("--list", "as_list", is_flag=True, help="List messages and their numbers instead.")
@click.option("--kind", metavar="KIND", help="List one kind: meter_reading, price, setpoint, bill, telemetry, ...")
@click.option("--customer", type=int, metavar="N", help="List messages from and to customer N's gateway.")
@click.option("--lost", is_flag=True, help="List lost messages only.")
@click.option("--from", "since", metavar="TIME", help="List from a local time on, such as 18:00 or 2016-01-26T12:00.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="List at most this many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else on standard output.")
def trace(run: Path, message: int | None, as_list: bool, as_json: bool, **options: Any) -> None:
    """Follow message MESSAGE of RUN (a results folder): every hop, its causes, its consequences.

    The arm is run again, the same to the last bit, up to that message. A message's number is the same in every run.

    \b
    Examples:
      heptagrid trace runs/mine --list --kind setpoint --customer 17 --from 18:00
      heptagrid trace runs/mine --list --lost
      heptagrid trace runs/mine 1449700
    """
    import json

    from heptagrid.inquiry.message_list import list_messages
    from heptagrid.inquiry.trace import trace as traced
    from heptagrid.report.trace_text import list_text, message_text

    arm, day = options.pop("arm"), options.pop("day")
    if as_list == (message is not None):
        raise click.UsageError("name one MESSAGE, or ask for a --list")
    if as_list:
        found = with_progress(lambda tick: list_messages(run, **options, arm=arm, day=day, progress=tick))
    else:
        assert message is not None
        found = with_progress(lambda tick: traced(run, message, arm, day, tick))
    click.echo(json.dumps(found, allow_nan=False) if as_json else (list_text if as_list else message_text)(found))
