"""`heptagrid audit`: whether a run's files and ledger are as the run wrote them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else on standard output.")
def audit(run: Path, as_json: bool) -> None:
    """Audit RUN (a results folder): its files, the chain of its ledger, and that every cent balances.

    Each row of the ledger carries on a chain of hashes from the row before. The head, which the run printed, stands for all of them.

    \b
    Example:
      heptagrid audit runs/mine
    """
    from heptagrid.inquiry.audit import LIMIT
    from heptagrid.inquiry.audit import audit as audited
    from heptagrid.recording.results import open_run

    found = audited(open_run(run))
    if as_json:
        click.echo(json.dumps(found.summary()))
    else:
        for one in found.findings:
            click.echo(f"{one.what}: {one.problem or 'as it was written'}")
        click.echo(f"\nhead of the ledger's chain: {found.head}\n{LIMIT}")
    found.check()
