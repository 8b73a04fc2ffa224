"""`heptagrid validate`: comparisons with published cases and other programs."""

from __future__ import annotations

import click

from heptagrid.cli.console import print_wide, with_progress
from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("cases", nargs=-1, metavar="[CASE]...")
@click.option("--live", is_flag=True, help="Also run the other programs again, where they are installed.")
@click.option("--list", "as_list", is_flag=True, help="List the cases and their sources; run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON and nothing else on standard output.")
def validate(cases: tuple[str, ...], live: bool, as_list: bool, as_json: bool) -> None:
    """Compare heptagrid with published cases and with recorded answers of other programs.

    CASE is a case's name, the beginning of one, a pattern, or a plane (power, messages, money, grid); default: all.

    \b
    Verdicts:
      pass      within the tolerance
      fail      an exact case beyond its tolerance, or one that stopped with an error; exit code 8
      outside   outside a published band; no error
      not run   could not be compared here, with the reason; never counted as passed

    \b
    Examples:
      heptagrid validate power --live
      heptagrid validate "baran-wu-*" --json
    """
    from heptagrid.validate import registry, rows, table

    chosen = registry.choose(cases, registry.all_cases())
    if as_list:
        print_wide(table.listing(chosen))
        return
    found = with_progress(lambda tick: rows.run_cases(chosen, live, tick))
    if as_json:
        for row in found:
            if row.reason:
                click.echo(f"note: {row.name}: {row.verdict}: {row.reason}", err=True)
        click.echo(table.as_json(found))
    else:
        print_wide(table.table(found))
    table.check(found)
